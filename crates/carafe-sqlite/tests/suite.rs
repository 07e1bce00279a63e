//! SQLite passes the suite, with two connections on one file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use carafe_sqlite::SqliteStore;
use carafe_store_tests::Fixture;
use tempfile::TempDir;

struct File(TempDir);

impl Fixture for File {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        SqliteStore::open(self.0.path().join("sessions.db")).unwrap()
    }

    fn tells_other_processes(&self) -> bool {
        false
    }
}

async fn file() -> File {
    File(tempfile::tempdir().unwrap())
}

carafe_store_tests::suite!(file);
