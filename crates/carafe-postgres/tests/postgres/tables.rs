//! The content of the database.

use std::sync::Arc;

use carafe::store::{SessionStore as _, StoreErrorKind, Version};

use super::database::{Database, connect};
use super::{NOW, id, record};

#[tokio::test]
async fn many_processes_make_the_tables_at_once() {
    let database = Arc::new(Database::create().await);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = database.store();
            tokio::spawn(async move { store.create(&id(), &record(None), NOW).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    let rows = database.query("SELECT count(*) FROM carafe_schema").await;
    assert_eq!(rows[0].get::<_, i64>(0), 1);
}

#[tokio::test]
async fn tables_of_a_later_version_are_left_alone() {
    let database = Database::create().await;
    database.store().migrate().await.unwrap();
    database.query("INSERT INTO carafe_schema VALUES (1000)").await;
    let error = database.store().load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("later version"), "{error}");
}

#[tokio::test]
async fn without_tables_the_error_says_what_to_do() {
    let database = Database::create().await;
    let store = carafe_postgres::PostgresStore::options(database.url())
        .migrate_at_first_use(false)
        .open()
        .unwrap();
    let error = store.create(&id(), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("migrate"), "{error}");
    // A statement that was refused leaves its connection fit for the next.
    store.migrate().await.unwrap();
    assert!(store.create(&id(), &record(None), NOW).await.unwrap());
}

#[tokio::test]
async fn updates_touch_no_index() {
    let database = Database::create().await;
    let store = database.store();
    let id = id();
    let mut record = record(Some("ann"));
    assert!(store.create(&id, &record, NOW).await.unwrap());
    for version in 1..=200 {
        record.idle_expires = record.idle_expires + 1;
        store.update(&id, Version(version), &record, NOW).await.unwrap();
    }
    // Connections report their counts when they end.
    drop(store);
    let counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables \
                  WHERE relname = 'carafe_sessions' AND schemaname = current_user";
    for _ in 0..100 {
        let rows = database.query(counts).await;
        let (updates, hot): (i64, i64) = (rows[0].get(0), rows[0].get(1));
        if updates == 200 {
            assert!(hot >= 190, "{hot} of {updates}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the updates were never counted");
}

#[tokio::test]
async fn removal_passes_over_what_is_locked() {
    let database = Database::create().await;
    let store = database.store();
    let (locked, free) = (id(), id());
    for id in [locked, free] {
        assert!(store.create(&id, &record(None), NOW).await.unwrap());
    }
    let mut other = connect(&database.url()).await;
    let transaction = other.transaction().await.unwrap();
    let statement = "SELECT 1 FROM carafe_sessions WHERE id = $1 FOR UPDATE";
    let locked = locked.as_bytes().as_slice();
    let bytea = tokio_postgres::types::Type::BYTEA;
    transaction.query_typed(statement, &[(&locked, bytea)]).await.unwrap();
    assert_eq!(store.delete_expired(NOW + 3600, 10).await.unwrap(), 1);
    transaction.rollback().await.unwrap();
    assert_eq!(store.delete_expired(NOW + 3600, 10).await.unwrap(), 1);
    assert_eq!(store.delete_expired(NOW + 3600, 10).await.unwrap(), 0);
}

/// The tables that the documentation has for many sessions.
#[tokio::test]
async fn the_documented_partitions_work() {
    let guide = include_str!("../../../../docs/many-machines.md");
    let (_, rest) = guide.split_once("```sql\n").unwrap();
    let (sql, _) = rest.split_once("```").unwrap();
    let database = Database::create().await;
    connect(&database.url()).await.batch_execute(sql).await.unwrap();
    let store = database.store();
    let (mut ended, mut used) = (Vec::new(), Vec::new());
    for number in 0..200 {
        let id = id();
        assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
        if number % 4 == 0 {
            let mut later = record(Some("ann"));
            later.idle_expires = NOW + 7200;
            store.update(&id, Version(1), &later, NOW).await.unwrap();
            used.push(id);
        } else {
            ended.push(id);
        }
    }
    assert_eq!(store.list_for_user("ann", NOW).await.unwrap().len(), 200);
    // Rows of different partitions lie at the same places.
    let mut deleted = Vec::new();
    loop {
        deleted.push(store.delete_expired(NOW + 3600, 40).await.unwrap());
        if *deleted.last().unwrap() < 40 {
            break;
        }
    }
    assert_eq!(deleted, [40, 40, 40, 30]);
    for id in &ended {
        assert!(store.load(id, NOW).await.unwrap().is_none());
    }
    for id in &used {
        assert_eq!(store.load(id, NOW).await.unwrap().unwrap().version, Version(2));
    }
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 50);
}
