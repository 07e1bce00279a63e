//! A name that leads to another server.

use carafe::store::{SessionStore as _, StoreErrorKind, Updated, Version};

use super::own::{Path, Server};
use super::{NOW, id, record};

/// The former primary lives on, as a replica: it answers, and takes no writes.
#[tokio::test]
async fn a_primary_that_has_become_a_replica_costs_one_write() {
    let (one, two) = (Server::start(&[]).await, Server::start(&[]).await);
    let path = Path::to(&one).await;
    let store = path.options().open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    two.follow(&one).await;
    two.command(&["REPLICAOF", "NO", "ONE"]).await;
    path.turn_to(&two);
    one.follow(&two).await;
    let error = store.update(&id, Version(1), &record(None), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("READONLY"), "{error}");
    let updated = store.update(&id, Version(1), &record(None), NOW).await.unwrap();
    assert_eq!(updated, Updated::Written(Version(2)));
}

#[tokio::test]
async fn a_server_without_memory_is_full_and_ends_sessions_still() {
    let server = Server::start(&[]).await;
    let store = server.options().open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    store.update(&id, Version(1), &record(Some("ann")), NOW).await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "100kb"]).await;
    let error = store.update(&id, Version(2), &record(Some("ann")), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full, "{error}");
    assert!(store.load(&id, NOW).await.unwrap().is_some());
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 1);
}
