//! Tests against a real server, whose URL is in `CARAFE_POSTGRES_URL`, as a user who may create
//! others, and where these need no password. It may lead to PgBouncer, if that lets any user through;
//! if it doesn't, and `CARAFE_POSTGRES_PREPARED` is 1, the server remembers statements.
//!
//! Tests for which no pooler may be in between have another server, with TLS: see `encryption`.
//!
//! `cargo xtask test --only postgres` starts servers and runs them.

mod database;
mod encryption;
mod faults;
mod hosts;
mod isolation;
mod passwords;
mod paused;
mod prepared;
mod scan;
mod schemas;
mod siblings;
mod states;
mod tables;
mod wire;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::Record;
use carafe_postgres::PostgresStore;
use carafe_store_tests::Fixture;

use crate::database::Database;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

impl Fixture for Database {
    type Store = PostgresStore;

    async fn open(&self) -> PostgresStore {
        self.store()
    }

    /// PgBouncer that pools by transaction passes nothing on.
    fn tells_other_processes(&self) -> bool {
        database::is_prepared()
    }
}

async fn database() -> Database {
    Database::create().await
}

carafe_store_tests::suite!(database);

pub(crate) fn id() -> SessionIdHash {
    SessionId::random().unwrap().hash()
}

pub(crate) fn record(user: Option<&str>) -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), NOW, 3600, 86_400);
    record.user = user.map(str::to_owned);
    record.data = br#"{"a":1}"#.to_vec();
    record
}
