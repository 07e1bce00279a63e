//! Listening for the end of sessions, over a connection that breaks.

use std::time::Duration;

use carafe::store::{Notice, Notices, SessionStore as _};
use carafe_redis::RedisStore;
use carafe_store_tests::Proxy;
use tokio::time::timeout;

use super::own::Server;
use super::{NOW, id, record};

async fn next(notices: &mut Notices) -> Notice {
    timeout(Duration::from_secs(20), notices.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_says_so() {
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(format!("127.0.0.1:{}", server.port())).await;
    let store = RedisStore::new(&format!("redis://{}", proxy.address())).unwrap();
    let mut notices = store.watch().unwrap();
    assert_eq!(next(&mut notices).await, Notice::Begun);
    proxy.cut_connections();
    assert_eq!(next(&mut notices).await, Notice::Interrupted);
    assert_eq!(next(&mut notices).await, Notice::Begun);
    let id = id();
    // The connection for commands was cut, too.
    while store.create(&id, &record(None), NOW).await.is_err() {}
    store.delete(&id, None).await.unwrap();
    assert_eq!(next(&mut notices).await, Notice::Session(id));
}

/// As a firewall leaves it that has forgotten the connection.
#[tokio::test]
async fn a_connection_that_falls_silent_is_made_again() {
    let server = Server::start(&[]).await;
    let proxy = Proxy::start(format!("127.0.0.1:{}", server.port())).await;
    let store = RedisStore::new(&format!("redis://{}", proxy.address())).unwrap();
    let mut notices = store.watch().unwrap();
    assert_eq!(next(&mut notices).await, Notice::Begun);
    proxy.silence_connections();
    assert_eq!(next(&mut notices).await, Notice::Interrupted);
    assert_eq!(next(&mut notices).await, Notice::Begun);
}
