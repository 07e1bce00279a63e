//! The limit on a user's sessions.

use std::sync::Arc;

use carafe::UnixSeconds;
use carafe::store::{
    Created, OverLimit, Record, SessionStore, State, Stored, Updated, Version, Within,
};

use super::races::{count, open_two, race};
use crate::Fixture;
use crate::support::{IDLE, NOW, create, ids_of, is_there, new_id, pointer, record_of};

const REFUSE: Within = Within { most: 3, over: OverLimit::Refuse, replaces: None };
const END_OLDEST: Within = Within { over: OverLimit::EndOldest, ..REFUSE };

/// A session of a user who logged in at a time.
fn login_at(user: &str, time: UnixSeconds) -> Record {
    let mut record = record_of(user);
    record.logged_in = Some(time);
    record
}

async fn try_to_create(store: &impl SessionStore, record: &Record, within: &Within) -> Created {
    store.create_within(&new_id(), record, within, NOW).await.unwrap()
}

const CREATED: Created = Created::Created { ended: 0 };

/// A user gets as many sessions as allowed and no more, and other users aren't concerned.
pub async fn a_user_has_at_most_so_many_sessions(fixture: impl Fixture) {
    let store = fixture.open().await;
    for _ in 0..3 {
        assert_eq!(try_to_create(&store, &record_of("ada"), &REFUSE).await, CREATED);
    }
    let id = new_id();
    let refused = store.create_within(&id, &record_of("ada"), &REFUSE, NOW).await.unwrap();
    assert_eq!(refused, Created::TooMany);
    assert!(!is_there(&store, &id).await);
    assert_eq!(ids_of(&store, "ada").await.len(), 3);
    assert_eq!(try_to_create(&store, &record_of("bob"), &REFUSE).await, CREATED);
    // A session that ends makes room, and so does an expired one.
    let first = ids_of(&store, "ada").await[0];
    store.delete(&first, None).await.unwrap();
    assert_eq!(try_to_create(&store, &record_of("ada"), &REFUSE).await, CREATED);
    let later = NOW + IDLE;
    let mut record = record_of("ada");
    record.idle_expires = later + IDLE;
    let created = store.create_within(&new_id(), &record, &REFUSE, later).await.unwrap();
    assert_eq!(created, CREATED);
}

/// Beyond the limit, the sessions end to which the user logged in first.
pub async fn the_oldest_sessions_of_a_user_end(fixture: impl Fixture) {
    let store = fixture.open().await;
    let second = create(&store, &login_at("ada", NOW - 10)).await;
    let first = create(&store, &login_at("ada", NOW - 20)).await;
    let third = create(&store, &login_at("ada", NOW - 5)).await;
    let other = create(&store, &login_at("bob", NOW - 30)).await;
    let created = try_to_create(&store, &record_of("ada"), &END_OLDEST).await;
    assert_eq!(created, Created::Created { ended: 1 });
    assert!(!is_there(&store, &first).await);
    let two = Within { most: 2, ..END_OLDEST };
    let created = try_to_create(&store, &record_of("ada"), &two).await;
    assert_eq!(created, Created::Created { ended: 2 });
    for (id, is_left) in [(second, false), (third, false), (other, true)] {
        assert_eq!(is_there(&store, &id).await, is_left);
    }
    assert_eq!(ids_of(&store, "ada").await.len(), 2);
}

/// Only sessions count: neither pointers, nor the session that the login replaces, nor both records
/// of a session that is being renewed.
pub async fn only_other_sessions_count(fixture: impl Fixture) {
    let store = fixture.open().await;
    let replaced = record_of("ada");
    let (old, new) = (create(&store, &replaced).await, create(&store, &replaced).await);
    create(&store, &pointer(new, NOW + 10)).await;
    let mut ended = record_of("ada");
    ended.state = State::Ended { by: new };
    create(&store, &ended).await;
    for _ in 0..2 {
        assert_eq!(try_to_create(&store, &record_of("ada"), &REFUSE).await, CREATED);
    }
    assert_eq!(try_to_create(&store, &record_of("ada"), &REFUSE).await, Created::TooMany);
    let replacing = Within { replaces: Some(replaced.public_id), ..REFUSE };
    assert_eq!(try_to_create(&store, &record_of("ada"), &replacing).await, CREATED);
    for within in [REFUSE, END_OLDEST] {
        let replacing = Within { replaces: Some(replaced.public_id), most: 4, ..within };
        let taken = store.create_within(&old, &record_of("ada"), &replacing, NOW).await.unwrap();
        assert_eq!(taken, Created::Exists);
    }
    assert!(is_there(&store, &old).await && is_there(&store, &new).await);
}

/// Of 64 logins at once in two processes, as many succeed as the limit allows.
pub async fn racing_logins_keep_the_limit(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    let created = race(&stores, 64, |stores, number| async move {
        try_to_create(&stores[number % 2], &record_of("ada"), &REFUSE).await
    })
    .await;
    assert_eq!((count(&created, &CREATED), count(&created, &Created::TooMany)), (3, 61));
    assert_eq!(ids_of(&stores[1], "ada").await.len(), 3);
}

/// Of 64 logins at once in two processes, each of which ends the oldest session, the limit's number
/// is left.
pub async fn racing_logins_that_end_others_keep_the_limit(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    let created = race(&stores, 64, |stores, number| async move {
        try_to_create(&stores[number % 2], &record_of("ada"), &END_OLDEST).await
    })
    .await;
    assert!(created.iter().all(|one| matches!(one, Created::Created { .. })), "{created:?}");
    let ended = created.iter().map(|one| match one {
        Created::Created { ended } => *ended,
        _ => 0,
    });
    assert_eq!(ended.sum::<u32>(), 61);
    assert_eq!(ids_of(&stores[1], "ada").await.len(), 3);
}

/// A login counts a session that gets a new id at the same moment, over and over.
pub async fn a_session_that_is_renewed_counts_all_the_time(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    let limit = Within { most: 1, ..REFUSE };
    let renewing = Arc::clone(&stores);
    let record = record_of("ada");
    let mut id = create(&stores[0], &record).await;
    let renewals = tokio::spawn(async move {
        for _ in 0..100 {
            let (new, mut old) = (new_id(), pointer(id, NOW + 10));
            old.public_id = record.public_id;
            old.state = State::Moved { to: new, until: NOW + 10 };
            assert!(renewing[0].create(&new, &record, NOW).await.unwrap());
            let moved = renewing[0].update(&id, Version(1), &old, NOW).await.unwrap();
            assert_eq!(moved, Updated::Written(Version(2)));
            id = new;
        }
        id
    });
    let mut logins = 0;
    while !renewals.is_finished() {
        let refused = try_to_create(&stores[1], &record_of("ada"), &limit).await;
        assert_eq!(refused, Created::TooMany, "after {logins}");
        logins += 1;
    }
    let last = renewals.await.unwrap();
    let loaded = stores[1].load(&last, NOW).await.unwrap();
    assert!(matches!(loaded, Some(Stored { version: Version(1), .. })));
}
