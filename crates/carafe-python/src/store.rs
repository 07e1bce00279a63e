//! Stores by their URLs.

use std::sync::Arc;

use carafe::engine::Sessions;
use carafe::{Error, ErrorKind, MemoryStore};
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use carafe_sqlite::SqliteStore;

/// A store of one of the kinds that there are. Its clones are the same store.
#[derive(Clone)]
pub(crate) enum Store {
    Memory(Arc<MemoryStore>),
    Sqlite(Arc<SqliteStore>),
    Redis(Arc<RedisStore>),
    Postgres(Arc<PostgresStore>),
}

impl Store {
    /// Opens the store that a URL names. Servers are connected to when they are first needed.
    pub(crate) fn open(url: &str) -> Result<Self, Error> {
        let scheme = url.split([':', '-']).next().unwrap_or_default();
        match scheme {
            "memory" => Ok(Self::Memory(Arc::new(MemoryStore::new()))),
            "sqlite" => {
                let path = url.strip_prefix("sqlite:").unwrap_or(url);
                // As SQLAlchemy writes it, too: three slashes before a path.
                let path = path.strip_prefix("///").unwrap_or(path);
                SqliteStore::open(path).map(|store| Self::Sqlite(Arc::new(store))).map_err(failed)
            }
            "redis" | "rediss" | "valkey" | "valkeys" => {
                RedisStore::new(url).map(|store| Self::Redis(Arc::new(store))).map_err(failed)
            }
            "postgres" | "postgresql" => {
                PostgresStore::new(url).map(|store| Self::Postgres(Arc::new(store))).map_err(failed)
            }
            _ => Err(Error::new(
                ErrorKind::Setting,
                "the URL of the session store begins with none of memory:, sqlite:, redis:, rediss:, \
                 valkey:, postgres: and postgresql:",
            )),
        }
    }

    /// The same sessions, kept in this store.
    pub(crate) fn keep(&self, sessions: Sessions) -> Sessions {
        match self {
            Self::Memory(store) => sessions.in_store(Arc::clone(store)),
            Self::Sqlite(store) => sessions.in_store(Arc::clone(store)),
            Self::Redis(store) => sessions.in_store(Arc::clone(store)),
            Self::Postgres(store) => sessions.in_store(Arc::clone(store)),
        }
    }
}

fn failed(error: carafe::store::StoreError) -> Error {
    let message = format!("the session store can't be opened: {error}");
    Error::new(ErrorKind::Store, message).with_source(error)
}
