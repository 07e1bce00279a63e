//! Two requests that read and then write one key of a session in a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::{Clock, Error, SecretKey, Session, SessionLayer};
use tokio::sync::Barrier;

use crate::support::{Client, Log, NOW};

/// A site whose `/slow` reads a number, waits for a request to `/meanwhile`, and then writes.
fn site(reads: bool) -> Router {
    let key = SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let layer =
        SessionLayer::stored(MemoryStore::new(), key).unwrap().with_clock(Clock::fixed(NOW));
    let turns = Arc::new(Barrier::new(2));
    let others = Arc::clone(&turns);
    let slow = async move |session: Session| {
        let n = if reads { session.get::<u64>("n")? } else { None };
        turns.wait().await;
        turns.wait().await;
        session.insert("n", n.unwrap_or(0) + 1)
    };
    let meanwhile = async move |session: Session| {
        others.wait().await;
        session.insert("n", 10)?;
        session.save().await?;
        others.wait().await;
        Ok::<_, Error>(())
    };
    let look =
        async |session: Session| session.get::<u64>("n").map(|n| n.unwrap_or_default().to_string());
    Router::new()
        .route("/begin", get(async |session: Session| session.insert("n", 1)))
        .route("/slow", get(slow))
        .route("/meanwhile", get(meanwhile))
        .route("/look", get(look))
        .layer(layer)
}

/// Returns the log after both requests, and the final number.
async fn race(reads: bool) -> (Vec<String>, String) {
    let mut client = Client::new(site(reads));
    client.get("/begin").await;
    let mut other = Client::new(client.app.clone());
    other.cookies = client.cookies.clone();
    let log = Log::capture();
    let (slow, meanwhile) = tokio::join!(client.get("/slow"), other.get("/meanwhile"));
    assert_eq!((slow.status.as_u16(), meanwhile.status.as_u16()), (200, 200));
    let conflicts = |line: &String| line.contains("session.conflict");
    let lines = log.lines().into_iter().filter(conflicts).collect();
    (lines, client.get("/look").await.text)
}

#[tokio::test]
async fn the_log_tells_of_a_change_that_was_overwritten() {
    let (lines, n) = race(true).await;
    assert_eq!(n, "2", "the later write stands");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.contains("WARN") && line.contains("`update`"), "{line}");
}

#[tokio::test]
async fn the_log_says_nothing_where_nobody_had_read_it() {
    let (lines, n) = race(false).await;
    assert_eq!((lines, n.as_str()), (Vec::new(), "1"));
}

/// The value that the handler saw is saved, unless another request came first.
#[tokio::test]
async fn a_function_is_called_again_only_where_another_came_first() {
    let key = SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let layer =
        SessionLayer::stored(MemoryStore::new(), key).unwrap().with_clock(Clock::fixed(NOW));
    let (calls, turns) = (Arc::new(AtomicU64::new(0)), Arc::new(Barrier::new(2)));
    let counted = Arc::clone(&calls);
    let count = async move |session: Session| {
        let counted = Arc::clone(&counted);
        let change = move |n: Option<u64>| {
            counted.fetch_add(1, Ordering::SeqCst);
            n.unwrap_or(0) + 1
        };
        session.update("n", change).map(|n| n.to_string())
    };
    let (slowly, begun) = (count.clone(), Arc::clone(&turns));
    let slow = async move |session: Session| {
        let told = slowly(session).await;
        begun.wait().await;
        begun.wait().await;
        told
    };
    let app = Router::new().route("/count", get(count)).route("/slow", get(slow)).layer(layer);
    let mut client = Client::new(app);
    for n in 1..=3 {
        assert_eq!(client.get("/count").await.text, n.to_string());
        assert_eq!(calls.swap(0, Ordering::SeqCst), 1);
    }
    let mut other = Client::new(client.app.clone());
    other.cookies = client.cookies.clone();
    let meanwhile = async {
        turns.wait().await;
        let answer = client.get("/count").await;
        turns.wait().await;
        answer
    };
    let (slow, quick) = tokio::join!(other.get("/slow"), meanwhile);
    assert_eq!((slow.text.as_str(), quick.text.as_str()), ("4", "4"));
    assert_eq!(calls.swap(0, Ordering::SeqCst), 3);
    assert_eq!(client.get("/count").await.text, "6");
}
