//! The tokens of Flask-WTF.

use axum::http::Request;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
use carafe::value::{Dict, Value};
use carafe::{Clock, KeyRing, SecretKey, SessionLayer};

use crate::visitor::{HOME, NOW, Visitor, csrf};

/// The rows of the recorded cases that are Flask-WTF's.
fn rows() -> Vec<serde_json::Value> {
    include_str!("../../../carafe-format/tests/vectors/flask-extensions.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|row| row["kind"] == "flask_wtf_csrf")
        .collect()
}

/// A visitor of a Flask service with this key, whose session has this text.
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
    // A number that is signed with the right salt is no token.
    let options = SigningOptions::itsdangerous("wtf-csrf-token");
    let key = SecretKey::new("dev").unwrap();
    let signed = UrlSafeTimedSerializer::new(&key.into(), &options).dumps(&Value::from(1), NOW);
    assert!(!good.passes(&signed.unwrap()).await);
    // Where the request comes from is checked all the same.
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
