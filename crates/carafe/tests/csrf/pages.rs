//! The response to a refused request, and to a request without the layer.

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::{ErrorKind, SessionLayer};
use http::Response;

use crate::log::Log;
use crate::visitor::{Runs, Visitor, csrf, key, routes};

fn forged() -> http::request::Builder {
    Request::post("/do").header("origin", "https://evil.example")
}

#[tokio::test]
async fn without_a_page_the_reason_is_told() {
    let answer = Visitor::new(SessionLayer::flask(key())).send(forged(), "").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("Origin is not one of this site's"), "{}", answer.text);
    assert!(!answer.text.contains("evil"), "what the attacker sent is told back");
}

#[tokio::test]
async fn the_session_layers_page_is_for_this_too() {
    let layer = SessionLayer::flask(key()).on_error(|error| {
        assert_eq!(error.kind(), ErrorKind::Csrf);
        (error.status(), "please reload")
    });
    let answer = Visitor::new(layer).send(forged(), "").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (403, "please reload"));
}

#[tokio::test]
async fn the_layer_can_have_a_page_of_its_own() {
    let sessions = SessionLayer::flask(key()).on_error(|_| (StatusCode::IM_A_TEAPOT, "not this"));
    let csrf = csrf().on_error(|error| {
        Response::builder().status(error.status()).header("x-page", "own").body("own").unwrap()
    });
    let answer = Visitor::with(sessions, csrf).send(forged(), "").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (403, "own"));
    assert_eq!(answer.all("x-page"), ["own"]);
}

#[tokio::test]
async fn the_layers_the_wrong_way_round_are_an_error_and_no_hole() {
    let runs = Runs::default();
    let app = routes(&runs).layer(SessionLayer::flask(key())).layer(csrf());
    let mut visitor = Visitor { app, runs, cookies: Default::default() };
    let log = Log::capture();
    for request in [forged(), Request::get("/plain")] {
        assert_eq!(visitor.send(request, "").await.status, 500);
    }
    assert_eq!(visitor.runs.take(), 0);
    for line in log.lines() {
        assert!(line.contains("kind=NoLayer") && line.contains("the order is wrong"), "{line}");
        assert!(line.contains("`.layer(csrf).layer(sessions)`"), "{line}");
        assert!(line.contains("`.wrap(csrf).wrap(sessions)`"), "{line}");
    }
    assert_eq!(log.lines().len(), 2);
}

#[tokio::test]
async fn without_the_layer_there_is_no_token() {
    let app = Router::new().route("/token", get(async |csrf: Csrf| csrf.token())).layer(
        SessionLayer::flask(key()).on_error(|error| {
            assert_eq!(error.kind(), ErrorKind::NoLayer);
            (error.status(), error.to_string())
        }),
    );
    let mut visitor = Visitor { app, runs: Runs::default(), cookies: Default::default() };
    let answer = visitor.send(Request::get("/token"), "").await;
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains("CsrfLayer::new"), "{}", answer.text);
}

#[test]
fn an_origin_that_no_browser_sends_is_an_error_at_start() {
    for origin in ["https://shop.example/", "shop.example", "null", "*", "https://Shop.example"] {
        let error = CsrfLayer::new([origin]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Setting);
        assert!(error.to_string().contains(origin), "{error}");
    }
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    visitor.token().await;
    let secret = visitor.cookies["session_csrf"].split('.').next().unwrap().to_owned();
    assert_eq!(secret.len(), 43);
    let page = visitor.get("/field").await.text;
    assert!(!page.contains(&secret), "the page has the secret, unmasked");
    assert!(!format!("{:?}", csrf()).contains("key"));
}
