//! The parts of a response that an error page replaces, if other layers have changed or cancelled
//! the response.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use carafe::{Error, ErrorPage, SecretKey, SessionLayer};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::Full;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::{App, TEXT, TOO_SLOW, csrf, get, send, sessions};

fn request(path: &str) -> Request<Full<Bytes>> {
    get(path).header(ACCEPT_ENCODING, "gzip").body(Full::default()).unwrap()
}

/// Sessions whose page for an error is worth compressing.
fn with_long_page() -> SessionLayer {
    let key = SecretKey::new("a key for these tests, long and random").unwrap();
    SessionLayer::signed(key)
        .unwrap()
        .on_error(|_: &Error| -> ErrorPage { (StatusCode::INTERNAL_SERVER_ERROR, TEXT).into() })
}

fn inflate(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_page_replaces_a_compressed_body_and_its_encoding() {
    let stack = ServiceBuilder::new().layer(with_long_page()).layer(CompressionLayer::new());
    let service = stack.service(App::new(Full::new));
    let page = send(&service, request("/page")).await;
    assert_eq!(page.header(CONTENT_ENCODING), "gzip");
    assert_eq!(inflate(&page.bytes), TEXT);
    let wrong = send(&service, request("/wrong")).await;
    assert_eq!((wrong.status, wrong.text()), (500, TEXT));
    assert_eq!(wrong.header(CONTENT_ENCODING), "");
}

#[tokio::test]
async fn a_page_is_compressed_above_the_layer() {
    let stack = ServiceBuilder::new().layer(CompressionLayer::new()).layer(with_long_page());
    let wrong = send(&stack.service(App::new(Full::new)), request("/wrong")).await;
    assert_eq!((wrong.status, wrong.header(CONTENT_ENCODING)), (500, "gzip"));
    assert_eq!(inflate(&wrong.bytes), TEXT);
    assert!(wrong.cookies().starts_with("__Host-session="));
}

#[tokio::test]
async fn a_panic_that_is_caught_below_is_an_answer_like_others() {
    for sessions in sessions() {
        let stack = ServiceBuilder::new().layer(sessions).layer(csrf());
        let service = stack.layer(CatchPanicLayer::new()).service(App::new(Full::new));
        let answer = send(&service, request("/panic")).await;
        assert_eq!((answer.status, answer.text()), (500, "Service panicked"));
    }
}

#[tokio::test]
async fn a_timeout_answers_above_and_below() {
    for sessions in sessions() {
        let timeout = TimeoutLayer::with_status_code(TOO_SLOW, Duration::from_millis(20));
        let above = ServiceBuilder::new().layer(timeout).layer(sessions.clone()).layer(csrf());
        let answer = send(&above.service(App::new(Full::new)), request("/slow")).await;
        assert_eq!((answer.status, answer.text()), (503, ""));
        let below = ServiceBuilder::new().layer(sessions).layer(csrf()).layer(timeout);
        let answer = send(&below.service(App::new(Full::new)), request("/slow")).await;
        assert_eq!((answer.status, answer.text()), (503, ""));
    }
}

/// As documented: inside, the timeout is an answer of the handler's like others.
#[tokio::test]
async fn a_timeout_outside_saves_nothing_of_a_cancelled_handler() {
    let timeout = || TimeoutLayer::with_status_code(TOO_SLOW, Duration::from_millis(20));
    for sessions in sessions() {
        let above = ServiceBuilder::new().layer(timeout()).layer(sessions.clone());
        let answer = send(&above.service(App::new(Full::new)), request("/slow")).await;
        assert_eq!((answer.status, answer.cookies().as_str()), (503, ""));
        let below = ServiceBuilder::new().layer(sessions).layer(timeout());
        let answer = send(&below.service(App::new(Full::new)), request("/slow")).await;
        assert_eq!(answer.status, 503);
        assert!(answer.cookies().starts_with("__Host-session="));
    }
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused_above_and_below() {
    for sessions in sessions() {
        let limit = RequestBodyLimitLayer::new(10);
        let order = || {
            let form = Request::post("/order").header(CONTENT_LENGTH, "11");
            let form = form.header("origin", crate::app::HOME);
            let form = form.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            form.body(Full::from("csrf_token=")).unwrap()
        };
        let above = ServiceBuilder::new().layer(limit).layer(sessions.clone()).layer(csrf());
        let answer = send(&above.service(App::new(Full::new)), order()).await;
        assert_eq!((answer.status, answer.text()), (413, "length limit exceeded"));
        let below = ServiceBuilder::new().layer(sessions).layer(csrf().exempt(|_| true));
        let answer = send(&below.layer(limit).service(App::new(Full::new)), order()).await;
        assert_eq!((answer.status, answer.text()), (413, "length limit exceeded"));
    }
}
