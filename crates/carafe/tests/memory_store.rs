//! A store in memory: when it is full, and how long sessions in it live.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::record::{Record, State};
use carafe::store::{StoreErrorKind, Updated, Version};
use carafe::{Clock, Error, MemoryStore, SecretKey, Session, SessionLayer, SessionStore as _};
use support::{Client, Log, NOW};

const IDLE: u64 = 3_600;
const CAPACITY: usize = 200;

fn record(user: Option<&str>, now: u64) -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), now, IDLE, 10 * IDLE);
    record.user = user.map(str::to_owned);
    record
}

async fn create(store: &MemoryStore, record: &Record, now: u64) -> SessionIdHash {
    let id = SessionId::random().unwrap().hash();
    assert!(store.create(&id, record, now).await.unwrap());
    id
}

async fn are_there(store: &MemoryStore, ids: &[SessionIdHash]) -> usize {
    let mut there = 0;
    for id in ids {
        there += usize::from(store.load(id, NOW).await.unwrap().is_some());
    }
    there
}

async fn fill(store: &MemoryStore, user: Option<&str>, now: u64) -> Vec<SessionIdHash> {
    let mut ids = Vec::new();
    while store.len() < CAPACITY {
        ids.push(create(store, &record(user, now), now).await);
    }
    ids
}

#[tokio::test]
async fn a_full_store_drops_what_has_expired_first() {
    let store = MemoryStore::with_capacity(CAPACITY);
    let mut expired = Vec::new();
    for _ in 0..CAPACITY / 2 {
        // Also those of users.
        expired.push(create(&store, &record(Some("ada"), NOW - IDLE), NOW - IDLE).await);
    }
    let anonymous = fill(&store, None, NOW).await;
    let new = create(&store, &record(None, NOW), NOW).await;
    assert_eq!(are_there(&store, &expired).await, 0);
    assert_eq!(are_there(&store, &anonymous).await, anonymous.len(), "there was room enough");
    assert_eq!(are_there(&store, &[new]).await, 1);
    assert_eq!(store.len(), anonymous.len() + 1);
}

#[tokio::test]
async fn a_full_store_drops_anonymous_sessions_then() {
    let store = MemoryStore::with_capacity(CAPACITY);
    let mut users = Vec::new();
    for _ in 0..CAPACITY / 2 {
        users.push(create(&store, &record(Some("ada"), NOW), NOW).await);
    }
    let anonymous = fill(&store, None, NOW).await;
    for _ in 0..CAPACITY / 4 {
        users.push(create(&store, &record(Some("bob"), NOW), NOW).await);
    }
    assert_eq!(store.len(), CAPACITY);
    assert_eq!(are_there(&store, &users).await, users.len());
    assert_eq!(are_there(&store, &anonymous).await, CAPACITY - users.len());
    assert_eq!(store.list_for_user("bob", NOW).await.unwrap().len(), CAPACITY / 4);
}

#[tokio::test]
async fn a_full_store_never_drops_a_session_that_somebody_is_logged_in_to() {
    let store = MemoryStore::with_capacity(CAPACITY);
    let users = fill(&store, Some("ada"), NOW).await;
    let log = Log::capture();
    for user in [None, Some("bob")] {
        let id = SessionId::random().unwrap().hash();
        let error = store.create(&id, &record(user, NOW), NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Full);
        assert_eq!(are_there(&store, &[id]).await, 0);
    }
    assert_eq!(log.lines().iter().filter(|line| line.contains("store.full")).count(), 2);
    assert_eq!((are_there(&store, &users).await, store.len()), (CAPACITY, CAPACITY));
    // What is there can be written, and what goes makes room.
    let mut changed = record(Some("ada"), NOW);
    changed.data = br#"{"a":1}"#.to_vec();
    let updated = store.update(&users[0], Version(1), &changed, NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    store.delete(&users[1], None).await.unwrap();
    create(&store, &record(None, NOW), NOW).await;
    // So does what expires.
    let later = NOW + IDLE;
    create(&store, &record(Some("bob"), later), later).await;
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn a_flood_of_anonymous_visitors_stays_within_the_capacity() {
    let store = Arc::new(MemoryStore::with_capacity(CAPACITY));
    let mut users = Vec::new();
    for _ in 0..CAPACITY / 4 {
        users.push(create(&store, &record(Some("ada"), NOW), NOW).await);
    }
    let floods: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for second in 0..5_000 {
                    create(&store, &record(None, NOW + second / 100), NOW + second / 100).await;
                    // Each of the four may have taken a place that it is about to make free.
                    assert!(store.len() <= CAPACITY + 4);
                }
            })
        })
        .collect();
    for flood in floods {
        flood.await.unwrap();
    }
    assert_eq!(store.len(), CAPACITY);
    assert_eq!(are_there(&store, &users).await, users.len());
}

#[tokio::test]
async fn a_flood_leaves_the_old_id_of_a_renewed_session_alone() {
    let store = MemoryStore::with_capacity(CAPACITY);
    let old = create(&store, &record(Some("ada"), NOW), NOW).await;
    let new = create(&store, &record(Some("ada"), NOW), NOW).await;
    let mut pointer = record(None, NOW);
    (pointer.idle_expires, pointer.state) = (NOW + 70, State::Moved { to: new, until: NOW + 10 });
    store.update(&old, Version(1), &pointer, NOW).await.unwrap();
    for _ in 0..10 * CAPACITY {
        create(&store, &record(None, NOW), NOW).await;
    }
    assert_eq!(are_there(&store, &[old, new]).await, 2);
    assert_eq!(store.len(), CAPACITY);
}

/// A site on a store.
fn site(store: Arc<MemoryStore>, clock: &Clock) -> Router {
    async fn act(session: Session, Path(act): Path<String>) -> Result<String, Error> {
        match act.as_str() {
            "login" => session.login("ada")?,
            "write" => session.insert("n", 1)?,
            _ => {}
        }
        Ok(session.user().unwrap_or_default())
    }
    let key = SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let layer = SessionLayer::stored(store, key).unwrap().with_clock(clock.clone());
    let layer = layer.configure(|config| config.renew_after(Duration::from_secs(100))).unwrap();
    Router::new()
        .route("/{act}", get(act))
        .route("/static/logo", get(async || "no session"))
        .layer(layer)
}

#[tokio::test]
async fn visitors_of_a_full_store_get_a_503_and_users_notice_nothing() {
    let (store, clock) = (Arc::new(MemoryStore::with_capacity(CAPACITY)), Clock::fixed(NOW));
    let app = site(Arc::clone(&store), &clock);
    let mut user = Client::new(app.clone());
    assert_eq!(user.get("/login").await.status, 200);
    fill(&store, Some("bob"), NOW).await;
    let log = Log::capture();
    let mut visitor = Client::new(app);
    for path in ["/write", "/login"] {
        let answer = visitor.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.set_cookie()), (503, None));
    }
    assert!(log.lines().iter().any(|line| line.contains("store.full")));
    assert_eq!(visitor.get("/read").await.status, 200);
    assert_eq!(visitor.get("/static/logo").await.status, 200);
    // Renewals wait until there is room.
    clock.advance(100);
    for path in ["/read", "/write", "/read"] {
        let answer = user.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "ada"));
        assert_eq!(answer.set_cookie(), None);
    }
    let bob = store.list_for_user("bob", NOW).await.unwrap().swap_remove(0).0;
    store.delete(&bob, None).await.unwrap();
    assert!(user.get("/read").await.set_cookie().is_some());
    assert_eq!(user.get("/read").await.text, "ada");
}

#[tokio::test]
async fn flasks_lifetime_bounds_how_long_a_session_may_be_idle() {
    async fn count(session: Session) -> Result<String, Error> {
        session.set_permanent(true)?;
        Ok(session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?.to_string())
    }
    let key = SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let clock = Clock::fixed(NOW);
    let layer = SessionLayer::stored(MemoryStore::new(), key).unwrap().with_clock(clock.clone());
    let lifetime = Duration::from_secs(600);
    let layer = layer.configure(|config| config.lifetime(lifetime)).unwrap();
    let mut user = Client::new(Router::new().route("/", get(count)).layer(layer));
    for (seconds, seen) in [(0, "1"), (599, "2"), (599, "3"), (600, "1")] {
        clock.advance(seconds);
        assert_eq!(user.get("/").await.text, seen, "after {seconds} seconds more");
    }
}
