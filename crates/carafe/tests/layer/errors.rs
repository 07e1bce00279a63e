//! Errors as responses: the visitor's page, the log, and the saved session.

use axum::Router;
use axum::http::header::{SET_COOKIE, VARY};
use axum::http::{HeaderName, Response, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use carafe::{Error, ErrorKind, Named, Session};

use crate::support::{Client, Log, flask};

#[tokio::test]
async fn a_session_is_saved_whatever_the_handler_answers() {
    for status in [200, 204, 302, 400, 404, 422, 500, 503] {
        let handler = async move |session: Session| -> Result<StatusCode, Error> {
            session.insert("a", 1)?;
            Ok(StatusCode::from_u16(status).unwrap())
        };
        let app = Router::new().route("/", get(handler)).layer(flask());
        let answer = Client::new(app).get("/").await;
        assert_eq!(answer.status, status);
        assert!(answer.set_cookie().is_some(), "{status}");
    }
}

/// Changes the session and then reads it wrongly.
async fn fail(session: Session) -> Result<(), Error> {
    session.insert("name", "admin")?;
    session.get::<i64>("name")?;
    Ok(())
}

#[tokio::test]
async fn the_plain_page_says_nothing_and_the_log_says_all_but_values() {
    let log = Log::capture();
    let app = Router::new().route("/", get(fail)).layer(flask());
    let answer = Client::new(app).get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (500, "Internal Server Error"));
    assert_eq!(answer.one("content-type"), Some("text/plain; charset=utf-8"));
    assert!(answer.set_cookie().is_some(), "what was changed before the error is saved");
    let line = log.line();
    assert!(line.contains("ERROR") && line.contains("event=\"session.failed\""), "{line}");
    assert!(line.contains(r#"the session's key "name": expected i64, found str"#), "{line}");
    assert!(!line.contains("admin"));
}

async fn fail_with_headers(session: Session) -> impl IntoResponse {
    let headers = AppendHeaders([
        (SET_COOKIE, "theme=dark"),
        (VARY, "Origin"),
        (HeaderName::from_static("access-control-allow-origin"), "https://example.com"),
        (HeaderName::from_static("x-of-the-handlers-page"), "1"),
    ]);
    (headers, fail(session).await.unwrap_err())
}

#[tokio::test]
async fn on_error_makes_the_page_for_a_handlers_error() {
    let layer = flask().on_error(|error| {
        assert_eq!(error.kind(), ErrorKind::Type);
        let page = Response::builder().status(error.status()).header("content-type", "text/html");
        page.body("<h1>Sorry</h1>").unwrap()
    });
    let app = Router::new().route("/", get(fail_with_headers)).layer(layer);
    let answer = Client::new(app).get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (500, "<h1>Sorry</h1>"));
    assert_eq!(answer.all("content-type"), ["text/html"]);
    // The response's other cookies are kept, and the session is saved.
    assert_eq!(answer.all("set-cookie").len(), 2);
    assert_eq!(answer.all("set-cookie")[0], "theme=dark");
    assert_eq!(answer.vary(), Some("Origin, Cookie"));
    assert_eq!(answer.one("access-control-allow-origin"), Some("https://example.com"));
    assert_eq!(answer.one("x-of-the-handlers-page"), None);
}

#[tokio::test]
async fn without_on_error_the_handlers_own_response_stands() {
    async fn teapot(session: Session) -> Response<axum::body::Body> {
        let mut response = fail_with_headers(session).await.into_response();
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
    }
    let app = Router::new().route("/", get(teapot)).layer(flask());
    let answer = Client::new(app).get("/").await;
    assert_eq!(answer.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.one("x-of-the-handlers-page"), Some("1"));
    assert_eq!(answer.one("content-length"), Some("21"));
}

#[tokio::test]
async fn a_page_may_be_a_status_and_a_text() {
    let layer = flask().on_error(|_| (StatusCode::BAD_GATEWAY, String::from("Sorry")));
    let answer = Client::new(Router::new().route("/", get(fail)).layer(layer)).get("/").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (502, "Sorry"));
    assert_eq!(answer.one("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn the_inner_of_two_layers_makes_the_page() {
    let page = |text: &'static str| move |_: &Error| (StatusCode::INTERNAL_SERVER_ERROR, text);
    let named = || flask().configure(|config| config.cookie_name("outer").salt("outer")).unwrap();
    let routes = || Router::new().route("/", get(fail));
    let both =
        routes().layer(flask().on_error(page("inner"))).layer(named().on_error(page("outer")));
    assert_eq!(Client::new(both).get("/").await.text, "inner");
    let outer = routes().layer(flask()).layer(named().on_error(page("outer")));
    assert_eq!(Client::new(outer).get("/").await.text, "outer");
}

struct Admin;

#[tokio::test]
async fn without_the_layer_the_log_names_the_missing_line() {
    let log = Log::capture();
    let app = Router::new()
        .route("/", get(async |session: Session| session.len().to_string()))
        .route("/lazy", get(async |_session: carafe::LazySession| ""));
    for path in ["/", "/lazy"] {
        let answer = Client::new(app.clone()).get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (500, "Internal Server Error"));
    }
    for line in log.lines() {
        assert!(line.contains("ERROR") && line.contains("kind=NoLayer"), "{line}");
        assert!(line.contains("add `.layer(SessionLayer::flask(key))` to the router"), "{line}");
        assert!(line.contains("the layer that is added last is outermost"), "{line}");
    }
    assert_eq!(log.lines().len(), 2);
    drop(log);

    // A layer without that name is not enough.
    let log = Log::capture();
    let app = Router::new().route("/", get(async |_: Named<Admin>| "")).layer(flask());
    assert_eq!(Client::new(app).get("/").await.status, 500);
    let line = log.line();
    assert!(line.contains("errors::Admin"), "{line}");
    assert!(line.contains(".named::<"), "{line}");
}

/// A layer covers only the routes that were added before it.
#[tokio::test]
async fn a_route_added_after_the_layer_has_none() {
    let handler = async |session: Session| session.len().to_string();
    let app = Router::new().route("/", get(handler)).layer(flask()).route("/late", get(handler));
    let mut client = Client::new(app);
    assert_eq!(client.get("/").await.status, 200);
    assert_eq!(client.get("/late").await.status, 500);
}
