//! Stores by their URLs.

use std::fmt;
use std::sync::Arc;

use carafe::engine::Sessions;
use carafe::store::MemoryStore;
use carafe::{Error, ErrorKind};
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use carafe_sqlite::SqliteStore;
use pyo3::prelude::*;

use crate::error::raise;
use crate::process::{self, Owned};

/// A store by its URL. It belongs to the process that opened it.
#[pyclass(frozen, module = "carafe_sessions._core")]
pub(crate) struct Store(Owned<Kind>);

#[pymethods]
impl Store {
    /// Opens the store that a URL names. Servers are connected to when they are first needed.
    #[new]
    fn new(py: Python<'_>, url: &str) -> PyResult<Self> {
        // A store may start threads, or open a file.
        let opened = process::wait(py, async { Kind::open(url) })?;
        Ok(Self(Owned::new(opened.map_err(|error| raise(py, &error))?)))
    }
}

impl Store {
    pub(crate) fn get(&self) -> PyResult<&Kind> {
        self.0.get()
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may have a password in it.
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// A store of any kind. Its clones are the same store.
#[derive(Clone)]
pub(crate) enum Kind {
    Memory(Arc<MemoryStore>),
    Sqlite(Arc<SqliteStore>),
    Redis(Arc<RedisStore>),
    Postgres(Arc<PostgresStore>),
}

impl Kind {
    fn open(url: &str) -> Result<Self, Error> {
        let scheme = url.split([':', '-']).next().unwrap_or_default();
        match scheme {
            "memory" => Ok(Self::Memory(Arc::new(MemoryStore::new()))),
            "sqlite" => {
                let path = url.strip_prefix("sqlite:").unwrap_or(url);
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

    /// Returns the same sessions, kept in this store.
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
