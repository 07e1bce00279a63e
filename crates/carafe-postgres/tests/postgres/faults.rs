use std::time::{Duration, Instant};

use carafe::store::{SessionStore as _, StoreErrorKind, Updated, Version};
use carafe_postgres::PostgresStore;
use carafe_store_tests::Proxy;

use super::database::{self, Database, options};
use super::{NOW, id, record};

async fn through_a_proxy() -> (Proxy, PostgresStore) {
    let database = Database::create().await;
    database.store().migrate().await.unwrap();
    let (proxy, options) = database::through_a_proxy(&database).await;
    (proxy, options.pool_size(1).open().unwrap())
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_uncertain_and_never_repeated() {
    let (proxy, store) = through_a_proxy().await;
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    // An answer that is lost must not be the one that the statement is prepared.
    let first = store.update(&id, Version(1), &record(None), NOW).await.unwrap();
    assert_eq!(first, Updated::Written(Version(2)));
    let (mut version, mut acknowledged, mut uncertain) = (2, 0, 0);
    for round in 0..100 {
        if round % 4 == 0 {
            proxy.cut_next_answer();
        }
        match store.update(&id, Version(version), &record(None), NOW).await {
            Ok(Updated::Written(Version(new))) => {
                assert_eq!(new, version + 1);
                (version, acknowledged) = (new, acknowledged + 1);
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{error}");
                uncertain += 1;
                // The write was done, and once only.
                let now = store.load(&id, NOW).await.unwrap().unwrap().version;
                assert_eq!(now, Version(version + 1));
                version += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((acknowledged, uncertain), (75, 25));
    assert_eq!(proxy.connections(), 26);
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().version, Version(102));
}

#[tokio::test]
async fn a_server_that_refuses_connections_has_written_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let store = PostgresStore::new(&format!("postgres://u:pa55@{address}/d")).unwrap();
    let error = store.create(&id(), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(!format!("{error:?} {error}").contains("pa55"));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = PostgresStore::options(format!("postgres://u@{address}/d"))
        .connect_timeout(Duration::from_millis(100))
        .pool_size(2)
        .open()
        .unwrap();
    let store = std::sync::Arc::new(store);
    let began = Instant::now();
    let loads: Vec<_> = (0..20)
        .map(|_| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move { store.load(&id(), NOW).await.unwrap_err().kind() })
        })
        .collect();
    for load in loads {
        assert_eq!(load.await.unwrap(), StoreErrorKind::Unavailable);
    }
    // Waiting requests share the outcome of the attempts.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_no_answer_for_the_next() {
    let database = Database::create().await;
    let store = options(database.url()).pool_size(1).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    for micros in (0..2000).step_by(50) {
        let list = store.list_for_user("ann", NOW);
        drop(tokio::time::timeout(Duration::from_micros(micros), list).await);
        let version = store.load(&id, NOW).await.unwrap().unwrap().version;
        assert_eq!(version, Version(1));
    }
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_costs_no_request() {
    let (proxy, store) = through_a_proxy().await;
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    for version in 1..=5 {
        proxy.cut_connections();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let updated = store.update(&id, Version(version), &record(None), NOW).await.unwrap();
        assert_eq!(updated, Updated::Written(Version(version + 1)));
    }
    assert_eq!(proxy.connections(), 6);
}
