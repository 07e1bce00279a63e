use carafe::SessionStore as _;
use carafe::store::{RevocationStore, UserRevocation, Version};

use crate::Fixture;
use crate::support::{
    ABSOLUTE, IDLE, NOW, create, ids_of, is_there, load, new_id, pointer, record, record_of,
    sorted, written,
};

/// A user's list has the records of that user, whole, and no others.
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

/// A user's list leaves out what has expired, whether or not it is still stored.
pub async fn a_list_leaves_out_what_has_expired(fixture: impl Fixture) {
    let store = fixture.open().await;
    let short = create(&store, &record_of("ada")).await;
    let mut longer = record_of("ada");
    longer.idle_expires = NOW + ABSOLUTE;
    let longer = create(&store, &longer).await;
    let ids = async |now: u64| {
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

/// All records of a user can be deleted, and those of others stay.
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

/// One record of a user can be kept while all others are deleted.
pub async fn all_records_but_one_can_be_deleted(fixture: impl Fixture) {
    let store = fixture.open().await;
    let (gone, kept) =
        (create(&store, &record_of("ada")).await, create(&store, &record_of("ada")).await);
    let other = create(&store, &record_of("bob")).await;
    assert_eq!(store.delete_for_user("ada", Some(&kept)).await.unwrap(), 1);
    assert!(!is_there(&store, &gone).await);
    assert_eq!(ids_of(&store, "ada").await, [kept]);
    // An id of somebody else's, or of nobody's, keeps nothing.
    assert_eq!(store.delete_for_user("ada", Some(&other)).await.unwrap(), 1);
    assert_eq!(store.delete_for_user("ada", Some(&new_id())).await.unwrap(), 0);
    assert!(!is_there(&store, &kept).await);
    assert!(is_there(&store, &other).await);
}

/// Whatever text users are named by, each has their own records: names are compared byte by byte.
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
