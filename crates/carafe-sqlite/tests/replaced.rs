//! A file that is removed, moved or replaced under a running process.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::{
    Deleted, Record, RevocationStore, SessionStore as _, StoreErrorKind, Updated, UserRevocation,
    Version,
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;
use tempfile::TempDir;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    (folder, path)
}

fn record() -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), NOW, 3_600, 86_400);
    record.user = Some("ann".to_owned());
    record.data = vec![b'x'; 500];
    record
}

async fn create(store: &SqliteStore) -> SessionIdHash {
    let id = SessionId::random().unwrap().hash();
    assert!(store.create(&id, &record(), NOW).await.unwrap());
    id
}

/// A path with another end.
fn beside(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", path.display()))
}

fn back_up(path: &Path, to: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
}

fn check_integrity(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let found: String = connection.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(found, "ok");
}

async fn is_refused(store: &SqliteStore, id: &SessionIdHash) {
    let unavailable = StoreErrorKind::Unavailable;
    let new = SessionId::random().unwrap().hash();
    assert_eq!(store.create(&new, &record(), NOW).await.unwrap_err().kind(), unavailable);
    let error = store.update(id, Version(1), &record(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), unavailable);
    assert!(error.to_string().contains("isn't there any more"), "{error}");
    assert_eq!(store.load(id, NOW).await.unwrap_err().kind(), unavailable);
    assert_eq!(store.delete(id, None).await.unwrap_err().kind(), unavailable);
    assert_eq!(
        store
            .revoke_user("ann", UserRevocation { logins_up_to: NOW, until: NOW + 9 }, NOW)
            .await
            .unwrap_err()
            .kind(),
        unavailable
    );
    assert_eq!(store.revocations(id, None, NOW).await.unwrap_err().kind(), unavailable);
}

#[tokio::test]
async fn a_removed_file_acknowledges_nothing() {
    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let id = create(&store).await;
    for file in folder.path().read_dir().unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    is_refused(&store, &id).await;
    assert!(!path.exists(), "a new file would hide that the sessions are gone");
}

#[tokio::test]
async fn a_moved_file_is_used_again_once_it_is_back() {
    let (folder, path) = folder();
    let (one, two) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let id = create(&one).await;
    let elsewhere = folder.path().join("elsewhere.db");
    fs::rename(&path, &elsewhere).unwrap();
    is_refused(&one, &id).await;
    is_refused(&two, &id).await;
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(one.delete(&id, Some(Version(1))).await.unwrap(), Deleted::Deleted);
    assert_eq!(two.load(&id, NOW).await.unwrap(), None);
    check_integrity(&path);
}

#[tokio::test]
async fn a_backup_that_is_put_back_is_whole() {
    // With the log of the former file beside it, and without.
    for tidy in [false, true] {
        let (folder, path) = folder();
        let (one, two) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
        let mut kept = Vec::new();
        for _ in 0..50 {
            kept.push(create(&one).await);
        }
        let backup = folder.path().join("backup.db");
        back_up(&path, &backup);
        let mut lost = Vec::new();
        for number in 0..300 {
            lost.push(create(if number % 2 == 0 { &one } else { &two }).await);
        }
        if tidy {
            fs::remove_file(beside(&path, "-wal")).unwrap();
            fs::remove_file(beside(&path, "-shm")).unwrap();
        }
        fs::rename(&backup, &path).unwrap();
        let new = create(&two).await;
        for store in [&one, &two] {
            for id in kept.iter().chain([&new]) {
                assert!(store.load(id, NOW).await.unwrap().is_some());
            }
            for id in &lost {
                assert_eq!(store.load(id, NOW).await.unwrap(), None);
            }
        }
        let updated = one.update(&kept[0], Version(1), &record(), NOW).await.unwrap();
        assert_eq!(updated, Updated::Written(Version(2)));
        assert_eq!(two.delete_for_user("ann", None).await.unwrap(), 51);
        assert_eq!(one.load(&new, NOW).await.unwrap(), None);
        check_integrity(&path);
    }
}

/// A process that has used its file but once, and each of whose connections is another.
#[tokio::test]
async fn a_replaced_file_is_not_damaged_by_one_that_fails_first() {
    let (folder, path) = folder();
    let store = SqliteOptions::new(&path).readers(1).open().unwrap();
    create(&store).await;
    let backup = folder.path().join("backup.db");
    back_up(&path, &backup);
    for _ in 0..200 {
        create(&store).await;
    }
    let elsewhere = folder.path().join("elsewhere.db");
    fs::rename(&path, &elsewhere).unwrap();
    assert!(store.delete_expired(NOW, 9).await.is_err());
    fs::rename(&backup, &path).unwrap();
    assert_eq!(store.list_for_user("ann", NOW).await.unwrap().len(), 1);
    check_integrity(&path);
    // The file that was moved away has all that was acknowledged, without the log that it left.
    let former = Connection::open(&elsewhere).unwrap();
    let count = former.query_row("SELECT count(*) FROM session", [], |row| row.get::<_, u32>(0));
    assert_eq!(count.unwrap(), 201);
}

#[tokio::test]
async fn a_copy_that_has_just_begun_is_no_backup() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    create(&store).await;
    let all = ["", "-wal", "-shm"].map(|end| beside(&path, end));
    all.iter().for_each(|file| fs::remove_file(file).unwrap());
    fs::write(&path, "").unwrap();
    let error = store.list_for_user("ann", NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("lacks the tables"), "{error}");
}

#[tokio::test]
async fn a_log_that_is_removed_loses_nothing() {
    let (_folder, path) = folder();
    let (one, two) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(create(if number % 2 == 0 { &one } else { &two }).await);
    }
    fs::remove_file(beside(&path, "-wal")).unwrap();
    fs::remove_file(beside(&path, "-shm")).unwrap();
    // Each notices by itself; what the first can't know, another process may still have open.
    let mut refused = 0;
    for id in &ids {
        for store in [&one, &two] {
            match store.load(id, NOW).await {
                Ok(found) => assert!(found.is_some()),
                Err(error) => {
                    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused < 20, "{refused}");
    assert_eq!(one.delete_for_user("ann", None).await.unwrap(), 20);
    assert!(two.list_for_user("ann", NOW).await.unwrap().is_empty());
    check_integrity(&path);
}

#[tokio::test]
async fn a_path_that_is_no_file_s_leaves_no_file() {
    let before = fs::read_dir(".").unwrap().count();
    for path in [":memory:", "", "file:sessions.db?mode=memory", "file::memory:"] {
        let error = SqliteStore::open(path).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("MemoryStore"), "{error}");
    }
    assert_eq!(fs::read_dir(".").unwrap().count(), before);
}
