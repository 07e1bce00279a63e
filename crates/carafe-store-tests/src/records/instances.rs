use std::future::Future as _;
use std::task::{Context, Waker};

use carafe::store::{Deleted, RevocationStore, SessionStore as _, Updated, Version};

use crate::Fixture;
use crate::support::{
    NOW, create, ids_of, is_there, load, new_id, record_of, record_with, written,
};

/// A write of one process is visible to the other as soon as it is answered.
pub async fn processes_see_each_others_writes_at_once(fixture: impl Fixture) {
    let (one, two) = (fixture.open().await, fixture.open().await);
    for number in 0..50 {
        let id = create(&one, &record_of("ada")).await;
        assert!(is_there(&two, &id).await);
        let next = record_with(format!("{number}"));
        let version = written(two.update(&id, Version(1), &next, NOW).await.unwrap());
        assert_eq!(load(&one, &id).await.record, next);
        let late = one.update(&id, Version(1), &record_with("late"), NOW).await.unwrap();
        assert_eq!(late, Updated::Conflict);
        assert_eq!(one.delete(&id, Some(version)).await.unwrap(), Deleted::Deleted);
        assert!(!is_there(&two, &id).await);
        let late = two.update(&id, version, &record_with("late"), NOW).await.unwrap();
        assert_eq!(late, Updated::Gone);
        two.revoke(&id, NOW + 100, NOW).await.unwrap();
        assert!(one.revocations(&id, None, NOW).await.unwrap().session);
    }
    assert_eq!(ids_of(&two, "ada").await, []);
}

/// Records are there when the store is opened again.
pub async fn what_was_written_outlives_the_connection(fixture: impl Fixture) {
    let (kept, gone, revoked) = (new_id(), new_id(), new_id());
    // Another store stays open, so that a store in memory has a place to stay.
    let _open = fixture.open().await;
    {
        let store = fixture.open().await;
        assert!(store.create(&kept, &record_of("ada"), NOW).await.unwrap());
        assert!(store.create(&gone, &record_of("ada"), NOW).await.unwrap());
        written(store.update(&kept, Version(1), &record_of("bob"), NOW).await.unwrap());
        store.delete(&gone, None).await.unwrap();
        store.revoke(&revoked, NOW + 100, NOW).await.unwrap();
    }
    let store = fixture.open().await;
    assert_eq!(ids_of(&store, "bob").await, [kept]);
    assert!(!is_there(&store, &gone).await);
    assert!(store.revocations(&revoked, None, NOW).await.unwrap().session);
}

/// A call whose caller has left has all of its effect or none, and harms nothing else.
pub async fn a_call_that_is_dropped_is_whole_or_nothing(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record_with("0")).await;
    let mut context = Context::from_waker(Waker::noop());
    for number in 1..100u64 {
        let before = load(&store, &id).await;
        let next = record_with(format!("{number}"));
        {
            let update = std::pin::pin!(store.update(&id, before.version, &next, NOW));
            let _ = update.poll(&mut context);
        }
        {
            let delete = std::pin::pin!(store.delete(&id, Some(Version(u64::MAX))));
            let _ = delete.poll(&mut context);
        }
        let after = load(&store, &id).await;
        if after.version == before.version {
            assert_eq!(after.record, before.record);
        } else {
            assert_eq!(after.record, next);
        }
        // The write may still be under way; another with the same expectation settles it.
        store.update(&id, before.version, &next, NOW).await.unwrap();
        assert_eq!(load(&store, &id).await.record, next);
    }
}
