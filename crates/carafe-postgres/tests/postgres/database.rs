use std::time::Duration;

use carafe::id::PublicId;
use carafe_postgres::PostgresStore;
use tokio_postgres::{Client, NoTls, Row};

pub(crate) fn url() -> String {
    std::env::var("CARAFE_POSTGRES_URL").expect("CARAFE_POSTGRES_URL must hold the URL of a server")
}

/// A schema of one test, and the user whose unqualified names are in it.
pub(crate) struct Database {
    user: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let random: String = PublicId::random()
            .unwrap()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let user = format!("carafe_{random}");
        let sql = format!("CREATE ROLE {user} LOGIN; CREATE SCHEMA AUTHORIZATION {user}");
        connect(&url()).await.batch_execute(&sql).await.unwrap();
        Self { user }
    }

    /// The server's URL with this user.
    pub(crate) fn url(&self) -> String {
        let url = url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, server) = rest.rsplit_once('@').unwrap();
        format!("{scheme}://{}@{server}", self.user)
    }

    pub(crate) fn store(&self) -> PostgresStore {
        // A machine that is busy with other tests is no failure.
        let patience = Duration::from_secs(20);
        let options = PostgresStore::options(self.url()).connect_timeout(patience);
        options.answer_timeout(patience).pool_size(4).open().unwrap()
    }

    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        connect(&self.url()).await.query_typed(sql, &[]).await.unwrap()
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    client
}
