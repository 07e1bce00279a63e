//! Files that can't be read, or written: one clear error each, nothing lost, and recovery by itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::{
    Deleted, Record, SessionStore as _, StoreError, StoreErrorKind, Updated, Version,
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

/// Names the file that a process of [`Holder`] is to hold.
const HELD: &str = "CARAFE_TEST_HELD_FILE";

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    (folder, path)
}

fn id() -> SessionIdHash {
    SessionId::random().unwrap().hash()
}

fn record(size: usize) -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), NOW, 3_600, 86_400);
    record.data = vec![b'x'; size];
    record
}

async fn create(store: &SqliteStore, size: usize) -> Result<SessionIdHash, StoreError> {
    let id = id();
    assert!(store.create(&id, &record(size), NOW).await?);
    Ok(id)
}

/// The files that SQLite keeps, and what they hold.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let (folder, path) = folder();
    fs::write(&path, "this is my diary, and not a database\n".repeat(200)).unwrap();
    let before = files(folder.path());
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        error.to_string(),
        "SQLite could not open the file: file is not a database (code 26)"
    );
    assert_eq!(files(folder.path()), before);
}

#[tokio::test]
async fn another_applications_file_is_refused() {
    let (_folder, path) = folder();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE diary (text); INSERT INTO diary VALUES ('dear')").unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("another application's"), "{error}");
    let tables = "SELECT group_concat(name) FROM sqlite_schema";
    let tables: String = other.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, "diary");
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_and_kept() {
    let (_folder, path) = folder();
    let id = create(&SqliteStore::open(&path).unwrap(), 10).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let version = |number: i64| connection.pragma_update(None, "user_version", number).unwrap();
    let ours: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    for later in [ours + 1, i64::from(i32::MAX), -1] {
        version(later);
        let error = SqliteStore::open(&path).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("a later version of carafe-sqlite"), "{error}");
        let now: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(now, later);
    }
    version(ours);
    let store = SqliteStore::open(&path).unwrap();
    assert!(store.load(&id, NOW).await.unwrap().is_some());
}

/// A disk that has damaged pages of the file: their records are errors and never missing, so that
/// no visitor gets an empty session instead of their own.
#[tokio::test]
async fn a_damaged_file_is_an_error_and_never_an_empty_session() {
    let (folder, path) = folder();
    let mut ids = Vec::new();
    {
        let store = SqliteStore::open(&path).unwrap();
        for _ in 0..500 {
            ids.push(create(&store, 200).await.unwrap());
        }
    }
    // The threads of the store put the log into the file when they have ended.
    let begin = Instant::now();
    while folder.path().read_dir().unwrap().count() > 1 {
        assert!(begin.elapsed() < Duration::from_secs(10), "the store never closes its file");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let good = fs::read(&path).unwrap();
    let mut bad = good.clone();
    // The first page tells what the file is: without it, it would be refused when it is opened.
    for byte in bad.iter_mut().skip(4096) {
        *byte = 0xa5;
    }
    fs::write(&path, &bad).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    for id in &ids[..20] {
        assert_eq!(store.load(id, NOW).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    let error = store.update(&ids[0], Version(1), &record(1), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("malformed"), "{error}");
    assert_eq!(create(&store, 10).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(store.delete(&ids[0], None).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    drop(store);
    // With the backup all of them are there.
    for (file, _) in files(folder.path()) {
        fs::remove_file(file).unwrap();
    }
    fs::write(&path, &good).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    for id in &ids {
        assert!(store.load(id, NOW).await.unwrap().is_some());
    }
}

/// A file that has become as large as it may.
#[tokio::test]
async fn a_full_disk_refuses_new_sessions_and_loses_none() {
    let (_folder, path) = folder();
    let store = SqliteOptions::new(&path).max_mib(1).open().unwrap();
    let mut ids = Vec::new();
    let error = loop {
        match create(&store, 4_000).await {
            Ok(id) => ids.push(id),
            Err(error) => break error,
        }
    };
    assert!(ids.len() > 100, "{}", ids.len());
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert!(error.to_string().contains("full"), "{error}");
    for id in &ids {
        assert_eq!(store.load(id, NOW).await.unwrap().unwrap().record.data.len(), 4_000);
    }
    // Writes that need no room go on, also beside writes that do.
    let (one, two) = (ids[0], ids[1]);
    let (large, small, same, gone) = (record(30_000), record(5), record(4_000), ids.pop().unwrap());
    let (refused, written, again, deleted) = tokio::join!(
        store.create(&one, &large, NOW),
        store.update(&one, Version(1), &small, NOW),
        store.update(&two, Version(1), &same, NOW),
        store.delete(&gone, Some(Version(1))),
    );
    assert!(refused.is_ok_and(|created| !created), "there was one under this id");
    assert_eq!(written.unwrap(), Updated::Written(Version(2)));
    assert_eq!(again.unwrap(), Updated::Written(Version(2)));
    assert_eq!(deleted.unwrap(), Deleted::Deleted);
    let last = ids.pop().unwrap();
    let (refused, deleted) =
        tokio::join!(create(&store, 60_000), store.delete(&last, Some(Version(1))));
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Full);
    assert_eq!(deleted.unwrap(), Deleted::Deleted);
    // Room that was made free is used again.
    assert!(create(&store, 4_000).await.is_ok());
    assert!(store.delete_expired(NOW + 3_600, 10_000).await.unwrap() > 100);
    for _ in 0..100 {
        create(&store, 4_000).await.unwrap();
    }
    drop(store);
    let kib = fs::metadata(&path).unwrap().len() / 1024;
    assert!(kib <= 1024, "{kib} KiB");
}

/// Another process, which has begun to write to a file and doesn't end it.
struct Holder(Child, Lines<BufReader<ChildStdout>>);

impl Holder {
    fn of(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "a_file_that_another_process_holds_is_an_error_in_time",
                "--nocapture",
            ])
            .env(HELD, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("held")));
        Self(child, lines)
    }

    fn let_go(mut self) {
        self.0.stdin.take().unwrap().write_all(b"enough\n").unwrap();
        assert!(self.0.wait().unwrap().success());
        drop(self.1);
    }

    /// Ends it as `kill -9` does.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The work of a [`Holder`]'s process.
fn hold(path: OsString) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM session").unwrap();
    println!("\nheld");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    connection.execute_batch("ROLLBACK").unwrap();
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_an_error_in_time() {
    if let Some(path) = std::env::var_os(HELD) {
        return hold(path);
    }
    let (_folder, path) = folder();
    let patience = Duration::from_millis(300);
    let options = SqliteOptions::new(&path).busy_timeout(patience);
    let store = options.clone().open().unwrap();
    let id = create(&store, 10).await.unwrap();
    let holder = Holder::of(&path);
    let begin = Instant::now();
    let error = store.update(&id, Version(1), &record(20), NOW).await.unwrap_err();
    let waited = begin.elapsed();
    assert!(waited >= patience && waited < 10 * patience, "{waited:?}");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("another process was writing"), "{error}");
    // A reader doesn't notice the lock.
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().version, Version(1));
    let error = options.open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("another process was writing"), "{error}");
    holder.let_go();
    let updated = store.update(&id, Version(1), &record(20), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
    // A killed process lets go, too, and its unfinished write is undone.
    let holder = Holder::of(&path);
    assert!(create(&store, 10).await.is_err());
    holder.kill();
    create(&store, 10).await.unwrap();
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().version, Version(2));
}
