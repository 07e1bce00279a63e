use std::sync::Arc;
use std::time::{Duration, Instant};

use carafe::UnixSeconds;
use carafe::store::{Record, RevocationStore, SessionStore, UserRevocation, Version};

use crate::Fixture;
use crate::support::{
    ABSOLUTE, IDLE, NOW, create, ids_of, is_there, load, new_id, pointer, record, record_of,
    sorted, written,
};

/// A user's list has only the records of that user, and has them whole.
pub async fn a_list_has_the_records_of_its_user(fixture: impl Fixture) {
    let store = fixture.open().await;
    let (first, second) =
        (create(&store, &record_of("ada")).await, create(&store, &record_of("ada")).await);
    let other = create(&store, &record_of("bob")).await;
    create(&store, &record()).await;
    written(store.update(&second, Version(1), &record_of("ada"), NOW).await.unwrap());
    let list = store.list_for_user("ada", NOW).await.unwrap();
    assert_eq!(list.len(), 2);
    for (id, stored) in list {
        assert!(id == first || id == second);
        assert_eq!(stored, load(&store, &id).await);
    }
    assert_eq!(ids_of(&store, "bob").await, [other]);
    assert_eq!(ids_of(&store, "eve").await, []);
}

/// A user's list leaves out expired records, whether or not they are still stored.
pub async fn a_list_leaves_out_what_has_expired(fixture: impl Fixture) {
    let store = fixture.open().await;
    let short = create(&store, &record_of("ada")).await;
    let mut longer = record_of("ada");
    longer.idle_expires = NOW + ABSOLUTE;
    let longer = create(&store, &longer).await;
    let ids = async |now: UnixSeconds| {
        let list = store.list_for_user("ada", now).await.unwrap();
        let mut ids: Vec<_> = list.into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids(NOW + IDLE - 1).await, sorted([short, longer]));
    assert_eq!(ids(NOW + IDLE).await, [longer]);
    assert_eq!(ids(NOW + ABSOLUTE - 1).await, [longer]);
    assert_eq!(ids(NOW + ABSOLUTE).await, []);
}

/// A user's list leaves out pointers, which name no user.
pub async fn a_list_leaves_out_pointers(fixture: impl Fixture) {
    let store = fixture.open().await;
    let id = create(&store, &record_of("ada")).await;
    create(&store, &pointer(id, NOW + 10)).await;
    assert_eq!(ids_of(&store, "ada").await, [id]);
}

/// All records of a user can be deleted, and the records of other users stay.
pub async fn all_records_of_a_user_can_be_deleted(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(create(&store, &record_of("ada")).await);
    }
    let others = [create(&store, &record_of("bob")).await, create(&store, &record()).await];
    assert_eq!(store.delete_for_user("ada", None).await.unwrap(), 20);
    for id in &ids {
        assert!(!is_there(&store, id).await);
    }
    for id in &others {
        assert!(is_there(&store, id).await);
    }
    assert_eq!(ids_of(&store, "ada").await, []);
    assert_eq!(store.delete_for_user("ada", None).await.unwrap(), 0);
}

/// One session of a user can be kept while all other records are deleted.
pub async fn all_records_but_one_can_be_deleted(fixture: impl Fixture) {
    let store = fixture.open().await;
    let [gone, kept, other] = [record_of("ada"), record_of("ada"), record_of("bob")];
    let [keep, other_session] = [kept.public_id, other.public_id];
    let (gone, kept) = (create(&store, &gone).await, create(&store, &kept).await);
    let other = create(&store, &other).await;
    assert_eq!(store.delete_for_user("ada", Some(keep)).await.unwrap(), 1);
    assert!(!is_there(&store, &gone).await);
    assert_eq!(ids_of(&store, "ada").await, [kept]);
    // The session of another user, or one that doesn't exist, keeps nothing.
    assert_eq!(store.delete_for_user("ada", Some(other_session)).await.unwrap(), 1);
    assert_eq!(store.delete_for_user("ada", Some(record().public_id)).await.unwrap(), 0);
    assert!(!is_there(&store, &kept).await);
    assert!(is_there(&store, &other).await);
}

/// A session that is kept while its id is renewed has two records then, and both stay.
pub async fn a_session_that_is_kept_may_be_getting_a_new_id(fixture: impl Fixture) {
    let store = fixture.open().await;
    let kept = record_of("ada");
    let (old, new) = (create(&store, &kept).await, create(&store, &kept).await);
    let gone = create(&store, &record_of("ada")).await;
    assert_eq!(store.delete_for_user("ada", Some(kept.public_id)).await.unwrap(), 1);
    assert_eq!(ids_of(&store, "ada").await, sorted([old, new]));
    assert!(!is_there(&store, &gone).await);
}

/// Thousands of records of a user are deleted in one call, and in time that grows with their number
/// alone.
pub async fn many_records_of_a_user_are_deleted_in_one_call(fixture: impl Fixture) {
    const FEW: u64 = 250;
    let store = Arc::new(fixture.open().await);
    let mut times = Vec::new();
    for count in [FEW, 16 * FEW] {
        let kept = create_many(&store, "ada", count).await;
        let began = Instant::now();
        assert_eq!(store.delete_for_user("ada", Some(kept.public_id)).await.unwrap(), count);
        times.push(began.elapsed());
        assert_eq!(ids_of(&*store, "ada").await.len(), 1);
        assert_eq!(store.delete_for_user("ada", None).await.unwrap(), 1);
    }
    // Work that grows with the square of the number takes 256 times as long.
    let floor = Duration::from_millis(40);
    assert!(times[1] < 80 * times[0].max(floor), "{times:?}");
}

/// Creates `count` records of a user, and one more, which is returned.
async fn create_many<S: SessionStore>(store: &Arc<S>, user: &str, count: u64) -> Record {
    let kept = record_of(user);
    create(&**store, &kept).await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (store, user) = (Arc::clone(store), user.to_owned());
            tokio::spawn(async move {
                for _ in (task..count).step_by(8) {
                    create(&*store, &record_of(&user)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    kept
}

/// Users with any names have their own records: names are compared byte by byte.
pub async fn users_may_have_any_name(fixture: impl Fixture) {
    let store = fixture.open().await;
    let long = "n".repeat(10_000);
    let longer = format!("{long}o");
    let names = [
        "",
        " ",
        "  ",
        "\0",
        "a",
        "A",
        "a\0",
        "a\0b",
        "a ",
        " a",
        "a\n",
        "a%",
        "a_",
        "a*",
        "%",
        "*",
        "?",
        "[a]",
        "{a}",
        "a}",
        "\\",
        "'",
        "\"",
        "'; drop table session; --",
        "a:b",
        "a/b",
        "NULL",
        "0",
        "42",
        "42.0",
        "ad\u{e9}le",
        "ade\u{301}le",
        "\u{1f36a}",
        "\u{fffd}",
        "\u{10ffff}",
        "ß",
        "ss",
        long.as_str(),
        longer.as_str(),
    ];
    let mut ids = Vec::new();
    for name in names {
        ids.push(create(&store, &record_of(name)).await);
        store
            .revoke_user(
                name,
                UserRevocation { logins_up_to: NOW + ids.len() as u64, until: NOW + 100 },
                NOW,
            )
            .await
            .unwrap();
    }
    for (number, (name, id)) in names.iter().zip(&ids).enumerate() {
        assert_eq!(ids_of(&store, name).await, [*id], "{name:?}");
        assert_eq!(load(&store, id).await.record.user.as_deref(), Some(*name));
        let revoked = store.revocations(&new_id(), Some(name), NOW).await.unwrap();
        assert_eq!(revoked.not_before, Some(NOW + 1 + number as u64), "{name:?}");
    }
    for (number, name) in names.iter().enumerate() {
        assert_eq!(store.delete_for_user(name, None).await.unwrap(), 1, "{name:?}");
        for (other, id) in ids.iter().enumerate() {
            assert_eq!(is_there(&store, id).await, other > number);
        }
    }
}
