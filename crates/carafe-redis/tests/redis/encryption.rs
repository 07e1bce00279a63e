//! Connections with TLS: the URL of a port that wants it is in `CARAFE_REDIS_TLS_URL`, the file with
//! the certificate of its authority in `CARAFE_ROOT_CERTIFICATE`.

use carafe::store::{SessionStore as _, StoreErrorKind, Updated};
use carafe_redis::RedisStore;

use super::{NOW, id, prefix, record};

fn tls_url() -> String {
    std::env::var("CARAFE_REDIS_TLS_URL").expect("CARAFE_REDIS_TLS_URL must hold a URL")
}

fn authority() -> Vec<u8> {
    std::fs::read(std::env::var_os("CARAFE_ROOT_CERTIFICATE").unwrap()).unwrap()
}

#[tokio::test]
async fn sessions_travel_encrypted() {
    let store = RedisStore::options(tls_url()).root_certificate(authority());
    let store = store.prefix(prefix()).open().unwrap();
    // In a Cluster, every node has some of them.
    for number in 0..30 {
        let (id, user) = (id(), format!("ann{number}"));
        assert!(store.create(&id, &record(Some(&user)), NOW).await.unwrap());
        let stored = store.load(&id, NOW).await.unwrap().unwrap();
        assert_eq!(stored.record.user.as_deref(), Some(user.as_str()));
        let updated = store.update(&id, stored.version, &record(Some(&user)), NOW).await.unwrap();
        assert!(matches!(updated, Updated::Written(_)), "{updated:?}");
        assert_eq!(store.delete_for_user(&user, None).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    let error = RedisStore::new(&tls_url()).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn without_tls_such_a_port_serves_nobody() {
    let store = RedisStore::new(&tls_url().replacen("rediss", "redis", 1)).unwrap();
    let error = store.load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
}
