//! Cookies that are too large.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use carafe::config::Compression;
use carafe::{Error, ErrorKind, Session, SessionLayer};

use crate::support::{Client, Log, flask};

async fn write(session: Session, Path(length): Path<usize>) -> Result<impl IntoResponse, Error> {
    session.insert("data", "x".repeat(length))?;
    Ok(AppendHeaders([(SET_COOKIE, "theme=dark")]))
}

async fn read(session: Session) -> Result<String, Error> {
    Ok(session.get::<String>("data")?.map_or(0, |data| data.len()).to_string())
}

fn browser(layer: SessionLayer) -> Client {
    let layer = layer.configure(|config| config.compression(Compression::Never)).unwrap();
    Client::new(Router::new().route("/{length}", get(write)).route("/", get(read)).layer(layer))
}

/// The greatest length whose cookie is sent.
const FITS: usize = 3029;

#[tokio::test]
async fn what_browsers_would_drop_is_an_error_and_the_old_cookie_stays() {
    let mut client = browser(flask());
    client.get("/10").await;
    let old = client.cookies["session"].clone();
    let log = Log::capture();
    let answer = client.get(&format!("/{}", FITS + 1)).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (500, "Internal Server Error"));
    assert_eq!(answer.all("set-cookie"), ["theme=dark"]);
    assert_eq!(answer.vary(), Some("Cookie"));
    let line = log.line();
    assert!(line.contains("ERROR") && line.contains("kind=CookieTooLarge"), "{line}");
    assert!(line.contains("4096") && line.contains("the old cookie stays"), "{line}");
    assert_eq!(client.cookies["session"], old);
    assert_eq!(client.get("/").await.text, "10");
}

#[tokio::test]
async fn the_limit_is_4096_for_name_and_value() {
    let mut client = browser(flask());
    let log = Log::capture();
    let answer = client.get(&format!("/{FITS}")).await;
    assert_eq!(answer.status, 200);
    let line = answer.all("set-cookie")[1];
    let pair = line.split(';').next().unwrap();
    assert_eq!(pair.len() - "=".len(), 4096);
    assert_eq!(client.get("/").await.text, FITS.to_string());
    // Flask's own limit is for the whole header, and is a warning.
    assert!(line.len() > 4093);
    let warning = log.line();
    assert!(warning.contains("WARN") && warning.contains("session.large_cookie"), "{warning}");
    assert!(warning.contains(&format!("size={} limit=4093", line.len())), "{warning}");
}

#[tokio::test]
async fn on_error_makes_the_page_for_what_cant_be_saved() {
    let mut client = browser(flask().on_error(|error| match error.kind() {
        ErrorKind::CookieTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "That is too much"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "Sorry"),
    }));
    let answer = client.get("/4000").await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (413, "That is too much"));
    assert_eq!(answer.all("set-cookie"), ["theme=dark"]);
    assert_eq!(answer.vary(), Some("Cookie"));
}

/// Turning Flask's warning off doesn't make browsers keep more.
#[tokio::test]
async fn max_cookie_size_0_leaves_the_browsers_limit() {
    let layer = flask().configure(|config| config.max_cookie_size(0)).unwrap();
    let mut client = browser(layer);
    let log = Log::capture();
    assert_eq!(client.get(&format!("/{FITS}")).await.status, 200);
    assert_eq!(log.lines(), Vec::<String>::new());
    assert_eq!(client.get(&format!("/{}", FITS + 1)).await.status, 500);
}
