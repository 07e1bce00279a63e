//! Permanent sessions, their expiry and refresh: `test_basic.py`, `test_config.py`.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use carafe::config::Refresh;
use carafe::value::DateTime;
use carafe::{Clock, Config, Error, Session};

use crate::support::{Client, NOW, flask};

const DAY: u64 = 86_400;

async fn index(session: Session, Path(permanent): Path<bool>) -> Result<(), Error> {
    session.insert("test", 42)?;
    session.set_permanent(permanent)
}

async fn permanent(session: Session) -> String {
    session.is_permanent().to_string()
}

fn expires(attributes: &[&str]) -> Option<String> {
    attributes.iter().find_map(|attribute| attribute.strip_prefix("Expires=").map(str::to_owned))
}

#[tokio::test]
async fn test_session_expiration() {
    let clock = Clock::fixed(NOW);
    let app = Router::new()
        .route("/{permanent}", get(index))
        .route("/test", get(permanent))
        .layer(flask().with_clock(clock.clone()));
    let mut client = Client::new(app);

    let answer = client.get("/true").await;
    let expected = DateTime::from_unix((NOW + 31 * DAY) as i64).unwrap().to_string();
    assert_eq!(expires(&answer.attributes()), Some(expected));
    assert!(!answer.set_cookie().unwrap().contains("Max-Age"));
    assert_eq!(client.get("/test").await.text, "true");

    // The last second of its life, which begins anew with each request, and the one after it.
    clock.advance(31 * DAY);
    assert_eq!(client.get("/test").await.text, "true");
    clock.advance(31 * DAY + 1);
    assert_eq!(client.get("/test").await.text, "false");

    let answer = client.get("/false").await;
    assert!(answer.set_cookie().is_some());
    assert_eq!(expires(&answer.attributes()), None);
}

#[tokio::test]
async fn test_session_cookie_setting() {
    async fn bump(session: Session, Path(permanent): Path<bool>) -> Result<String, Error> {
        let foo = session.update("foo", |foo: Option<i64>| foo.unwrap_or(0) + 1)?;
        session.set_permanent(permanent)?;
        Ok(foo.to_string())
    }
    async fn read(session: Session) -> Result<String, Error> {
        Ok(session.get::<i64>("foo")?.unwrap_or(0).to_string())
    }
    for (is_permanent, refresh, expected) in [
        (true, Refresh::EachRequest, true),
        (true, Refresh::OnExtract, true),
        (true, Refresh::Never, false),
        (false, Refresh::EachRequest, false),
        (false, Refresh::OnExtract, false),
        (false, Refresh::Never, false),
    ] {
        let layer = flask().configure(|config| config.refresh(refresh)).unwrap();
        let app = Router::new()
            .route("/bump/{permanent}", get(bump))
            .route("/read", get(read))
            .layer(layer);
        let mut client = Client::new(app);
        for expected in ["1", "2", "3"] {
            assert_eq!(client.get(&format!("/bump/{is_permanent}")).await.text, expected);
        }
        let answer = client.get("/read").await;
        assert_eq!(answer.set_cookie().is_some(), expected, "{is_permanent} {refresh:?}");
        assert_eq!(answer.text, "3");
    }
}

/// `test_config.py`: a number of seconds.
#[tokio::test]
async fn test_session_lifetime() {
    let from_number =
        Config::flask().with_variables([("FLASK_PERMANENT_SESSION_LIFETIME", "42")]).unwrap();
    assert_eq!(from_number, Config::flask().lifetime(Duration::from_secs(42)));
    let app = Router::new()
        .route("/{permanent}", get(index))
        .layer(flask().configure(|_| from_number).unwrap());
    let answer = Client::new(app).get("/true").await;
    let expected = DateTime::from_unix(NOW as i64 + 42).unwrap().to_string();
    assert_eq!(expires(&answer.attributes()), Some(expected));
}
