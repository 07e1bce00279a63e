//! Handlers that panic.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use carafe::{ErrorKind, Session};
use tokio::sync::mpsc;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;

use crate::support::{Client, flask};

async fn panics(session: Session) {
    session.insert("a", 1).unwrap();
    panic!("on purpose");
}

#[tokio::test]
async fn a_panic_commits_nothing() {
    let (tell, mut sessions) = mpsc::unbounded_channel();
    let handler = async move |session: Session| {
        tell.send(session.clone()).unwrap();
        panics(session).await;
    };
    let app = Router::new().route("/", get(handler)).layer(flask());
    let request = Request::get("/").body(Body::empty()).unwrap();
    assert!(tokio::spawn(app.oneshot(request)).await.unwrap_err().is_panic());
    let late = sessions.recv().await.unwrap().insert("b", 2);
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_commits_nothing() {
    let app = Router::new().route("/", get(panics)).layer(flask()).layer(CatchPanicLayer::new());
    let answer = Client::new(app).get("/").await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (500, None));
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_is_an_answer_like_others() {
    let app = Router::new().route("/", get(panics)).layer(CatchPanicLayer::new()).layer(flask());
    let answer = Client::new(app).get("/").await;
    assert_eq!(answer.status, 500);
    assert!(answer.set_cookie().is_some());
}

/// A panic under the session's own lock, by a conversion of the application's.
#[tokio::test]
async fn a_panic_while_a_value_is_read_breaks_nothing() {
    struct Panics;
    impl<'de> serde::Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("on purpose");
        }
    }
    let handler = async |session: Session| -> Result<String, carafe::Error> {
        session.insert("a", 1)?;
        let other = session.clone();
        assert!(tokio::spawn(async move { drop(other.take::<Panics>("a")) }).await.is_err());
        session.insert("b", 2)?;
        Ok(session.len().to_string())
    };
    let app = Router::new().route("/", get(handler)).layer(flask());
    assert_eq!(Client::new(app).get("/").await.text, "2");
}
