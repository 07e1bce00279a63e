//! Connections with TLS: the URL of a server that has it is in `CARAFE_POSTGRES_TLS_URL`, the file
//! with the certificate of its authority in `CARAFE_ROOT_CERTIFICATE`. It asks the role `localhost` for
//! a certificate of that name, such as the one in `CARAFE_CLIENT_CERTIFICATE`, whose key is in
//! `CARAFE_CLIENT_KEY`.

use carafe::store::{SessionStore as _, StoreErrorKind};
use carafe_postgres::PostgresStore;

use super::database::url;
use super::{NOW, id, record};

fn tls_url() -> String {
    std::env::var("CARAFE_POSTGRES_TLS_URL").expect("CARAFE_POSTGRES_TLS_URL must hold a URL")
}

/// The path in a variable.
fn file(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} must hold the path of a file"))
}

fn authority() -> Vec<u8> {
    std::fs::read(file("CARAFE_ROOT_CERTIFICATE")).unwrap()
}

/// The server's URL with another host, or another role, and with more parameters.
fn with(from: &str, to: &str, parameters: &str) -> String {
    let url = tls_url().replace("sslmode=require", parameters);
    let root = file("CARAFE_ROOT_CERTIFICATE").replace('/', "%2F");
    format!("{}&sslrootcert={root}", url.replacen(from, to, 1))
}

#[tokio::test]
async fn sessions_travel_encrypted() {
    let store = PostgresStore::options(tls_url()).root_certificate(authority()).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().record.user.as_deref(), Some("ann"));
}

/// A server that isn't vouched for is told nothing, even if the URL doesn't require TLS: a listener
/// may as well be in between.
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

#[tokio::test]
async fn the_url_names_the_authority_and_what_is_verified() {
    for (host, mode, is_good) in [
        ("localhost", "verify-full", true),
        ("localhost", "verify-ca", true),
        ("localhost", "require", true),
        // The certificate has no such name.
        ("0.0.0.0", "verify-full", false),
        ("0.0.0.0", "require", false),
        ("0.0.0.0", "verify-ca", true),
    ] {
        let url = with("localhost", host, &format!("sslmode={mode}"));
        let ping = PostgresStore::new(&url).unwrap().ping().await;
        assert_eq!(ping.is_ok(), is_good, "{host} {mode} {ping:?}");
    }
    // Under any name, the authority has to be the right one.
    let own = file("CARAFE_CLIENT_CERTIFICATE").replace('/', "%2F");
    let url = format!("{}&sslrootcert={own}", tls_url().replace("require", "verify-ca"));
    let error = PostgresStore::new(&url).unwrap().ping().await.unwrap_err();
    assert!(error.to_string().contains("sslrootcert"), "{error}");
}

#[tokio::test]
async fn a_client_shows_the_certificate_that_the_url_names() {
    let server = super::database::direct_url();
    let role = "DO $$ BEGIN CREATE ROLE localhost LOGIN; \
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";
    super::database::connect(&server).await.batch_execute(role).await.unwrap();
    let without = with("postgres@", "localhost@", "sslmode=verify-full");
    let error = PostgresStore::new(&without).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    let [certificate, key] = ["CARAFE_CLIENT_CERTIFICATE", "CARAFE_CLIENT_KEY"].map(file);
    let url = format!("{without}&sslcert={certificate}&sslkey={key}");
    PostgresStore::new(&url).unwrap().ping().await.unwrap();
    let [certificate, key] = [certificate, key].map(|file| std::fs::read(file).unwrap());
    let options = PostgresStore::options(without).client_certificate(certificate, key);
    options.open().unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn files_that_hold_no_certificate_are_refused() {
    let [certificate, key] = ["CARAFE_CLIENT_CERTIFICATE", "CARAFE_CLIENT_KEY"].map(file);
    for (parameters, expected) in [
        (format!("sslrootcert={key}"), "root certificate"),
        (format!("sslcert={key}&sslkey={key}"), "client certificate"),
        (format!("sslcert={certificate}&sslkey={certificate}"), "key"),
    ] {
        let url = format!("{}&{parameters}", tls_url());
        let error = PostgresStore::new(&url).unwrap_err();
        assert!(error.to_string().contains(expected), "{parameters} {error}");
    }
}
