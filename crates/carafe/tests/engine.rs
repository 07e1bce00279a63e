//! The engine without a framework: from `Cookie` lines to the header lines of the response.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::error::Error as _;

use carafe::engine::{Committed, Sessions};
use carafe::store::MemoryStore;
use carafe::value::Value;
use carafe::{Clock, Config, Error, ErrorKind, SecretKey, Session};

const NOW: u64 = 1_700_000_000;
const NONE: [&str; 0] = [];

fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

fn in_cookies() -> Sessions {
    Sessions::new(key(), Config::flask()).unwrap().with_clock(Clock::fixed(NOW))
}

fn in_a_store(change: impl FnOnce(Config) -> Config) -> Sessions {
    let sessions = Sessions::new(key(), change(Config::hardened())).unwrap();
    sessions.with_clock(Clock::fixed(NOW)).in_store(MemoryStore::new())
}

fn lines(committed: &Committed) -> Vec<(&str, String)> {
    committed
        .lines()
        .map(|(name, value)| (name, String::from_utf8(value.to_vec()).unwrap()))
        .collect()
}

/// Returns the cookie that a browser sends back.
fn cookie(committed: &Committed) -> String {
    let lines = lines(committed);
    let (_, set) = lines.iter().find(|(name, _)| *name == "set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

/// Begins a session, and returns its cookie.
async fn begin(sessions: &Sessions, json: &[u8]) -> String {
    let request = sessions.request(NONE);
    Session::open(&request).await.unwrap().replace_tagged_json(json).unwrap();
    cookie(&request.commit().await.unwrap())
}

#[test]
fn a_request_that_never_opens_its_session_depends_on_no_cookie() {
    let sessions = in_cookies();
    assert_eq!(lines(&sessions.request(["session=x"]).commit_now().unwrap()), []);
    let request = sessions.request(["session=x"]);
    Session::open_now(&request).unwrap();
    assert_eq!(lines(&request.commit_now().unwrap()), [("vary", "Cookie".to_owned())]);
}

#[test]
fn the_first_of_several_cookie_lines_counts_and_no_line_is_a_failure() {
    let sessions = in_cookies();
    let request = sessions.request(NONE);
    Session::open_now(&request).unwrap().insert("n", 1).unwrap();
    let cookie = cookie(&request.commit_now().unwrap());
    let lines = [b"theme=dark".to_vec(), b"bad\n".to_vec(), cookie.into_bytes(), b"\xff".to_vec()];
    let session = Session::open_now(&sessions.request(lines)).unwrap();
    assert_eq!(session.get::<i64>("n").unwrap(), Some(1));
}

#[test]
fn a_request_that_is_dropped_saves_nothing_and_closes_its_session() {
    let request = in_cookies().request(NONE);
    let session = Session::open_now(&request).unwrap();
    session.insert("n", 1).unwrap();
    drop(request);
    assert_eq!(session.insert("n", 2).unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test]
async fn what_needs_a_store_says_so() {
    let request = in_a_store(|config| config).request(NONE);
    assert_eq!(Session::open_now(&request).unwrap_err().kind(), ErrorKind::Setting);
    let error = request.commit_now().unwrap_err();
    assert!(error.to_string().contains("Request::commit"), "{error}");
}

#[tokio::test]
async fn the_content_goes_in_and_out_as_it_is() {
    for sessions in [in_cookies(), in_a_store(|config| config)] {
        let json = br#"{"a":{" t":[1,"x"]},"b":0.5,"n":12345678901234567890}"#;
        let cookie = begin(&sessions, json).await;
        let request = sessions.request([&cookie]);
        let session = Session::open(&request).await.unwrap();
        assert_eq!(session.to_tagged_json().unwrap(), json);
        session.replace_tagged_json(br#"{"c":1}"#).unwrap();
        session.insert("d", 2).unwrap();
        assert_eq!(session.to_tagged_json().unwrap(), br#"{"c":1,"d":2}"#);
        assert!(session.replace_tagged_json(b"[1]").is_err() && session.len() == 2);
        let committed = request.commit().await.unwrap();
        let is_set = lines(&committed).iter().any(|(name, _)| *name == "set-cookie");
        let cookie = if is_set { crate::cookie(&committed) } else { cookie };
        let session = Session::open(&sessions.request([cookie])).await.unwrap();
        assert_eq!(session.to_tagged_json().unwrap(), br#"{"c":1,"d":2}"#);
    }
}

#[test]
fn who_is_logged_in_is_no_part_of_a_content_that_is_replaced() {
    let request = in_cookies().request(NONE);
    let session = Session::open_now(&request).unwrap();
    session.replace_tagged_json(br#"{"_carafe_user":"eve","n":1}"#).unwrap();
    assert_eq!((session.user(), session.len()), (None, 1));
    session.login("ada").unwrap();
    session.replace_tagged_json(br#"{"_carafe_user":"eve"}"#).unwrap();
    assert_eq!(session.user().as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_strict_layer_refuses_a_write_over_a_value_that_was_not_seen() {
    let sessions = in_a_store(|config| config.strict(true));
    let cookie = begin(&sessions, br#"{"n":1}"#).await;
    for (seen, kind) in
        [(Some(Value::from(1)), Some(ErrorKind::Conflict)), (Some(Value::from(2)), None)]
    {
        let request = sessions.request([&cookie]);
        let session = Session::open(&request).await.unwrap();
        let other = sessions.request([&cookie]);
        Session::open(&other).await.unwrap().insert("n", 2).unwrap();
        assert!(other.commit().await.unwrap().error().is_none());
        session.insert_over("n", seen, 3).unwrap();
        assert_eq!(request.commit().await.err().map(|error| error.kind()), kind);
    }
}

#[tokio::test]
async fn an_update_that_fails_changes_nothing_and_keeps_its_error() {
    let sessions = in_a_store(|config| config);
    let cookie = begin(&sessions, br#"{"n":3}"#).await;
    let take = |n: Option<i64>| match n.unwrap_or(0) - 2 {
        rest @ 0.. => Ok(rest),
        _ => Err(Error::from_application(std::io::Error::other("too little"))),
    };
    let request = sessions.request([&cookie]);
    let session = Session::open(&request).await.unwrap();
    assert_eq!(session.try_update("n", take).unwrap(), 1);
    let error = session.try_update("n", take).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Application);
    assert_eq!(error.source().unwrap().to_string(), "too little");
    // The value that another request leaves is too small when the change is saved.
    let other = sessions.request([&cookie]);
    Session::open(&other).await.unwrap().insert("n", 1).unwrap();
    assert!(other.commit().await.unwrap().error().is_none());
    let error = request.commit().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.source().unwrap().to_string()),
        (ErrorKind::Application, "too little".to_owned())
    );
    let session = Session::open(&sessions.request([&cookie])).await.unwrap();
    assert_eq!(session.get::<i64>("n").unwrap(), Some(1));
}

#[tokio::test]
async fn a_hardened_cookie_is_kept_out_of_caches() {
    let sessions = in_a_store(|config| config);
    let request = sessions.request(NONE);
    Session::open(&request).await.unwrap().login("ada").unwrap();
    let committed = request.commit().await.unwrap();
    let names: Vec<_> = lines(&committed).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["vary", "set-cookie", "cache-control"]);
    assert_eq!(sessions.users().unwrap().list("ada").await.unwrap().len(), 1);
}
