//! Extractors as an `Option`.

use axum::Router;
use axum::routing::get;
use carafe::csrf::Csrf;
use carafe::{CurrentUser, LazySession, Named, Session, Typed};
use serde::{Deserialize, Serialize};

use crate::support::{Client, flask};

struct Site;

#[derive(Default, Serialize, Deserialize)]
struct Visitor {
    visits: u64,
}

/// An application whose routes tell whether an optional extractor gave a value.
fn app() -> Router {
    fn there<T>(optional: Option<T>) -> &'static str {
        optional.map_or("none", |_| "there")
    }
    Router::new()
        .route("/session", get(async |session: Option<Session>| there(session)))
        .route("/lazy", get(async |session: Option<LazySession>| there(session)))
        .route("/named", get(async |session: Option<Named<Site>>| there(session)))
        .route("/typed", get(async |visitor: Option<Typed<Visitor>>| there(visitor)))
        .route("/csrf", get(async |csrf: Option<Csrf>| there(csrf)))
}

#[tokio::test]
async fn an_optional_session_is_none_without_a_layer() {
    let mut client = Client::new(app());
    for path in ["/session", "/lazy", "/named", "/typed", "/csrf"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "none"), "{path}");
    }
}

#[tokio::test]
async fn an_optional_session_is_there_below_a_layer() {
    let mut client = Client::new(app().layer(flask()));
    for (path, expected) in [
        ("/session", "there"),
        ("/lazy", "there"),
        ("/typed", "there"),
        // The layer has no name, and there is none for tokens.
        ("/named", "none"),
        ("/csrf", "none"),
    ] {
        assert_eq!(client.get(path).await.text, expected, "{path}");
    }
    let mut client = Client::new(app().layer(carafe::csrf::CsrfLayer::same_host()).layer(flask()));
    assert_eq!(client.get("/csrf").await.text, "there");
}

#[tokio::test]
async fn an_optional_session_that_fails_is_an_error() {
    let routes = app()
        .route("/wrong", get(async |session: Session| session.insert("visits", "many").unwrap()))
        .route("/user", get(async |user: Option<CurrentUser>| user.is_some().to_string()));
    let mut client = Client::new(routes.clone().layer(flask()));
    client.get("/wrong").await;
    assert_eq!(client.get("/typed").await.status, 500);
    assert_eq!(client.get("/user").await.text, "false");
    // Without a layer it can't be told whether a user is logged in.
    assert_eq!(Client::new(routes).get("/user").await.status, 500);
}
