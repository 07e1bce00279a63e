//! The index of a user's sessions.

use carafe::store::{SessionStore as _, State, Updated, Version};

use super::{NOW, id, record, store};

#[tokio::test]
async fn the_index_follows_the_record_s_user() {
    let (store, _) = store();
    let id = id();
    let ann = record(Some("ann"));
    let count = async |user: &str| store.list_for_user(user, NOW).await.unwrap().len();
    assert!(store.create(&id, &record(None), NOW).await.unwrap());
    store.update(&id, Version(1), &ann, NOW).await.unwrap();
    assert_eq!((count("ann").await, count("bob").await), (1, 0));
    let mut bob = ann.clone();
    bob.user = Some("bob".to_owned());
    assert_eq!(
        store.update(&id, Version(2), &bob, NOW).await.unwrap(),
        Updated::Written(Version(3))
    );
    assert_eq!((count("ann").await, count("bob").await), (0, 1));
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 0);
    let mut later = bob.clone();
    later.expires = later.expires + 86_400;
    later.idle_expires = later.expires;
    store.update(&id, Version(3), &later, NOW).await.unwrap();
    assert_eq!(store.list_for_user("bob", NOW + 100_000).await.unwrap().len(), 1);
    let mut moved = bob;
    moved.user = None;
    moved.state = State::Moved { to: id, until: NOW + 60 };
    store.update(&id, Version(4), &moved, NOW).await.unwrap();
    assert_eq!(count("bob").await, 0);
}
