//! The removal of expired sessions in the background.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use carafe::id::{PublicId, SessionId};
use carafe::store::{MemoryStore, Record, SessionStore as _};
use carafe::{Clock, SecretKey, Session, SessionLayer};
use support::{Client, NOW};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Waits until the store is empty.
async fn is_swept(store: &MemoryStore) {
    let swept = async {
        while !store.is_empty() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(PATIENCE, swept).await.is_ok(), "expired sessions are never removed");
}

/// A session that ended two days ago.
async fn add_expired(store: &MemoryStore) {
    let began = NOW - 2 * 86_400;
    let record = Record::new(PublicId::random().unwrap(), began.into(), 60, 600);
    assert!(
        store.create(&SessionId::random().unwrap().hash(), &record, began.into()).await.unwrap()
    );
}

/// A layer in a `static` serves each `#[tokio::test]` in a runtime of its own.
#[test]
fn the_sweep_starts_again_in_the_next_runtime() {
    let store = Arc::new(MemoryStore::new());
    let key = SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let every = Duration::from_millis(5);
    let layer =
        SessionLayer::stored(Arc::clone(&store), key).unwrap().with_clock(Clock::fixed(NOW));
    let layer = layer.configure(|config| config.sweep_interval(every)).unwrap();
    let app = Router::new().route("/", get(async |_: Session| "")).layer(layer);
    for _ in 0..3 {
        runtime().block_on(async {
            add_expired(&store).await;
            assert_eq!(Client::new(app.clone()).get("/").await.status, 200);
            is_swept(&store).await;
        });
    }
}
