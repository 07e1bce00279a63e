//! Servers that drop keys when their memory is full.

use carafe::store::{SessionStore as _, StoreErrorKind};

use super::own::Server;
use super::{NOW, id, record};

const EVICTS: &[&str] = &["--maxmemory", "64mb", "--maxmemory-policy", "volatile-lru"];

#[tokio::test]
async fn a_server_that_evicts_is_refused_unless_that_is_allowed() {
    let server = Server::start(EVICTS).await;
    let store = server.options().open().unwrap();
    let error = store.create(&id(), &record(Some("ann")), NOW).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let text = error.to_string();
    assert!(text.contains("volatile-lru") && text.contains("noeviction"), "{text}");
    assert!(store.ping().await.is_err());
    let allowing = server.options().allow_eviction(true).open().unwrap();
    assert!(allowing.create(&id(), &record(Some("ann")), NOW).await.unwrap());
    // The next connection looks again.
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
    assert!(store.create(&id(), &record(Some("ann")), NOW).await.unwrap());
}

#[tokio::test]
async fn a_user_s_index_is_no_older_than_the_user_s_sessions() {
    let server = Server::start(EVICTS).await;
    let store = server.options().prefix("a").allow_eviction(true).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    let keys = server.command(&["KEYS", "a:u:*"]).await;
    let [index] = redis::from_redis_value::<[String; 1]>(keys).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    let idle = async || {
        let idle = server.command(&["OBJECT", "IDLETIME", &index]).await;
        redis::from_redis_value::<u64>(idle).unwrap()
    };
    assert!(idle().await >= 1);
    for _ in 0..3 {
        store.load(&id, NOW).await.unwrap().unwrap();
    }
    assert_eq!(idle().await, 0);
}
