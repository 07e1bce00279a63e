//! Going through all records.

use carafe::store::{RevocationStore, UserRevocation};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use carafe::store::SessionStore as _;
use carafe_redis::RedisStore;

use super::{NOW, id, prefix, record, store, url};

#[tokio::test]
async fn a_scan_sees_every_record_and_nothing_else() {
    let (store, _) = store();
    let mut expected = BTreeMap::new();
    for n in 0..2500 {
        let (id, record) = (id(), record((n % 3 == 0).then_some("ann")));
        store.create(&id, &record, NOW).await.unwrap();
        expected.insert(id, record);
    }
    // Other keys of the same store.
    store.revoke(&id(), NOW + 500, NOW).await.unwrap();
    store
        .revoke_user("ann", UserRevocation { logins_up_to: NOW, until: NOW + 500 }, NOW)
        .await
        .unwrap();
    let mut seen = BTreeMap::new();
    let visit = |id, stored: Result<carafe::store::Stored, _>| {
        seen.insert(id, stored.unwrap().record);
        ControlFlow::Continue(())
    };
    store.scan(visit).await.unwrap();
    assert!(seen == expected, "{} of {}", seen.len(), expected.len());
}

#[tokio::test]
async fn a_scan_takes_its_prefix_as_it_is_and_ends_when_it_is_told_to() {
    let own = format!("{}[*]?", prefix());
    let open = |prefix: &str| RedisStore::options(url()).prefix(prefix).open().unwrap();
    let (store, other) = (open(&own), open(&own.replace("[*]?", "*x")));
    for _ in 0..3 {
        store.create(&id(), &record(None), NOW).await.unwrap();
        other.create(&id(), &record(None), NOW).await.unwrap();
    }
    let count = async |store: &RedisStore, limit: u32| {
        let mut seen = 0;
        let visit = |_, _| {
            seen += 1;
            if seen < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        store.scan(visit).await.unwrap();
        seen
    };
    assert_eq!((count(&store, 99).await, count(&other, 99).await), (3, 3));
    assert_eq!(count(&store, 2).await, 2);
}
