//! Logout of sessions in cookies, made final by a store beside them.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use carafe::store::MemoryStore;
use carafe::{Clock, Error, SecretKey, Session, SessionLayer};
use tower::ServiceExt as _;

const NOW: u64 = 1_700_000_000;

async fn act(session: Session, Path(action): Path<String>) -> Result<String, Error> {
    match action.as_str() {
        "login" => session.login("alice")?,
        "logout" => session.logout()?,
        "everywhere" => drop(session.logout_everywhere().await?),
        "rotate" => session.rotate()?,
        _ => {}
    }
    Ok(session.user().unwrap_or_else(|| "-".to_owned()))
}

fn app(clock: &Clock) -> Router {
    let key = SecretKey::new("a key for these tests, long enough").unwrap();
    let layer =
        SessionLayer::flask(key).with_clock(clock.clone()).with_revocations(MemoryStore::new());
    Router::new().route("/{action}", axum::routing::get(act)).layer(layer)
}

/// Sends a request. Returns the user in the response, and the cookie that it sets.
async fn send(app: &Router, action: &str, cookie: &str) -> (String, String) {
    let request = Request::get(format!("/{action}")).header("cookie", cookie);
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200, "{action}");
    let set = response.headers().get("set-cookie").map(|value| value.to_str().unwrap());
    let set = set.and_then(|value| value.split(';').next()).unwrap_or_default().to_owned();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (String::from_utf8(body.to_vec()).unwrap(), set)
}

#[tokio::test]
async fn a_copied_cookie_is_dead_after_logout() {
    let app = app(&Clock::fixed(NOW));
    let (_, cookie) = send(&app, "login", "").await;
    let (_, other) = send(&app, "login", "").await;
    assert_eq!(send(&app, "who", &cookie).await.0, "alice");
    send(&app, "logout", &cookie).await;
    assert_eq!(send(&app, "who", &cookie).await.0, "-");
    assert_eq!(send(&app, "who", &other).await.0, "alice", "another session of the same user");
}

#[tokio::test]
async fn a_new_login_and_a_rotation_end_the_session_before() {
    let app = app(&Clock::fixed(NOW));
    let (_, first) = send(&app, "login", "").await;
    let (_, second) = send(&app, "login", &first).await;
    let (_, third) = send(&app, "rotate", &second).await;
    let mut alive = Vec::new();
    for cookie in [&first, &second, &third] {
        alive.push(send(&app, "who", cookie).await.0);
    }
    assert_eq!(alive, ["-", "-", "alice"]);
}

#[tokio::test]
async fn ending_all_sessions_ends_those_from_before_and_none_from_after() {
    let clock = Clock::fixed(NOW);
    let app = app(&clock);
    let (_, first) = send(&app, "login", "").await;
    let (_, second) = send(&app, "login", "").await;
    send(&app, "everywhere", &second).await;
    let (_, same_second) = send(&app, "login", "").await;
    clock.advance(1);
    let (_, later) = send(&app, "login", "").await;
    let mut alive = Vec::new();
    for cookie in [&first, &second, &same_second, &later] {
        alive.push(send(&app, "who", cookie).await.0);
    }
    assert_eq!(alive, ["-", "-", "alice", "alice"]);
}
