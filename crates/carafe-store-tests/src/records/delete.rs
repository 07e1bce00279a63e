use carafe::store::{Deleted, SessionStore as _, Version};

use crate::Fixture;
use crate::support::{NOW, create, ids_of, is_there, load, new_id, record, record_of, written};

/// A record that was deleted is gone, and can't be deleted again.
pub async fn a_deleted_record_is_gone(fixture: impl Fixture) {
    let store = fixture.open().await;
    for version in [None, Some(Version(1))] {
        let id = create(&store, &record_of("ada")).await;
        let other = create(&store, &record()).await;
        assert_eq!(store.delete(&id, version).await.unwrap(), Deleted::Deleted);
        assert!(!is_there(&store, &id).await);
        assert!(is_there(&store, &other).await);
        assert_eq!(ids_of(&store, "ada").await, []);
        assert_eq!(store.delete(&id, version).await.unwrap(), Deleted::Gone);
    }
}

/// A missing record can't be deleted.
pub async fn deleting_a_missing_record_says_so(fixture: impl Fixture) {
    let store = fixture.open().await;
    for version in [None, Some(Version(1))] {
        assert_eq!(store.delete(&new_id(), version).await.unwrap(), Deleted::Gone);
    }
}

/// A deletion that expects another version deletes nothing.
pub async fn deleting_another_version_is_a_conflict(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record_of("ada")).await;
    let version = written(store.update(&id, Version(1), &record_of("ada"), NOW).await.unwrap());
    for other in [0, 1, version.0 + 1, u64::MAX] {
        let deleted = store.delete(&id, Some(Version(other))).await.unwrap();
        assert_eq!(deleted, Deleted::Conflict, "version {other}");
    }
    assert_eq!(load(&store, &id).await.version, version);
    assert_eq!(ids_of(&store, "ada").await, [id]);
    assert_eq!(store.delete(&id, Some(version)).await.unwrap(), Deleted::Deleted);
    assert!(!is_there(&store, &id).await);
}
