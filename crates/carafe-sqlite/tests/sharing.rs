//! Other users of the file: of the system, and of other services.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::{Record, RevocationStore, SessionStore as _, StoreErrorKind, UserRevocation};
use carafe_sqlite::{SqliteOptions, SqliteStore};

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

async fn create(store: &SqliteStore) -> SessionIdHash {
    let id = SessionId::random().unwrap().hash();
    let mut record = Record::new(PublicId::random().unwrap(), NOW, 3_600, 86_400);
    record.user = Some("ann".to_owned());
    assert!(store.create(&id, &record, NOW).await.unwrap());
    id
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_everyone_may_write_to_is_refused() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let of = |end| folder.path().join(format!("sessions.db{end}"));
    let mode = |end| fs::metadata(of(end)).unwrap().permissions().mode() & 0o777;
    let set = |end, mode| fs::set_permissions(of(end), Permissions::from_mode(mode)).unwrap();
    let first = SqliteStore::open(&path).unwrap();
    create(&first).await;
    for end in ["", "-wal", "-shm"] {
        assert_eq!(mode(end), 0o600, "{end}");
        for bad in [0o666, 0o602, 0o622 | 0o777] {
            set(end, bad);
            let error = SqliteStore::open(&path).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
        // The right of other users to read is taken away; a group is the administrator's choice.
        for (before, after) in [(0o644, 0o640), (0o664, 0o660), (0o604, 0o600)] {
            set(end, before);
            assert_eq!(
                SqliteStore::open(&path).unwrap().list_for_user("ann", NOW).await.unwrap().len(),
                1
            );
            assert_eq!(mode(end), after, "{end}");
        }
        set(end, 0o600);
    }
    // A file that was made by hand.
    let (other, empty) = (of("-2"), "");
    fs::write(&other, empty).unwrap();
    set("-2", 0o666);
    assert!(SqliteStore::open(&other).is_err());
}

#[tokio::test]
async fn services_with_different_prefixes_share_nothing_but_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let open = |prefix: &str| SqliteOptions::new(&path).prefix(prefix).open().unwrap();
    let stores = ["", "shop", "shop-2", "user", "revoked"].map(open);
    let mut ids = Vec::new();
    for store in &stores {
        ids.push(create(store).await);
    }
    for (store, own) in stores.iter().zip(&ids) {
        let listed = store.list_for_user("ann", NOW).await.unwrap();
        assert_eq!(listed.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), [*own]);
        let id = SessionId::random().unwrap().hash();
        store.revoke(&id, NOW + 9, NOW).await.unwrap();
        store
            .revoke_user("bob", UserRevocation { logins_up_to: NOW, until: NOW + 9 }, NOW)
            .await
            .unwrap();
        for other in &stores {
            let found = other.revocations(&id, Some("bob"), NOW).await.unwrap();
            assert_eq!(found.session, std::ptr::eq(other, store));
        }
    }
    assert_eq!(stores[1].delete_for_user("ann", None).await.unwrap(), 1);
    for (number, (store, own)) in stores.iter().zip(&ids).enumerate() {
        assert_eq!(store.load(own, NOW).await.unwrap().is_some(), number != 1);
    }
    // Opened again, each finds its own.
    assert!(open("shop-2").load(&ids[2], NOW).await.unwrap().is_some());
}

#[test]
fn a_prefix_that_no_table_can_have_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for prefix in ["Shop", "a\"b", "a:b", "a b", &"a".repeat(65)] {
        let options = SqliteOptions::new(folder.path().join("sessions.db")).prefix(prefix);
        assert_eq!(options.open().unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_program_that_looks_after_sessions_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("sessions.db")).create_if_missing(false);
    assert_eq!(options.clone().open().unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    let service = SqliteStore::open(folder.path().join("sessions.db")).unwrap();
    create(&service).await;
    let error = options.clone().prefix("shop").open().unwrap_err();
    assert!(error.to_string().contains("is the prefix right"), "{error}");
    assert_eq!(options.open().unwrap().list_for_user("ann", NOW).await.unwrap().len(), 1);
}
