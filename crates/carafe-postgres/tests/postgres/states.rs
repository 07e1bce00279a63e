//! Servers that refuse for a while, and what becomes of connections from that time.

use std::sync::Arc;
use std::time::Duration;

use carafe::store::{SessionStore as _, StoreErrorKind, Updated, Version};

use super::database::{Database, options};
use super::{NOW, id, record};

/// Several writes at once, each of a record of its own; the errors.
async fn writes(store: &Arc<carafe_postgres::PostgresStore>, number: usize) -> Vec<String> {
    let writes: Vec<_> = (0..number)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.create(&id(), &record(None), NOW).await })
        })
        .collect();
    let mut errors = Vec::new();
    for write in writes {
        errors.extend(write.await.unwrap().err().map(|error| error.to_string()));
    }
    errors
}

#[tokio::test]
async fn a_database_that_is_writable_again_is_written_to_at_once() {
    let database = Database::create_directly().await;
    database.store().migrate().await.unwrap();
    database.administer("ALTER ROLE USER SET default_transaction_read_only = on").await;
    let patience = Duration::from_secs(20);
    let options = options(database.url()).connect_timeout(patience).answer_timeout(patience);
    let store = Arc::new(options.pool_size(4).open().unwrap());
    for _ in 0..3 {
        let error = store.create(&id(), &record(None), NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("25006, the database is read-only"), "{error}");
        assert_eq!(store.load(&id(), NOW).await.unwrap(), None);
    }
    // All connections are from that time.
    let reads = (0..8).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.load(&id(), NOW).await.unwrap() })
    });
    for read in reads.collect::<Vec<_>>() {
        read.await.unwrap();
    }
    database.administer("ALTER ROLE USER RESET default_transaction_read_only").await;
    for _ in 0..4 {
        assert_eq!(writes(&store, 8).await, [""; 0]);
    }
}

#[tokio::test]
async fn with_fewer_connections_than_the_pool_may_have_requests_wait_for_those() {
    let database = Database::create_directly().await;
    database.store().migrate().await.unwrap();
    // The connections that the store before has closed count for a while.
    tokio::time::sleep(Duration::from_millis(500)).await;
    database.administer("ALTER ROLE USER CONNECTION LIMIT 3").await;
    let patience = Duration::from_secs(20);
    let options = options(database.url()).connect_timeout(patience).answer_timeout(patience);
    let store = Arc::new(options.pool_size(8).open().unwrap());
    for at_once in [4, 16, 40] {
        for _ in 0..120 / at_once {
            assert_eq!(writes(&store, at_once).await, [""; 0]);
        }
    }
}

#[tokio::test]
async fn without_any_connection_the_error_says_that_there_are_too_many() {
    let database = Database::create_directly().await;
    database.administer("ALTER ROLE USER CONNECTION LIMIT 0").await;
    let store = options(database.url()).open().unwrap();
    let error = store.load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("53300, there are too many connections"), "{error}");
    database.administer("ALTER ROLE USER CONNECTION LIMIT -1").await;
    assert_eq!(store.load(&id(), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_ends_idle_sessions_refuses_nothing() {
    let database = Database::create_directly().await;
    database.administer("ALTER ROLE USER SET idle_session_timeout = '20ms'").await;
    let options = options(database.url()).connect_timeout(Duration::from_secs(20));
    let store = options.answer_timeout(Duration::from_secs(20)).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    for version in 1..40 {
        // Around the moment in which it ends them.
        tokio::time::sleep(Duration::from_millis(15 + version % 10)).await;
        let updated = store.update(&id, Version(version), &record(None), NOW).await.unwrap();
        assert_eq!(updated, Updated::Written(Version(version + 1)));
    }
}

#[tokio::test]
async fn a_cancelled_statement_leaves_its_connection_good() {
    let database = Database::create_directly().await;
    database.store().migrate().await.unwrap();
    database.administer("ALTER ROLE USER SET lock_timeout = '50ms'").await;
    let options = options(database.url()).connect_timeout(Duration::from_secs(20));
    let store = options.answer_timeout(Duration::from_secs(20)).pool_size(1).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    let mut other = super::database::connect(&database.url()).await;
    let transaction = other.transaction().await.unwrap();
    transaction.batch_execute("LOCK TABLE carafe_sessions").await.unwrap();
    let error = store.update(&id, Version(1), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("`lock_timeout`"), "{error}");
    transaction.rollback().await.unwrap();
    // The role's limit lets no other connection in.
    database.administer("ALTER ROLE USER CONNECTION LIMIT 0").await;
    let updated = store.update(&id, Version(1), &record(None), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
}
