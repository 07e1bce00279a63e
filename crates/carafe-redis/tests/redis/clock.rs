//! A clock that stands still, as tests pause it.

use std::time::Duration;

use carafe::store::{SessionStore as _, StoreErrorKind, Updated, Version};
use carafe_redis::RedisStore;

use super::{NOW, id, record, store};

#[tokio::test(start_paused = true)]
async fn a_paused_clock_refuses_no_call() {
    let began = tokio::time::Instant::now();
    let (store, _) = store();
    for _ in 0..20 {
        let id = id();
        assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
        let updated = store.update(&id, Version(1), &record(Some("ann")), NOW).await.unwrap();
        assert_eq!(updated, Updated::Written(Version(2)));
        assert!(store.load(&id, NOW).await.unwrap().is_some());
    }
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 20);
    assert_eq!(tokio::time::Instant::now(), began);
}

#[tokio::test(start_paused = true)]
async fn a_paused_clock_lets_nothing_wait_for_ever() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let options = RedisStore::options(url).connect_timeout(Duration::from_millis(100));
    let error = options.open().unwrap().load(&id(), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}
