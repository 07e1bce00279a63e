use std::time::{Duration, Instant};

use carafe::id::SessionIdHash;
use carafe::store::{RevocationStore as _, SessionStore as _, StoreErrorKind, Updated, Version};
use carafe_redis::RedisStore;

use super::way::Way;
use super::{NOW, SCRIPTS, id, record, store, url};

const ID: SessionIdHash = SessionIdHash::from_bytes([7; 32]);

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_uncertain_and_never_repeated() {
    // An answer that is lost must not be the one that the script is unknown.
    let _scripts = SCRIPTS.lock().await;
    let way = Way::open().await;
    let store = &way.store;
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    let proxy = way.proxy().await;
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
async fn a_read_whose_answer_is_lost_is_unavailable() {
    let way = Way::open().await;
    let id = id();
    assert!(way.store.create(&id, &record(None), NOW).await.unwrap());
    way.proxy().await.cut_next_answer();
    let error = way.store.load(&id, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    assert!(way.store.load(&id, NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_refuses_connections_has_written_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["redis", "redis-cluster"] {
        let store = RedisStore::new(&format!("{scheme}://:pa55@{address}")).unwrap();
        let error = store.create(&id(), &record(None), NOW).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert!(!format!("{error:?} {error}").contains("pa55"));
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = RedisStore::options(format!("redis://{address}"))
        .connect_timeout(Duration::from_millis(100))
        .open()
        .unwrap();
    let began = Instant::now();
    let loads = (0..20).map(|_| store.load(&ID, NOW));
    for result in futures_util::future::join_all(loads).await {
        assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    // All of them share one attempt.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn scripts_are_loaded_again_after_the_server_forgot_them() {
    let _scripts = SCRIPTS.lock().await;
    let (store, _) = store();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    super::server_side::admin(&["SCRIPT", "FLUSH"]).await;
    let updated = store.update(&id, Version(1), &record(Some("ann")), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 1);
}

#[tokio::test]
async fn a_connection_that_broke_while_idle_costs_no_request() {
    let way = Way::open().await;
    let store = &way.store;
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    let proxy = way.proxy().await;
    for version in 1..=5 {
        proxy.cut_connections();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let updated = store.update(&id, Version(version), &record(None), NOW).await.unwrap();
        assert_eq!(updated, Updated::Written(Version(version + 1)));
    }
    assert_eq!(proxy.connections(), 6);
}

#[tokio::test]
async fn an_ending_that_no_replica_knows_of_is_uncertain() {
    // The servers of these tests have no replicas.
    let store = RedisStore::options(url())
        .prefix(super::prefix())
        .answer_timeout(Duration::from_millis(500))
        .replicas_know_of_endings(1)
        .open()
        .unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    let updated = store.update(&id, Version(1), &record(Some("ann")), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    let error = store.delete(&id, Some(Version(2))).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{error}");
    // Here it was done.
    assert!(store.load(&id, NOW).await.unwrap().is_none());
    let error = store.revoke(&id, NOW + 60, NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Uncertain, "{error}");
}
