//! The number of questions to the server.

use carafe::store::{Deleted, SessionStore as _, State, Updated, Version};
use carafe_postgres::PostgresStore;
use carafe_store_tests::Proxy;

use super::database::{Database, is_prepared, through_a_proxy};
use super::{NOW, id, record};

/// Counts the answers that were asked for: each time, all messages that lead to one are sent
/// together.
fn round_trips(mut sent: &[u8]) -> usize {
    let mut syncs = 0;
    while let [kind, a, b, c, d, ..] = *sent {
        syncs += usize::from(kind == b'S' || kind == b'Q');
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        sent = &sent[1 + length..];
    }
    assert!(sent.is_empty(), "half a message");
    syncs
}

/// A record's life, and how many round trips each step of it takes.
async fn check(store: &PostgresStore, proxy: &Proxy) {
    let asked = || round_trips(&proxy.sent());
    for user in [None, Some("ann")] {
        let (id, record) = (id(), record(user));
        assert!(store.create(&id, &record, NOW).await.unwrap());
        assert_eq!(asked(), 1, "create");
        store.load(&id, NOW).await.unwrap().unwrap();
        assert_eq!(asked(), 1, "load");
        let updated = store.update(&id, Version(1), &record, NOW).await.unwrap();
        assert_eq!((updated, asked()), (Updated::Written(Version(2)), 1), "update");
        // Only a statement that finds nothing to change asks why.
        let late = store.update(&id, Version(1), &record, NOW).await.unwrap();
        assert_eq!((late, asked()), (Updated::Conflict, 2), "a late update");
        // The record that a login or a new id leaves of the session before.
        let mut left = record.clone();
        left.user = None;
        left.state = State::Moved { to: id, until: NOW + 60 };
        let updated = store.update(&id, Version(2), &left, NOW).await.unwrap();
        assert_eq!((updated, asked()), (Updated::Written(Version(3)), 1), "the old id");
        assert_eq!((store.delete(&id, None).await.unwrap(), asked()), (Deleted::Deleted, 1));
        assert_eq!((store.load(&id, NOW).await.unwrap(), asked()), (None, 1));
    }
}

#[tokio::test]
async fn reading_and_writing_are_one_round_trip_each() {
    let database = Database::create().await;
    database.store().migrate().await.unwrap();
    // A pooler in between would mix prepared ones up.
    let kinds = if is_prepared() { &[false, true][..] } else { &[false] };
    for prepared in kinds {
        let (proxy, options) = through_a_proxy(&database).await;
        let options = options.prepared_statements(*prepared).migrate_at_first_use(false);
        let store = options.pool_size(1).open().unwrap();
        // Each statement is prepared once.
        let (id, record) = (id(), record(None));
        assert!(store.create(&id, &record, NOW).await.unwrap());
        store.load(&id, NOW).await.unwrap();
        for _ in 0..2 {
            store.update(&id, Version(1), &record, NOW).await.unwrap();
        }
        let mut left = record.clone();
        left.state = State::Moved { to: id, until: NOW + 60 };
        store.update(&id, Version(2), &left, NOW).await.unwrap();
        store.delete(&id, None).await.unwrap();
        proxy.sent();
        check(&store, &proxy).await;
    }
}
