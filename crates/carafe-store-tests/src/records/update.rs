use carafe::store::{SessionStore as _, Updated, Version};

use crate::Fixture;
use crate::support::{
    NOW, create, ids_of, load, new_id, pointer, record, record_of, record_with, sorted, written,
};

/// An update replaces the record, and every update gives it a higher version.
pub async fn an_update_replaces_the_record(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record()).await;
    let mut version = Version(1);
    for number in 0..5 {
        let next = record_with(format!("{number}"));
        let new = written(store.update(&id, version, &next, NOW).await.unwrap());
        assert!(new > version, "the version has to grow");
        version = new;
        let stored = load(&store, &id).await;
        assert_eq!((stored.record, stored.version), (next, version));
    }
}

/// An update that expects an earlier version writes nothing.
pub async fn an_update_of_an_old_version_is_a_conflict(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record_with("first")).await;
    let second = record_with("second");
    let version = written(store.update(&id, Version(1), &second, NOW).await.unwrap());
    let late = store.update(&id, Version(1), &record_with("late"), NOW).await.unwrap();
    assert_eq!(late, Updated::Conflict);
    let stored = load(&store, &id).await;
    assert_eq!((stored.record, stored.version), (second, version));
}

/// An update that expects a version that never was writes nothing.
pub async fn an_update_of_an_unknown_version_is_a_conflict(fixture: impl Fixture) {
    let store = fixture.open().await;
    let first = record_with("first");
    let id = create(&store, &first).await;
    for version in [0, 2, u64::MAX] {
        let next = record_with("next");
        let updated = store.update(&id, Version(version), &next, NOW).await.unwrap();
        assert_eq!(updated, Updated::Conflict, "version {version}");
    }
    assert_eq!(load(&store, &id).await.record, first);
}

/// An update never adds a record that isn't there.
pub async fn an_update_never_adds_a_record(fixture: impl Fixture) {
    let store = fixture.open().await;
    for version in [0, 1, 2] {
        let id = new_id();
        let updated = store.update(&id, Version(version), &record(), NOW).await.unwrap();
        assert_eq!(updated, Updated::Gone, "version {version}");
        assert_eq!(store.load(&id, NOW).await.unwrap(), None);
    }
}

/// An update never brings back a record that was deleted.
pub async fn an_update_never_brings_a_record_back(fixture: impl Fixture) {
    let store = fixture.open().await;
    let record = record_of("ada");
    let id = create(&store, &record).await;
    store.delete(&id, None).await.unwrap();
    assert_eq!(store.update(&id, Version(1), &record, NOW).await.unwrap(), Updated::Gone);
    assert_eq!(store.load(&id, NOW).await.unwrap(), None);
    assert_eq!(ids_of(&store, "ada").await, []);
}

/// An update can give a record to another user, and can take its user away.
pub async fn an_update_moves_a_record_to_its_user(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record()).await;
    let mut version = Version(1);
    for user in [Some("ada"), Some("bob"), None, Some("ada")] {
        let mut next = record();
        next.user = user.map(str::to_owned);
        version = written(store.update(&id, version, &next, NOW).await.unwrap());
        for name in ["ada", "bob"] {
            let expected = if user == Some(name) { vec![id] } else { Vec::new() };
            assert_eq!(ids_of(&store, name).await, expected);
        }
    }
}

/// A record can become a pointer to the id that its session has now. A pointer is in no user's
/// list.
pub async fn an_update_makes_a_pointer(fixture: impl Fixture) {
    let store = fixture.open().await;
    let (old, new) =
        (create(&store, &record_of("ada")).await, create(&store, &record_of("ada")).await);
    assert_eq!(ids_of(&store, "ada").await, sorted([old, new]));
    let moved = pointer(new, NOW + 10);
    written(store.update(&old, Version(1), &moved, NOW).await.unwrap());
    assert_eq!(load(&store, &old).await.record, moved);
    assert_eq!(ids_of(&store, "ada").await, [new]);
}
