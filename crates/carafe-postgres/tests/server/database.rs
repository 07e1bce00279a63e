use carafe::id::PublicId;
use carafe_postgres::PostgresStore;
use tokio_postgres::{Client, NoTls, Row};

pub(crate) fn url() -> String {
    std::env::var("CARAFE_POSTGRES_URL").expect("CARAFE_POSTGRES_URL must hold the URL of a server")
}

/// A database of one test.
pub(crate) struct Database {
    pub(crate) name: String,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let random: String = PublicId::random()
            .unwrap()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = format!("carafe_{random}");
        connect(&url()).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        Self { name }
    }

    /// The server's URL with this database.
    pub(crate) fn url(&self) -> String {
        let url = url();
        let (server, _) = url.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    pub(crate) fn store(&self) -> PostgresStore {
        PostgresStore::options(self.url()).pool_size(4).open().unwrap()
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
