//! Connections with TLS: the URL of a server that has it is in `CARAFE_POSTGRES_TLS_URL`, the file
//! with the certificate of its authority in `CARAFE_ROOT_CERTIFICATE`.

use carafe::SessionStore as _;
use carafe::store::StoreErrorKind;
use carafe_postgres::PostgresStore;

use super::database::url;
use super::{NOW, id, record};

fn tls_url() -> String {
    std::env::var("CARAFE_POSTGRES_TLS_URL").expect("CARAFE_POSTGRES_TLS_URL must hold a URL")
}

fn authority() -> Vec<u8> {
    std::fs::read(std::env::var_os("CARAFE_ROOT_CERTIFICATE").unwrap()).unwrap()
}

#[tokio::test]
async fn sessions_travel_encrypted() {
    let store = PostgresStore::options(tls_url()).root_certificate(authority()).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().record.user.as_deref(), Some("ann"));
}

/// Also where TLS is not insisted on: who listens may as well be in between.
#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_told_nothing() {
    for mode in ["require", "prefer"] {
        let url = tls_url().replace("require", mode);
        let error = PostgresStore::new(&url).unwrap().ping().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("root_certificate"), "{error}");
    }
    let url = tls_url().replace("require", "disable");
    PostgresStore::new(&url).unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn where_tls_is_insisted_on_a_server_without_it_is_refused() {
    let store = PostgresStore::new(&format!("{}?sslmode=require", url())).unwrap();
    let error = store.ping().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
}
