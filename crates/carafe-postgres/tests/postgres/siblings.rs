//! A finding about one connection holds for its siblings.

use std::sync::Arc;
use std::time::Duration;

use carafe::store::{SessionStore as _, StoreError, Version};
use carafe_postgres::{PostgresOptions, PostgresStore};
use carafe_store_tests::Proxy;

use super::database::{Database, through_a_proxy};
use super::{NOW, id, record};

const CONNECTIONS: usize = 8;

/// A store with as many idle connections, each of which has answered.
async fn with_idle_connections(
    set_up: impl Fn(PostgresOptions) -> PostgresOptions,
) -> (Proxy, Arc<PostgresStore>) {
    let database = Database::create().await;
    database.store().migrate().await.unwrap();
    let (proxy, options) = through_a_proxy(&database).await;
    let patience = Duration::from_secs(10);
    let options = set_up(options.answer_timeout(patience)).connect_timeout(patience);
    let store = Arc::new(options.pool_size(CONNECTIONS).open().unwrap());
    store.load(&id(), NOW).await.unwrap();
    while proxy.connections() < CONNECTIONS {
        assert!(at_once(&store, 3 * CONNECTIONS).await.is_empty());
    }
    (proxy, store)
}

/// Errors of some reads at once.
async fn at_once(store: &Arc<PostgresStore>, number: usize) -> Vec<StoreError> {
    let reads: Vec<_> = (0..number)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.load(&id(), NOW).await.err() })
        })
        .collect();
    let mut errors = Vec::new();
    for read in reads {
        errors.extend(read.await.unwrap());
    }
    errors
}

#[tokio::test]
async fn one_lost_answer_is_enough_for_all_idle_connections() {
    let wait = Duration::from_secs(2);
    let (proxy, store) = with_idle_connections(|options| options.answer_timeout(wait)).await;
    proxy.silence_connections();
    let mut failed = 0;
    for _ in 0..2 * CONNECTIONS {
        failed += usize::from(store.load(&id(), NOW).await.is_err());
    }
    assert_eq!(failed, 1);
}

#[tokio::test]
async fn a_lost_answer_costs_no_connection_that_has_answered_since() {
    // A statement that is only to be prepared is sent again.
    let (proxy, store) = with_idle_connections(|options| options.prepared_statements(false)).await;
    let (id, connections) = (id(), proxy.connections());
    store.create(&id, &record(None), NOW).await.unwrap();
    proxy.cut_next_answer();
    assert!(store.update(&id, Version(1), &record(None), NOW).await.is_err());
    // The idle connections are replaced one by one, and then everything is as it was.
    for _ in 0..2 * CONNECTIONS {
        store.load(&id, NOW).await.unwrap();
    }
    assert_eq!(proxy.connections(), connections + 1);
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_not_used() {
    let idle = Duration::from_millis(300);
    let (proxy, store) = with_idle_connections(|options| options.idle_timeout(idle)).await;
    proxy.silence_connections();
    tokio::time::sleep(idle * 2).await;
    for _ in 0..2 * CONNECTIONS {
        store.load(&id(), NOW).await.unwrap();
    }
}

#[tokio::test]
async fn after_a_while_a_connection_shows_a_sign_of_life_first() {
    let wait = Duration::from_secs(2);
    let (proxy, store) = with_idle_connections(|options| options.answer_timeout(wait)).await;
    proxy.silence_connections();
    tokio::time::sleep(Duration::from_secs(11)).await;
    for _ in 0..2 * CONNECTIONS {
        store.load(&id(), NOW).await.unwrap();
    }
}
