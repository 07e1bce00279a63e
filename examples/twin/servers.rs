//! Sessions on a server, or in a file.

use std::error::Error;

use carafe::SessionLayer;
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use carafe_sqlite::SqliteStore;

/// The layer with its sessions where this URL says; `None` if it is no URL of a store.
pub(crate) fn keep_in(
    url: &str,
    layer: SessionLayer,
) -> Result<Option<SessionLayer>, Box<dyn Error>> {
    // The authority that has signed the server's certificate.
    let authority = std::env::var("CARAFE_TWIN_ROOT_CERTIFICATE").ok().map(std::fs::read);
    let authority = authority.transpose()?;
    let scheme = url.split([':', '-']).next().unwrap_or_default();
    Ok(match scheme {
        "redis" | "rediss" | "valkey" | "valkeys" => {
            let mut store = RedisStore::options(url);
            if let Some(pem) = authority {
                store = store.root_certificate(pem);
            }
            // The number of replicas that have to know of an ending.
            if let Ok(replicas) = std::env::var("CARAFE_TWIN_REPLICAS") {
                store = store.replicas_know_of_endings(replicas.parse()?);
            }
            Some(layer.in_store(store.open()?))
        }
        "postgres" | "postgresql" => {
            let mut store = PostgresStore::options(url);
            if let Some(pem) = authority {
                store = store.root_certificate(pem);
            }
            // Whether the server has to remember statements; no pooler is in between then.
            let prepared = std::env::var("CARAFE_TWIN_PREPARED").is_ok_and(|on| on == "1");
            Some(layer.in_store(store.prepared_statements(prepared).open()?))
        }
        "sqlite" => {
            let file = url.strip_prefix("sqlite:").unwrap_or(url);
            Some(layer.in_store(SqliteStore::open(file)?))
        }
        _ => None,
    })
}
