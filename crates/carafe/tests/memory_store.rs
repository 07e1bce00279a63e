//! The memory store: a full store, and the lifetimes of its sessions.
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
use carafe::store::{
    MemoryStore, Record, RevocationStore as _, SessionStore as _, State, StoreErrorKind, Updated,
    UserRevocation, Version,
};
use carafe::{Clock, Error, SecretKey, Session, SessionLayer, UnixSeconds};
use support::{Client, Log};

const NOW: UnixSeconds = UnixSeconds(support::NOW);
const IDLE: u64 = 3_600;
const CAPACITY: usize = 200;

fn record(user: Option<&str>, now: UnixSeconds) -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), now, IDLE, 10 * IDLE);
    record.user = user.map(str::to_owned);
    record
}

async fn create(store: &MemoryStore, record: &Record, now: UnixSeconds) -> SessionIdHash {
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

/// Fills a store with sessions of anonymous visitors, or of users with one session each.
async fn fill(store: &MemoryStore, user: Option<&str>, now: UnixSeconds) -> Vec<SessionIdHash> {
    let mut ids = Vec::new();
    while store.len() < CAPACITY {
        let user = user.map(|user| format!("{user} {}", ids.len()));
        ids.push(create(store, &record(user.as_deref(), now), now).await);
    }
    ids
}

/// Returns a session with content of this many bytes.
fn large(user: Option<&str>, bytes: usize) -> Record {
    let mut record = record(user, NOW);
    record.data = vec![b' '; bytes];
    record
}

/// Tries to add a new session. Returns the kind of the error.
async fn try_to_create(store: &MemoryStore, record: &Record) -> Option<StoreErrorKind> {
    let id = SessionId::random().unwrap().hash();
    let created = store.create(&id, record, NOW).await;
    assert_eq!(created.is_ok(), store.load(&id, NOW).await.unwrap().is_some());
    created.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_full_store_drops_what_has_expired_first() {
    let store = MemoryStore::with_capacity(CAPACITY);
    let mut expired = Vec::new();
    for _ in 0..CAPACITY / 2 {
        // Expired sessions of users are dropped, too.
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
    for number in 0..CAPACITY / 4 {
        let user = format!("bob {number}");
        users.push(create(&store, &record(Some(&user), NOW), NOW).await);
    }
    assert_eq!(store.len(), CAPACITY);
    assert_eq!(are_there(&store, &users).await, users.len());
    assert_eq!(are_there(&store, &anonymous).await, CAPACITY - users.len());
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
    // Existing sessions can be written, and deleted ones make room.
    let mut changed = record(Some("ada 0"), NOW);
    changed.data = br#"{"a":1}"#.to_vec();
    let updated = store.update(&users[0], Version(1), &changed, NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    store.delete(&users[1], None).await.unwrap();
    create(&store, &record(None, NOW), NOW).await;
    // Expired sessions also make room.
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
                    // Each of the four threads may have taken a place that it is about to free.
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

#[tokio::test]
async fn one_account_leaves_room_for_the_others() {
    let store = MemoryStore::with_capacity(1_000);
    let log = Log::capture();
    let mut let_in = 0;
    for _ in 0..1_000 {
        let_in += u64::from(try_to_create(&store, &record(Some("ada"), NOW)).await.is_none());
    }
    assert!((1..=501).contains(&let_in), "{let_in}");
    assert!(log.lines().iter().any(|line| line.contains("store.share")));
    // A second account gets a part of the remaining room, and all other users are let in.
    for _ in 0..1_000 {
        try_to_create(&store, &record(Some("bob"), NOW)).await;
    }
    assert!(store.list_for_user("bob", NOW).await.unwrap().len() <= 1_000 / 16);
    for number in 0..400 {
        let user = format!("user {number}");
        assert_eq!(try_to_create(&store, &record(Some(&user), NOW)).await, None, "{user}");
    }
    // The account can use its sessions, and ending some makes no room beyond its share.
    let (id, stored) = store.list_for_user("ada", NOW).await.unwrap().swap_remove(0);
    let updated = store.update(&id, stored.version, &record(Some("ada"), NOW), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    store.delete(&id, None).await.unwrap();
    let refused = try_to_create(&store, &record(Some("ada"), NOW)).await;
    assert_eq!(refused, Some(StoreErrorKind::Full));
}

#[tokio::test]
async fn one_account_with_large_sessions_leaves_room_for_the_others() {
    let store = MemoryStore::new().byte_capacity(16 << 20);
    for _ in 0..1_000 {
        try_to_create(&store, &large(Some("ada"), 60_000)).await;
    }
    // Growing small sessions doesn't help the account either.
    let store_of_small = MemoryStore::new().byte_capacity(16 << 20);
    let mut refused = 0;
    for _ in 0..1_000 {
        let (id, grown) = (SessionId::random().unwrap().hash(), large(Some("ada"), 60_000));
        let grows = match store_of_small.create(&id, &record(Some("ada"), NOW), NOW).await {
            Ok(_) => store_of_small.update(&id, Version(1), &grown, NOW).await.map(drop),
            Err(error) => Err(error),
        };
        refused += u64::from(grows.is_err());
    }
    assert!(refused > 500, "{refused}");
    for store in [store, store_of_small] {
        assert!(store.bytes() < 10 << 20, "{}", store.bytes());
        for number in 0..80 {
            let user = format!("user {number}");
            assert_eq!(try_to_create(&store, &large(Some(&user), 60_000)).await, None, "{user}");
        }
    }
}

#[tokio::test]
async fn a_flood_of_large_sessions_stays_within_the_bytes() {
    const BYTES: usize = 4 << 20;
    let store = MemoryStore::new().byte_capacity(BYTES);
    let mut users = Vec::new();
    for number in 0..20 {
        users.push(create(&store, &large(Some(&format!("user {number}")), 60_000), NOW).await);
    }
    let mut visitor = create(&store, &large(None, 0), NOW).await;
    for number in 0..1_000 {
        if number % 2 == 0 {
            visitor = create(&store, &large(None, number), NOW).await;
        } else {
            // A session that grows takes as much room.
            let grown = large(None, 60_000);
            let updated = store.update(&visitor, Version(1), &grown, NOW).await.unwrap();
            assert_eq!(updated, Updated::Written(Version(2)));
        }
        assert!(store.bytes() <= BYTES, "{number}: {}", store.bytes());
    }
    assert!(store.bytes() > BYTES - 200_000, "{}", store.bytes());
    assert_eq!(are_there(&store, &users).await, users.len());
    // A session that can never fit drops no other session.
    let sessions = store.len();
    let refused = try_to_create(&store, &large(None, BYTES)).await;
    assert_eq!((refused, store.len()), (Some(StoreErrorKind::Full), sessions));
}

#[tokio::test]
async fn a_user_s_session_that_has_no_room_to_grow_stays_as_it_was() {
    let store = MemoryStore::new().byte_capacity(1 << 20);
    let mut ids = Vec::new();
    while store.bytes() < (1 << 20) - 70_000 {
        let user = format!("user {}", ids.len());
        ids.push(create(&store, &large(Some(&user), 50_000), NOW).await);
    }
    let before = store.load(&ids[0], NOW).await.unwrap();
    let bytes = store.bytes();
    let error = store.update(&ids[0], Version(1), &large(Some("user 0"), 200_000), NOW).await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Full);
    assert_eq!((store.load(&ids[0], NOW).await.unwrap(), store.bytes()), (before, bytes));
    // A session that shrinks makes room.
    let small = large(Some("user 1"), 10);
    store.update(&ids[1], Version(1), &small, NOW).await.unwrap();
    assert!(store.bytes() < bytes - 49_000);
}

#[tokio::test]
async fn revocations_are_inside_the_capacity() {
    let store = MemoryStore::with_capacity(10);
    let anonymous = create(&store, &record(None, NOW), NOW).await;
    let (mut revoked, mut refused) = (Vec::new(), 0);
    for number in 0..300 {
        let id = SessionId::random().unwrap().hash();
        let done = match number % 2 {
            0 => store.revoke(&id, NOW + 100, NOW).await.map(|()| revoked.push(id)),
            _ => {
                let revocation = UserRevocation { logins_up_to: NOW, until: NOW + 100 };
                store.revoke_user(&format!("user {number}"), revocation, NOW).await
            }
        };
        if let Err(error) = done {
            assert_eq!(error.kind(), StoreErrorKind::Full);
            refused += 1;
        }
    }
    assert_eq!((store.len(), refused), (10, 290));
    // An anonymous session makes room for one mark, and no mark is dropped for another.
    assert_eq!(are_there(&store, &[anonymous]).await, 0);
    for id in &revoked {
        assert!(store.revocations(id, None, NOW).await.unwrap().session);
    }
    // An existing revocation mark can be extended.
    store.revoke(&revoked[0], NOW + 200, NOW).await.unwrap();
    store
        .revoke_user("user 1", UserRevocation { logins_up_to: NOW + 1, until: NOW + 200 }, NOW)
        .await
        .unwrap();
    // Expired marks make room.
    let later = NOW + 100;
    store.revoke(&SessionId::random().unwrap().hash(), later + 100, later).await.unwrap();
    assert_eq!(store.len(), 3);
    assert!(store.revocations(&revoked[0], None, later).await.unwrap().session);
}

/// Removed sessions and marks give their room back, in every way of removal.
#[tokio::test]
async fn what_is_removed_takes_no_bytes() {
    let store = MemoryStore::new();
    for number in 0..200_usize {
        let user = (number % 2 == 0).then_some("ada");
        let id = create(&store, &large(user, number), NOW).await;
        assert!(!store.create(&id, &large(user, 7 * number), NOW).await.unwrap());
        let changed = large(Some("bob"), 1_000 - number);
        store.update(&id, Version(1), &changed, NOW).await.unwrap();
        store.update(&id, Version(1), &large(None, 9_000), NOW).await.unwrap();
        store.update(&id, Version(2), &large(user, 3 * number), NOW).await.unwrap();
        store.revoke(&id, NOW + 10, NOW).await.unwrap();
        let revocation = UserRevocation { logins_up_to: NOW, until: NOW + 10 };
        store.revoke_user(&format!("user {number}"), revocation, NOW).await.unwrap();
        if number % 5 == 0 {
            store.delete(&id, None).await.unwrap();
        }
    }
    assert!(store.bytes() > 200 * 300);
    store.delete_for_user("ada", None).await.unwrap();
    store.delete_expired(NOW + IDLE, 1_000).await.unwrap();
    store.delete_expired_revocations(NOW + IDLE, 1_000).await.unwrap();
    assert_eq!((store.len(), store.bytes()), (0, 0));
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
    let bob = store.list_for_user("bob 0", NOW).await.unwrap().swap_remove(0).0;
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
