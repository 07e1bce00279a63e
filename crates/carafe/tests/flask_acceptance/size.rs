//! `MAX_COOKIE_SIZE`: `test_basic.py`.

use axum::Router;
use axum::routing::get;
use carafe::Session;

use crate::support::{Client, Log, flask};

/// Text that deflate can't shorten much.
fn noise(length: usize) -> String {
    let mut state = 1u64;
    let characters = (0..length).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (state >> 57) as u8 % 90)
    });
    characters.filter(|c| !"\"\\".contains(*c)).collect()
}

fn browser(limit: Option<usize>, length: usize) -> Client {
    let layer = flask()
        .configure(|config| match limit {
            Some(limit) => config.max_cookie_size(limit),
            None => config,
        })
        .unwrap();
    let handler = async move |session: Session| session.insert("foo", noise(length));
    Client::new(Router::new().route("/", get(handler)).layer(layer))
}

#[tokio::test]
async fn test_max_cookie_size() {
    let log = Log::capture();
    let answer = browser(Some(100), 300).get("/").await;
    assert!(answer.set_cookie().is_some(), "it is sent with a warning");
    let line = log.line();
    assert!(line.contains("WARN") && line.contains("larger than MAX_COOKIE_SIZE"), "{line}");
    drop(log);

    let log = Log::capture();
    assert!(browser(Some(0), 300).get("/").await.set_cookie().is_some());
    // The default is 4093.
    assert!(browser(None, 300).get("/").await.set_cookie().is_some());
    assert_eq!(log.lines(), Vec::<String>::new());
}
