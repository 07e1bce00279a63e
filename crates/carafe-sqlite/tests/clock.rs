//! The file's knowledge of the time, which outlives the processes that have it open.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::{Record, SessionStore as _};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::{Connection, params};
use tempfile::TempDir;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    (folder, path)
}

fn id() -> SessionIdHash {
    SessionId::random().unwrap().hash()
}

fn record() -> Record {
    Record::new(PublicId::random().unwrap(), NOW, HOUR, DAY)
}

/// Removes expired records in another process, and returns their number.
async fn sweep(path: &Path, now: UnixSeconds) -> u64 {
    SqliteStore::open(path).unwrap().delete_expired(now, 100).await.unwrap()
}

#[tokio::test]
async fn a_doubt_outlives_the_process_that_has_it() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    assert!(store.create(&id(), &record(), NOW).await.unwrap());
    let ahead = NOW + 400 * DAY;
    for now in [ahead, ahead + HOUR, ahead + DAY - 1] {
        assert_eq!(sweep(&path, now).await, 0);
    }
    // Nothing has contradicted it for a day.
    assert_eq!(sweep(&path, ahead + DAY).await, 1);
    // Another process contradicts it: the day begins anew.
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(sweep(&path, NOW).await, 0);
    assert!(store.create(&id(), &record(), NOW).await.unwrap());
    for now in [ahead + 2 * DAY, NOW + 1, ahead + 3 * DAY, ahead + 4 * DAY - 1] {
        assert_eq!(sweep(&path, now).await, 0);
    }
    assert_eq!(sweep(&path, ahead + 4 * DAY).await, 1);
}

/// Puts the tables of the first version into a file, with one session.
fn write_first_version(file: &Connection, prefix: &str, id: &SessionIdHash, record: &Record) {
    file.execute_batch(&include_str!("../src/schema.sql").replace('%', prefix)).unwrap();
    let ends = i64::try_from(record.ends().0).unwrap();
    let insert = format!(
        "INSERT INTO \"{prefix}session\" (id, version, ends, record) VALUES (?1, 1, ?2, ?3)"
    );
    file.execute(&insert, params![id.as_bytes(), ends, record.to_bytes()]).unwrap();
}

/// Each service of a file brings its own tables up to date.
#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date() {
    let (_folder, path) = folder();
    let (id, record) = (id(), record());
    let old = Connection::open(&path).unwrap();
    for prefix in ["", "shop:"] {
        write_first_version(&old, prefix, &id, &record);
    }
    old.pragma_update(None, "application_id", 0x4361_7261).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    drop(old);
    for prefix in ["", "shop", "new"] {
        let store = SqliteOptions::new(&path).prefix(prefix).open().unwrap();
        if prefix == "new" {
            assert!(store.create(&id, &record, NOW).await.unwrap());
        }
        assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().record, record);
        // The sessions that are there show the time, as far as it is known.
        assert_eq!(store.delete_expired(NOW + 400 * DAY, 100).await.unwrap(), 0);
        assert_eq!(store.delete_expired(NOW + HOUR, 100).await.unwrap(), 1);
    }
}
