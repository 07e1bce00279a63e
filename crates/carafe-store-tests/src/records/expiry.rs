use carafe::UnixSeconds;
use carafe::store::{SessionStore as _, Version};

use crate::Fixture;
use crate::support::{
    ABSOLUTE, IDLE, NOW, create, ids_of, is_there, new_id, pointer, record, record_at, record_of,
    written,
};

/// Deletes what has expired, in batches, and returns how many records that were.
async fn sweep(store: &impl carafe::store::SessionStore, now: UnixSeconds, limit: u32) -> u64 {
    let mut deleted = 0;
    loop {
        let batch = store.delete_expired(now, limit).await.unwrap();
        deleted += batch;
        if batch < u64::from(limit) {
            return deleted;
        }
    }
}

/// Records are deleted when the first of their times has come, and not a second before.
pub async fn expired_records_are_deleted_to_the_second(fixture: impl Fixture) {
    if fixture.expires_by_itself() {
        return;
    }
    let store = fixture.open().await;
    let idle = create(&store, &record_of("ada")).await;
    let mut record = record();
    record.idle_expires = UnixSeconds::MAX;
    let absolute = create(&store, &record).await;
    let moved = create(&store, &pointer(new_id(), NOW + 10)).await;
    for (now, expired) in [(NOW + 10, moved), (NOW + IDLE, idle), (NOW + ABSOLUTE, absolute)] {
        assert_eq!(store.delete_expired(now - 1, 100).await.unwrap(), 0);
        assert!(is_there(&store, &expired).await);
        assert_eq!(store.delete_expired(now, 100).await.unwrap(), 1);
        assert!(!is_there(&store, &expired).await);
    }
    assert_eq!(ids_of(&store, "ada").await, []);
    assert_eq!(store.delete_for_user("ada", None).await.unwrap(), 0);
}

/// Expired records are deleted in batches, until fewer than a batch are left.
pub async fn expired_records_are_deleted_in_batches(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut expired = Vec::new();
    for age in 0..25 {
        expired.push(create(&store, &record_at(NOW - 1000 * age)).await);
    }
    let alive = create(&store, &record_at(NOW + 25 * IDLE)).await;
    let now = NOW + IDLE;
    if !fixture.expires_by_itself() {
        assert_eq!(store.delete_expired(now, 10).await.unwrap(), 10);
        let mut left = 0;
        for id in &expired {
            left += usize::from(is_there(&store, id).await);
        }
        assert_eq!(left, 15);
    }
    let deleted = sweep(&store, now, 5).await;
    if !fixture.expires_by_itself() {
        assert_eq!(deleted, 15);
        for id in &expired {
            assert!(!is_there(&store, id).await);
        }
    }
    assert!(is_there(&store, &alive).await);
    assert_eq!(store.delete_expired(now, 5).await.unwrap(), 0);
}

/// A record whose end was put off is not deleted at its former end.
pub async fn a_record_that_is_used_lives_on(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record()).await;
    let mut used = record();
    used.idle_expires = NOW + 2 * IDLE;
    let now = NOW + IDLE - 1;
    written(store.update(&id, Version(1), &used, now).await.unwrap());
    sweep(&store, NOW + IDLE, 10).await;
    assert!(store.load(&id, NOW + IDLE).await.unwrap().is_some());
}

/// A record whose end was brought forward is deleted then.
pub async fn a_record_can_be_made_to_end_sooner(fixture: impl Fixture) {
    if fixture.expires_by_itself() {
        return;
    }
    let store = fixture.open().await;
    let id = create(&store, &record()).await;
    written(store.update(&id, Version(1), &pointer(new_id(), NOW + 10), NOW).await.unwrap());
    assert_eq!(store.delete_expired(NOW + 10, 10).await.unwrap(), 1);
    assert!(!is_there(&store, &id).await);
}

/// The caller's clock counts, wherever it stands: a store that works with times to live doesn't
/// delete what a test's clock says is alive.
pub async fn the_callers_clock_counts(fixture: impl Fixture) {
    let store = fixture.open().await;
    for now in [1, 1_000_000, NOW.0, 32_503_680_000, 1 << 60].map(UnixSeconds) {
        let record = record_at(now);
        let id = new_id();
        assert!(store.create(&id, &record, now).await.unwrap());
        assert_eq!(store.load(&id, now).await.unwrap().unwrap().record, record, "at {now}");
        let mut next = record_at(now + 5);
        next.user = Some(format!("user at {now}"));
        written(store.update(&id, Version(1), &next, now + 5).await.unwrap());
        assert_eq!(store.load(&id, now + 5).await.unwrap().unwrap().record, next, "at {now}");
        let list = store.list_for_user(&format!("user at {now}"), now + 5).await.unwrap();
        assert_eq!(list.len(), 1, "at {now}");
        // A machine whose clock is a little behind.
        assert!(store.load(&id, now - 1).await.unwrap().is_some());
    }
}

/// Records that never end are kept, and overflow nothing.
pub async fn a_record_may_never_end(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut record = record_of("ada");
    record.idle_expires = UnixSeconds::MAX;
    record.expires = UnixSeconds::MAX;
    record.created = UnixSeconds::MAX;
    record.renewed = UnixSeconds::MAX;
    record.last_seen = UnixSeconds::MAX;
    record.logged_in = Some(UnixSeconds::MAX - 1);
    let id = create(&store, &record).await;
    let mut version = Version(1);
    for now in [0, NOW.0, 1 << 40].map(UnixSeconds) {
        sweep(&store, now, 10).await;
        let stored = store.load(&id, now).await.unwrap().expect("a record that never ends");
        assert_eq!(stored.record, record);
        version = written(store.update(&id, version, &record, now).await.unwrap());
        assert_eq!(store.list_for_user("ada", now).await.unwrap().len(), 1);
    }
}
