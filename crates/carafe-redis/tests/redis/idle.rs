//! Connections that something in between has forgotten, without a word.

use std::time::{Duration, Instant};

use carafe::store::{Deleted, SessionStore as _, Version};

use super::own::{Path, Server};
use super::{NOW, id, record};

#[tokio::test]
async fn one_lost_answer_makes_the_other_connections_suspect() {
    let (server, replica) = (Server::start(&[]).await, Server::start(&[]).await);
    replica.follow(&server).await;
    let path = Path::to(&server).await;
    // Commands that wait for replicas have a connection of their own.
    let store = path.options().replicas_know_of_endings(1).open().unwrap();
    let (first, second) = (id(), id());
    for id in [&first, &second] {
        assert!(store.create(id, &record(None), NOW).await.unwrap());
    }
    assert_eq!(store.delete(&first, None).await.unwrap(), Deleted::Deleted);
    path.silence();
    assert!(store.load(&second, NOW).await.is_err());
    let began = Instant::now();
    assert_eq!(store.delete(&second, Some(Version(1))).await.unwrap(), Deleted::Deleted);
    assert!(store.load(&second, NOW).await.unwrap().is_none());
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_that_was_idle_for_long_is_made_anew() {
    let server = Server::start(&[]).await;
    let path = Path::to(&server).await;
    let store = path.options().max_idle(Duration::from_millis(200)).open().unwrap();
    let id = id();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    path.silence();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(store.load(&id, NOW).await.unwrap().is_some());
}
