//! When responses vary with the cookie: `test_basic.py`.

use axum::Router;
use axum::http::header::VARY;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use carafe::value::Value;
use carafe::{Error, Session};

use crate::support::{Client, flask};

async fn set_and_vary(session: Session, vary: &'static str) -> Result<impl IntoResponse, Error> {
    session.insert("test", "test")?;
    Ok(AppendHeaders([(VARY, vary)]))
}

#[tokio::test]
async fn test_session_vary_cookie() {
    let app = Router::new()
        .route("/set", get(async |session: Session| session.insert("test", "test")))
        .route(
            "/get",
            get(async |session: Session| {
                session.get::<String>("test").map(Option::unwrap_or_default)
            }),
        )
        .route("/getitem", get(async |session: Session| drop(session.value("test"))))
        .route(
            "/setdefault",
            get(async |session: Session| -> Result<(), Error> {
                let value = session.entry("test").or_insert("default")?;
                assert_eq!(value, Value::from("test"));
                Ok(())
            }),
        )
        .route("/contains", get(async |session: Session| session.contains("test").to_string()))
        .route("/len", get(async |session: Session| session.len().to_string()))
        .route("/clear", get(async |session: Session| session.clear()))
        .route("/vary-cookie-header-set", get(|session| set_and_vary(session, "Cookie")))
        .route(
            "/vary-header-set",
            get(|session| set_and_vary(session, "Accept-Encoding, Accept-Language")),
        )
        .route("/no-vary-header", get(async || ""))
        .layer(flask());
    let mut client = Client::new(app);
    for (path, expected) in [
        ("/set", Some("Cookie")),
        ("/get", Some("Cookie")),
        ("/getitem", Some("Cookie")),
        ("/setdefault", Some("Cookie")),
        ("/contains", Some("Cookie")),
        ("/len", Some("Cookie")),
        ("/clear", Some("Cookie")),
        ("/vary-cookie-header-set", Some("Cookie")),
        ("/vary-header-set", Some("Accept-Encoding, Accept-Language, Cookie")),
        ("/no-vary-header", None),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        // The header exists only once.
        assert_eq!(answer.vary(), expected, "{path}");
    }
}

#[tokio::test]
async fn test_session_refresh_vary() {
    async fn login(session: Session) -> Result<(), Error> {
        session.insert("user_id", 1)?;
        session.set_permanent(true)
    }
    let app = Router::new()
        .route("/login", get(login))
        .route("/ignored", get(async || ""))
        .layer(flask());
    let mut client = Client::new(app);
    assert_eq!(client.get("/login").await.vary(), Some("Cookie"));
    assert_eq!(client.get("/ignored").await.vary(), Some("Cookie"));
}
