use std::time::Duration;

use carafe::id::PublicId;
use carafe_postgres::{PostgresOptions, PostgresStore};
use carafe_store_tests::Proxy;
use tokio_postgres::{Client, NoTls, Row};

pub(crate) fn url() -> String {
    std::env::var("CARAFE_POSTGRES_URL").expect("CARAFE_POSTGRES_URL must hold the URL of a server")
}

/// The URL of a server with no pooler in between: that of the tests with TLS, without it.
pub(crate) fn direct_url() -> String {
    std::env::var("CARAFE_POSTGRES_TLS_URL").unwrap().replace("require", "disable")
}

/// A schema of one test, and the user whose unqualified names are in it.
pub(crate) struct Database {
    server: String,
    user: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        Self::create_on(url()).await
    }

    /// A URL without a pooler in between, which would keep connections of its own.
    pub(crate) async fn create_directly() -> Self {
        Self::create_on(direct_url()).await
    }

    async fn create_on(server: String) -> Self {
        let random: String = PublicId::random()
            .unwrap()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let user = format!("carafe_{random}");
        let sql = format!("CREATE ROLE {user} LOGIN; CREATE SCHEMA AUTHORIZATION {user}");
        connect(&server).await.batch_execute(&sql).await.unwrap();
        Self { server, user }
    }

    /// Statements of an administrator, with the user's name for each `USER`.
    pub(crate) async fn administer(&self, sql: &str) {
        let sql = sql.replace("USER", &self.user);
        connect(&self.server).await.batch_execute(&sql).await.unwrap();
    }

    /// The server's URL with this user.
    pub(crate) fn url(&self) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let (_, server) = rest.rsplit_once('@').unwrap();
        format!("{scheme}://{}@{server}", self.user)
    }

    pub(crate) fn store(&self) -> PostgresStore {
        // A machine that is busy with other tests is no failure.
        let patience = Duration::from_secs(20);
        let options = options(self.url()).connect_timeout(patience);
        options.answer_timeout(patience).pool_size(4).open().unwrap()
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        connect(&self.url()).await.query_typed(sql, &[]).await.unwrap()
    }
}

/// Whether the server is to remember statements, in all tests that say nothing else: if
/// `CARAFE_POSTGRES_PREPARED` is 1. No pooler may be in between then.
pub(crate) fn is_prepared() -> bool {
    std::env::var("CARAFE_POSTGRES_PREPARED").is_ok_and(|on| on == "1")
}

/// Options for a store. Behind a pooler, notifications reach no session that listens, and the periodic
/// check finds what has ended.
pub(crate) fn options(url: String) -> PostgresOptions {
    PostgresStore::options(url).prepared_statements(is_prepared()).listen(is_prepared())
}

/// A proxy, and options for a store that finds the server behind it.
pub(crate) async fn through_a_proxy(database: &Database) -> (Proxy, PostgresOptions) {
    let url = database.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (credentials, rest) = rest.rsplit_once('@').unwrap();
    let (address, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::start(address.to_owned()).await;
    let url = format!("{scheme}://{credentials}@{}/{name}", proxy.address());
    (proxy, options(url))
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    client
}
