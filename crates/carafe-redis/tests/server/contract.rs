use carafe::SessionStore as _;
use carafe::record::State;
use carafe::store::{Deleted, Updated, Version};

use super::{NOW, id, record, store};

#[tokio::test]
async fn a_record_goes_through_its_life() {
    let (store, _) = store();
    let id = id();
    let first = record(None);
    assert_eq!(store.load(&id, NOW).await.unwrap(), None);
    assert!(store.create(&id, &first, NOW).await.unwrap());
    assert!(!store.create(&id, &first, NOW).await.unwrap());
    let stored = store.load(&id, NOW).await.unwrap().unwrap();
    assert_eq!((stored.record, stored.version), (first.clone(), Version(1)));
    let mut second = first;
    second.data = vec![b'x'; 100_000];
    let update = |version| store.update(&id, Version(version), &second, NOW);
    assert_eq!(update(2).await.unwrap(), Updated::Conflict);
    assert_eq!(update(1).await.unwrap(), Updated::Written(Version(2)));
    assert_eq!(update(1).await.unwrap(), Updated::Conflict);
    assert_eq!(store.load(&id, NOW).await.unwrap().unwrap().record, second);
    assert_eq!(store.delete(&id, Some(Version(1))).await.unwrap(), Deleted::Conflict);
    assert_eq!(store.delete(&id, Some(Version(2))).await.unwrap(), Deleted::Deleted);
    assert_eq!(store.delete(&id, None).await.unwrap(), Deleted::Gone);
    assert_eq!(update(2).await.unwrap(), Updated::Gone);
    assert_eq!(store.load(&id, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_user_s_sessions_are_listed_and_ended() {
    let (store, _) = store();
    let (a, b, other) = (id(), id(), id());
    for (id, user) in [(a, "ann"), (b, "ann"), (other, "bob")] {
        assert!(store.create(&id, &record(Some(user)), NOW).await.unwrap());
    }
    let mut list: Vec<_> =
        store.list_for_user("ann", NOW).await.unwrap().into_iter().map(|(id, _)| id).collect();
    list.sort();
    let mut both = [a, b];
    both.sort();
    assert_eq!(list, both);
    assert!(store.list_for_user("ann", NOW + 3600).await.unwrap().is_empty());
    assert_eq!(store.delete_for_user("ann", Some(&a)).await.unwrap(), 1);
    assert_eq!(store.list_for_user("ann", NOW).await.unwrap().len(), 1);
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 1);
    assert_eq!(store.delete_for_user("ann", None).await.unwrap(), 0);
    assert!(store.load(&other, NOW).await.unwrap().is_some());
}

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
    later.expires += 86_400;
    later.idle_expires = later.expires;
    store.update(&id, Version(3), &later, NOW).await.unwrap();
    assert_eq!(store.list_for_user("bob", NOW + 100_000).await.unwrap().len(), 1);
    let mut moved = bob;
    moved.user = None;
    moved.state = State::Moved { to: id, until: NOW + 60 };
    store.update(&id, Version(4), &moved, NOW).await.unwrap();
    assert_eq!(count("bob").await, 0);
}

#[tokio::test]
async fn of_writers_with_the_same_version_one_wins() {
    let (store, _) = store();
    let store = std::sync::Arc::new(store);
    let id = id();
    assert!(store.create(&id, &record(Some("ann")), NOW).await.unwrap());
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let store = std::sync::Arc::clone(&store);
            let record = record(Some("ann"));
            tokio::spawn(async move { store.update(&id, Version(1), &record, NOW).await.unwrap() })
        })
        .collect();
    let mut written = 0;
    for task in tasks {
        written += usize::from(task.await.unwrap() == Updated::Written(Version(2)));
    }
    assert_eq!(written, 1);
}

#[tokio::test]
async fn revocations_last_until_their_time_and_never_shrink() {
    let (store, _) = store();
    let id = id();
    store.revoke(&id, NOW + 100, NOW).await.unwrap();
    store.revoke(&id, NOW + 50, NOW).await.unwrap();
    let session = async |now| store.revocations(&id, None, now).await.unwrap().session;
    assert!(session(NOW + 99).await);
    assert!(!session(NOW + 100).await);
    store.revoke_user("ann", NOW, NOW + 100, NOW).await.unwrap();
    store.revoke_user("ann", NOW - 5, NOW + 200, NOW).await.unwrap();
    let user = async |now| store.revocations(&id, Some("ann"), now).await.unwrap().not_before;
    assert_eq!(user(NOW + 199).await, Some(NOW));
    assert_eq!(user(NOW + 200).await, None);
    assert_eq!(store.revocations(&id, Some("bob"), NOW).await.unwrap().not_before, None);
}
