//! Going through all records.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::{Record, SessionStore as _, StoreError, StoreErrorKind, Stored};
use carafe_sqlite::{SqliteOptions, SqliteStore, Synchronous};

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

async fn filled(path: &std::path::Path, records: usize) -> BTreeMap<SessionIdHash, Record> {
    let options = SqliteOptions::new(path).synchronous(Synchronous::Normal);
    let store = options.open().unwrap();
    let mut all = BTreeMap::new();
    for n in 0..records {
        let id = SessionId::random().unwrap().hash();
        // Some of them have expired.
        let mut record = Record::new(PublicId::random().unwrap(), NOW - n as u64, 1000, 2000);
        record.user = (n % 3 == 0).then(|| "ann".to_owned());
        store.create(&id, &record, NOW).await.unwrap();
        all.insert(id, record);
    }
    all
}

async fn scanned(store: &SqliteStore) -> Vec<(SessionIdHash, Result<Stored, StoreError>)> {
    let mut seen = Vec::new();
    let visit = |id, stored| {
        seen.push((id, stored));
        ControlFlow::Continue(())
    };
    store.scan(visit).await.unwrap();
    seen
}

#[tokio::test]
async fn a_scan_sees_every_record_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for records in [0, 1, 999, 1000, 1001] {
        let path = folder.path().join(format!("{records}.db"));
        let expected = filled(&path, records).await;
        let store = SqliteStore::open(&path).unwrap();
        let seen = scanned(&store).await;
        let seen: Vec<_> = seen.into_iter().map(|(id, s)| (id, s.unwrap().record)).collect();
        assert!(seen == expected.into_iter().collect::<Vec<_>>(), "{} of {records}", seen.len());
    }
}

#[tokio::test]
async fn a_scan_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    filled(&path, 20).await;
    let store = SqliteStore::open(&path).unwrap();
    let mut seen = 0;
    let visit = |_, _| {
        seen += 1;
        if seen < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    store.scan(visit).await.unwrap();
    assert_eq!(seen, 10);
}

#[tokio::test]
async fn a_record_that_cant_be_read_does_not_end_a_scan() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    filled(&path, 3).await;
    let damage = "UPDATE session SET record = x'00' WHERE id = (SELECT min(id) FROM session)";
    rusqlite::Connection::open(&path).unwrap().execute_batch(damage).unwrap();
    let seen = scanned(&SqliteStore::open(&path).unwrap()).await;
    let kinds: Vec<_> = seen.into_iter().map(|(_, s)| s.err().map(|e| e.kind())).collect();
    assert_eq!(kinds, [Some(StoreErrorKind::Corrupt), None, None]);
}
