//! URLs with several hosts.

use std::time::{Duration, Instant};

use carafe::store::SessionStore as _;
use carafe_postgres::PostgresStore;
use tokio::net::TcpListener;

use super::database::{Database, url};
use super::{NOW, id, record};

/// A URL's user, its address and the name of its database.
fn parts(url: &str) -> (String, String, String) {
    let (_, rest) = url.split_once("://").unwrap();
    let (user, rest) = rest.rsplit_once('@').unwrap();
    let (address, database) = rest.split_once('/').unwrap();
    (user.to_owned(), address.to_owned(), database.to_owned())
}

#[tokio::test]
async fn a_host_that_is_silent_or_away_leaves_the_next_its_time() {
    let database = Database::create().await;
    let (user, address, name) = parts(&database.url());
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let silent_address = silent.local_addr().unwrap();
    let url = format!("postgres://{user}@{silent_address},{away},{address}/{name}");
    let patience = Duration::from_secs(6);
    let store = PostgresStore::options(url).connect_timeout(patience).pool_size(1);
    let store = store.answer_timeout(patience).open().unwrap();
    let began = Instant::now();
    assert!(store.create(&id(), &record(None), NOW).await.unwrap());
    assert!(began.elapsed() >= patience / 3, "{:?}", began.elapsed());
}

/// The role is read-only on the first server, as if that were a standby.
#[tokio::test]
async fn the_host_that_can_be_written_to_is_found() {
    let standby = Database::create_directly().await;
    standby.administer("ALTER ROLE USER SET default_transaction_read_only = on").await;
    let (user, first, _) = parts(&standby.url());
    let (admin, second, name) = parts(&url());
    let sql = format!("CREATE ROLE {user} LOGIN; CREATE SCHEMA AUTHORIZATION {user}");
    let server = format!("postgres://{admin}@{second}/{name}");
    super::database::connect(&server).await.batch_execute(&sql).await.unwrap();
    for attributes in ["read-write", "primary"] {
        let url = format!(
            "postgres://{user}@{first},{second}/{name}?sslmode=disable\
             &target_session_attrs={attributes}"
        );
        let store = PostgresStore::options(url).connect_timeout(Duration::from_secs(20));
        let store = store.answer_timeout(Duration::from_secs(20)).open().unwrap();
        assert!(store.create(&id(), &record(None), NOW).await.unwrap());
    }
    let url =
        format!("postgres://{user}@{first}/{name}?sslmode=disable&target_session_attrs=read-write");
    let error = PostgresStore::new(&url).unwrap().ping().await.unwrap_err();
    assert!(error.to_string().contains("`target_session_attrs`"), "{error}");
}
