//! The number of questions to the server.

use carafe::id::SessionIdHash;
use carafe::store::{Deleted, Record, SessionStore as _, State, Updated, Version};

use super::way::Way;
use super::{NOW, SCRIPTS, id, record, resp};

impl Way {
    /// The commands that have been sent since the last time, but for those with which a connection
    /// begins.
    fn asked(&self) -> Vec<String> {
        let sent = self.proxies.iter().flat_map(|proxy| resp::names(&proxy.sent()));
        let mut names: Vec<_> =
            sent.filter(|name| !["HELLO", "CLIENT", "INFO"].contains(&name.as_str())).collect();
        // The commands of different nodes are in no order.
        names.sort();
        names
    }

    async fn create(&self, record: &Record) -> SessionIdHash {
        let id = id();
        assert!(self.store.create(&id, record, NOW).await.unwrap());
        id
    }

    async fn update(&self, id: &SessionIdHash, record: &Record) {
        let updated = self.store.update(id, Version(1), record, NOW).await.unwrap();
        assert_eq!(updated, Updated::Written(Version(2)));
    }

    async fn delete(&self, id: &SessionIdHash) {
        assert_eq!(self.store.delete(id, None).await.unwrap(), Deleted::Deleted);
    }
}

#[tokio::test]
async fn reading_and_writing_are_one_command_each() {
    let _scripts = SCRIPTS.lock().await;
    let way = Way::open().await;
    let (anonymous, user) = (record(None), record(Some("ann")));
    // Every node has the scripts, and a connection.
    for number in 0..40 {
        let user = record(Some(&format!("ann{number}")));
        let id = way.create(&user).await;
        way.update(&id, &user).await;
        way.delete(&id).await;
    }
    way.asked();

    let id = way.create(&anonymous).await;
    assert_eq!(way.asked(), ["SET"]);
    way.store.load(&id, NOW).await.unwrap().unwrap();
    assert_eq!(way.asked(), ["GET"]);
    way.update(&id, &anonymous).await;
    assert_eq!(way.asked(), ["EVALSHA"]);
    let late = way.store.update(&id, Version(1), &anonymous, NOW).await.unwrap();
    assert_eq!((late, way.asked()), (Updated::Conflict, vec!["EVALSHA".to_owned()]));
    way.delete(&id).await;
    assert_eq!(way.asked(), ["EVALSHA"]);
    assert_eq!(way.store.load(&id, NOW).await.unwrap(), None);
    assert_eq!(way.asked(), ["GET"]);

    // The record of a logged-in user is in an index.
    let id = way.create(&user).await;
    assert_eq!(way.asked(), ["EVALSHA", "SET"]);
    way.store.load(&id, NOW).await.unwrap().unwrap();
    assert_eq!(way.asked(), ["GET"]);
    way.update(&id, &user).await;
    assert_eq!(way.asked(), ["EVALSHA"]);
    way.delete(&id).await;
    assert_eq!(way.asked(), ["EVALSHA", "ZREM"]);

    // The record that a login or a new id leaves of the session before.
    for (before, commands) in [(&anonymous, vec!["EVALSHA"]), (&user, vec!["EVALSHA", "ZREM"])] {
        let id = way.create(before).await;
        way.asked();
        let mut left = before.clone();
        left.user = None;
        left.state = State::Moved { to: id, until: NOW + 60 };
        way.update(&id, &left).await;
        assert_eq!(way.asked(), commands);
    }
}
