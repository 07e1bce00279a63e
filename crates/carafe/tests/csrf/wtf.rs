//! The tokens of Flask-WTF.

use std::time::Duration;

use axum::http::{HeaderName, Request};
use carafe::csrf::FlaskWtf;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
use carafe::value::{Dict, Value};
use carafe::{Clock, KeyRing, SecretKey, SessionLayer};

use crate::visitor::{HOME, NOW, Visitor, csrf};

/// Returns the recorded cases of Flask-WTF.
fn rows() -> Vec<serde_json::Value> {
    include_str!("../../../carafe-format/tests/vectors/flask-extensions.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|row| row["kind"] == "flask_wtf_csrf")
        .collect()
}

/// Returns a visitor of a Flask service with this key, whose session has this text.
fn visitor(secret: &str, text: Value, clock: &Clock) -> Visitor {
    let key = SecretKey::new(secret).unwrap();
    let session = Value::from(Dict::from([("csrf_token", text)]));
    let serializer =
        UrlSafeTimedSerializer::new(&KeyRing::new(key.clone()), &SigningOptions::default());
    let layer = SessionLayer::flask(key).with_clock(clock.clone());
    let mut visitor = Visitor::with(layer, csrf().flask_wtf());
    let cookie = serializer.dumps(&session, NOW).unwrap();
    visitor.cookies.insert("session".to_owned(), cookie);
    visitor
}

#[tokio::test]
async fn flask_wtfs_own_tokens() {
    let rows = rows();
    assert!(!rows.is_empty());
    for row in rows {
        let at = |name: &str| row[name].as_str().unwrap();
        let clock = Clock::fixed(NOW);
        let text = Value::from(at("session_csrf_token"));
        let mut visitor = visitor(at("secret"), text, &clock);
        assert_eq!(row["timestamp"], NOW);
        assert_eq!(visitor.token().await, at("token"));
        assert!(visitor.passes(at("token")).await);
        clock.advance(3600);
        assert!(visitor.passes(at("token")).await, "an hour");
        clock.advance(1);
        let answer = visitor.post("/do", at("token")).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("expired"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_flask_wtf_refuses() {
    let clock = Clock::fixed(NOW);
    let mut good = visitor("dev", "a".repeat(40).into(), &clock);
    let token = good.token().await;
    assert!(good.passes(&token).await);
    for session in [Value::from("b".repeat(40)), Value::from(1), Value::Null] {
        assert!(!visitor("dev", session, &clock).passes(&token).await);
    }
    assert!(!visitor("other", "a".repeat(40).into(), &clock).passes(&token).await);
    for (wrong, reason) in [("", "invalid"), ("x", "invalid"), ("x.y.z", "invalid")] {
        let answer = good.post("/do", wrong).await;
        assert!(answer.status == 403 && answer.text.contains(reason), "{}", answer.text);
    }
    // A number that is signed with the right salt is not a token.
    let options = SigningOptions::itsdangerous("wtf-csrf-token");
    let key = SecretKey::new("dev").unwrap();
    let signed = UrlSafeTimedSerializer::new(&key.into(), &options).dumps(&Value::from(1), NOW);
    assert!(!good.passes(&signed.unwrap()).await);
    // The source of the request is checked as well.
    let request = Request::post("/do").header("x-csrftoken", &token);
    assert_eq!(good.send(request.header("origin", "https://evil.example"), "").await.status, 403);
    let request = Request::post("/do").header("x-csrftoken", &token).header("origin", HOME);
    assert_eq!(good.send(request, "").await.status, 200);
}

#[tokio::test]
async fn a_visitor_gets_a_session_as_with_flask_wtf() {
    let key = SecretKey::new("dev").unwrap();
    let layer = SessionLayer::flask(key).with_clock(Clock::fixed(NOW));
    let mut visitor = Visitor::with(layer, csrf().flask_wtf());
    assert!(!visitor.passes("").await);
    let token = visitor.token().await;
    assert_eq!(visitor.cookies.keys().collect::<Vec<_>>(), ["session"]);
    assert_eq!(visitor.get("/keys").await.text, "csrf_token");
    assert!(visitor.passes(&token).await);
    assert_eq!(visitor.token().await, token, "Flask-WTF's has the session's text and the time");
    let mut other = visitor.other();
    let of_other = other.token().await;
    assert_ne!(of_other, token);
    assert!(!visitor.passes(&of_other).await);
}

/// Returns a visitor of a site with all of Flask-WTF's settings, at this time.
fn elsewhere(clock: &Clock) -> Visitor {
    let layer = SessionLayer::flask(SecretKey::new("dev").unwrap()).with_clock(clock.clone());
    let tokens = FlaskWtf::default()
        .field_name("_token")
        .unwrap()
        .headers([HeaderName::from_static("x-token")])
        .time_limit(Duration::from_secs(60))
        .secret_key(SecretKey::new("forms").unwrap());
    Visitor::with(layer, csrf().flask_wtf_with(tokens))
}

#[tokio::test]
async fn the_settings_of_flask_wtf_are_followed() {
    let clock = Clock::fixed(NOW);
    let mut visitor = elsewhere(&clock);
    let token = visitor.token().await;
    assert_eq!(visitor.get("/keys").await.text, "_token");
    let options = SigningOptions::itsdangerous("wtf-csrf-token");
    let forms = KeyRing::new(SecretKey::new("forms").unwrap());
    assert!(
        UrlSafeTimedSerializer::new(&forms, &options).loads(token.as_bytes(), None, NOW).is_ok()
    );

    let form = |body: String| {
        let request = Request::post("/do").header("origin", HOME);
        (request.header("content-type", "application/x-www-form-urlencoded"), body)
    };
    for (body, status) in [
        (format!("_token={token}"), 200),
        (format!("name=x&signup-_token={token}"), 200),
        (format!("_tokens={token}"), 403),
    ] {
        let (request, body) = form(body);
        let answer = visitor.send(request, body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let (request, body) = form("a=b".to_owned());
    let answer = visitor.send(request, body).await;
    assert!(answer.text.contains("no field _token"), "{}", answer.text);
    for (header, status) in [("x-token", 200), ("x-csrftoken", 403)] {
        let request = Request::post("/do").header("origin", HOME).header(header, &token);
        assert_eq!(visitor.send(request, "").await.status, status, "{header}");
    }
    clock.advance(61);
    let (request, body) = form(format!("_token={token}"));
    assert!(visitor.send(request, body).await.text.contains("expired"));
}

#[tokio::test]
async fn a_token_without_a_time_limit_lasts_as_long_as_its_session() {
    let clock = Clock::fixed(NOW);
    let layer = SessionLayer::flask(SecretKey::new("dev").unwrap()).with_clock(clock.clone());
    let tokens = FlaskWtf::default().time_limit(None);
    let mut visitor = Visitor::with(layer, csrf().flask_wtf_with(tokens));
    let token = visitor.token().await;
    clock.advance(30 * 86_400);
    assert!(visitor.passes(&token).await);
}
