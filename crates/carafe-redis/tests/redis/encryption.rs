//! Connections with TLS: the URL of a port that wants it is in `CARAFE_REDIS_TLS_URL`, the file with
//! the certificate of its authority in `CARAFE_ROOT_CERTIFICATE`.

use carafe::SessionStore as _;
use carafe::store::StoreErrorKind;
use carafe_redis::RedisStore;

use super::{NOW, id, is_cluster, record};

fn tls_url() -> String {
    std::env::var("CARAFE_REDIS_TLS_URL").expect("CARAFE_REDIS_TLS_URL must hold a URL")
}

fn authority() -> Vec<u8> {
    std::fs::read(std::env::var_os("CARAFE_ROOT_CERTIFICATE").unwrap()).unwrap()
}

#[tokio::test]
async fn sessions_travel_encrypted() {
    if is_cluster() {
        return;
    }
    let store = RedisStore::options(tls_url()).root_certificate(authority()).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().record.user.as_deref(), Some("ann"));
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    if is_cluster() {
        return;
    }
    let error = RedisStore::new(&tls_url()).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn without_tls_such_a_port_serves_nobody() {
    if is_cluster() {
        return;
    }
    let store = RedisStore::new(&tls_url().replace("rediss:", "redis:")).unwrap();
    let error = store.load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
}
