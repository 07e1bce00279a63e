//! The attributes of the cookie, from the settings: `test_basic.py`.

use axum::Router;
use axum::routing::get;
use carafe::config::SameSite;
use carafe::{Config, Error, ErrorKind, Session};

use crate::support::{Answer, Client, flask};

async fn index(session: Session) -> Result<&'static str, Error> {
    session.insert("testing", 42)?;
    Ok("Hello World")
}

async fn clear(session: Session) -> Result<&'static str, Error> {
    session.remove("testing")?;
    Ok("Goodbye World")
}

fn browser(change: impl FnOnce(Config) -> Config) -> Client {
    let routes = Router::new().route("/", get(index)).route("/clear", get(clear));
    Client::new(routes.layer(flask().configure(change).unwrap()))
}

#[tokio::test]
async fn test_session_path() {
    let answer = browser(|config| config.application_root("/foo")).get("/").await;
    assert_eq!(answer.attributes(), ["HttpOnly", "Path=/foo"]);
}

#[tokio::test]
async fn test_session_using_application_root() {
    // Mounted under a prefix; the cookie's path is the one that the setting names.
    let layer = flask().configure(|config| config.application_root("/bar")).unwrap();
    let app = Router::new().nest("/bar", Router::new().route("/", get(index))).layer(layer);
    let answer = Client::new(app).get("/bar").await;
    assert_eq!(answer.attributes(), ["HttpOnly", "Path=/bar"]);
}

#[tokio::test]
async fn test_session_using_session_settings() {
    let mut client = browser(|config| {
        config
            .application_root("/test")
            .cookie_domain(".example.com".to_owned())
            .http_only(false)
            .secure(true)
            .partitioned(true)
            .same_site(SameSite::Lax)
            .cookie_path("/")
    });
    let attributes = ["Domain=example.com", "Secure", "Path=/", "SameSite=Lax", "Partitioned"];
    assert_eq!(client.get("/").await.attributes(), attributes);

    let answer = client.get("/clear").await;
    assert!(answer.set_cookie().unwrap().starts_with("session=; "));
    let removed = answer.attributes();
    assert_eq!(removed[..1], attributes[..1]);
    assert_eq!(removed[1..3], ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"]);
    assert_eq!(removed[3..], attributes[1..]);
}

#[tokio::test]
async fn test_session_using_samesite_attribute() {
    let with =
        |value: &str| Config::flask().with_variables([("FLASK_SESSION_COOKIE_SAMESITE", value)]);
    // Flask raises when a response is made; here it is found before there is a layer.
    let error = with("invalid").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert!(error.to_string().contains(r#""invalid""#), "{error}");

    async fn answer(config: Config) -> Answer {
        browser(|_| config).get("/").await
    }
    for (value, expected) in
        [("null", None), ("Strict", Some("SameSite=Strict")), ("Lax", Some("SameSite=Lax"))]
    {
        let answer = answer(with(value).unwrap()).await;
        let attribute = answer.attributes().into_iter().find(|a| a.starts_with("SameSite"));
        assert_eq!(attribute, expected);
    }
}
