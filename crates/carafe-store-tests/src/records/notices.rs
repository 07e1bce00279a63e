//! The notices of a store about sessions that end.

use std::collections::HashSet;
use std::time::Duration;

use carafe::store::{
    Created, Notice, Notices, OverLimit, RevocationStore, SessionStore, UserHash, UserRevocation,
    Version, Within,
};
use tokio::time::timeout;

use crate::Fixture;
use crate::support::{NOW, create, new_id, pointer, record, record_of, record_with, written};

/// The longest time that a notice may take. A machine that is busy with other tests is no failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time for which the absence of a notice is watched.
const A_WHILE: Duration = Duration::from_millis(300);

/// A store that ends sessions, and what another process hears of it; `None` if the store tells nothing.
struct Heard<S> {
    ends: S,
    /// Is open for as long as something is heard.
    _hears: Option<S>,
    notices: Notices,
}

async fn listen<F: Fixture>(
    fixture: &F,
    watch: impl Fn(&F::Store) -> Option<Notices>,
) -> Option<Heard<F::Store>> {
    let ends = fixture.open().await;
    let hears = match fixture.tells_other_processes() {
        true => Some(fixture.open().await),
        false => None,
    };
    let mut notices = watch(hears.as_ref().unwrap_or(&ends))?;
    // A server may be slow to let it in.
    while next(&mut notices).await != Notice::Begun {}
    Some(Heard { ends, _hears: hears, notices })
}

async fn next(notices: &mut Notices) -> Notice {
    timeout(PATIENCE, notices.next()).await.expect("the store to tell").expect("the store to go on")
}

/// Returns the notices of the store within a while.
async fn everything(notices: &mut Notices) -> Vec<Notice> {
    let mut all = Vec::new();
    while let Ok(Some(notice)) = timeout(A_WHILE, notices.next()).await {
        all.push(notice);
    }
    all
}

/// The store announces each record that is deleted or becomes a pointer.
pub async fn what_ends_is_told(fixture: impl Fixture) {
    let Some(Heard { ends, mut notices, .. }) = listen(&fixture, SessionStore::watch).await else {
        return;
    };
    let (deleted, moved) = (create(&ends, &record_of("ada")).await, create(&ends, &record()).await);
    ends.delete(&deleted, Some(Version::FIRST)).await.unwrap();
    assert_eq!(next(&mut notices).await, Notice::Session(deleted));
    let pointer = pointer(new_id(), NOW + 10);
    written(ends.update(&moved, Version::FIRST, &pointer, NOW).await.unwrap());
    assert_eq!(next(&mut notices).await, Notice::Session(moved));
}

/// Neither sessions that stay, nor endings that failed, are announced.
pub async fn what_goes_on_is_not_told(fixture: impl Fixture) {
    let Some(Heard { ends, mut notices, .. }) = listen(&fixture, SessionStore::watch).await else {
        return;
    };
    let id = create(&ends, &record_of("ada")).await;
    let version = written(ends.update(&id, Version::FIRST, &record_with("{}"), NOW).await.unwrap());
    ends.update(&id, Version::FIRST, &pointer(new_id(), NOW + 10), NOW).await.unwrap();
    ends.delete(&id, Some(Version::FIRST)).await.unwrap();
    ends.delete(&new_id(), None).await.unwrap();
    ends.delete_for_user("bob", None).await.unwrap();
    assert_eq!(everything(&mut notices).await, []);
    ends.delete(&id, Some(version)).await.unwrap();
    assert_eq!(next(&mut notices).await, Notice::Session(id));
}

/// The store announces the end of each of a user's sessions, or asks to look at everything.
pub async fn the_end_of_all_of_a_users_sessions_is_told(fixture: impl Fixture) {
    let Some(Heard { ends, mut notices, .. }) = listen(&fixture, SessionStore::watch).await else {
        return;
    };
    let mut left = HashSet::new();
    for _ in 0..20 {
        left.insert(create(&ends, &record_of("ada")).await);
    }
    let kept = create(&ends, &record_of("bob")).await;
    assert_eq!(ends.delete_for_user("ada", None).await.unwrap(), 20);
    while !left.is_empty() {
        match next(&mut notices).await {
            Notice::Session(id) if id != kept => drop(left.remove(&id)),
            Notice::Begun => return,
            other => panic!("the store told {other:?}"),
        }
    }
}

/// The store announces a session that ends to make room for a login, or asks to look at everything.
pub async fn a_session_that_ends_for_a_login_is_told(fixture: impl Fixture) {
    let Some(Heard { ends, mut notices, .. }) = listen(&fixture, SessionStore::watch).await else {
        return;
    };
    let old = create(&ends, &record_of("ada")).await;
    let within = Within { most: 1, over: OverLimit::EndOldest, replaces: None };
    let created = ends.create_within(&new_id(), &record_of("ada"), &within, NOW).await.unwrap();
    assert_eq!(created, Created::Created { ended: 1 });
    loop {
        match next(&mut notices).await {
            Notice::Begun => return,
            Notice::Session(id) if id == old => return,
            _ => {}
        }
    }
}

/// Revocations are told of, of sessions and of users.
pub async fn revocations_are_told(fixture: impl Fixture) {
    let heard = listen(&fixture, RevocationStore::watch_revocations).await;
    let Some(Heard { ends, mut notices, .. }) = heard else { return };
    let id = new_id();
    ends.revoke(&id, NOW + 100, NOW).await.unwrap();
    assert_eq!(next(&mut notices).await, Notice::Session(id));
    let revocation = UserRevocation { logins_up_to: NOW, until: NOW + 100 };
    ends.revoke_user("ada", revocation, NOW).await.unwrap();
    assert_eq!(next(&mut notices).await, Notice::User(UserHash::of("ada")));
}

/// Several records are loaded in one call, in the order of their ids.
pub async fn many_records_are_loaded_in_order(fixture: impl Fixture) {
    let store = fixture.open().await;
    let mut ids = Vec::new();
    for number in 0..50 {
        let missing = number % 3 == 0;
        let data = format!("{number}");
        ids.push(match missing {
            true => (new_id(), None),
            false => (create(&store, &record_with(&*data)).await, Some(data)),
        });
    }
    let asked: Vec<_> = ids.iter().map(|(id, _)| *id).chain([ids[1].0]).collect();
    let loaded = store.load_many(&asked, NOW).await.unwrap();
    let data = loaded
        .into_iter()
        .map(|stored| stored.map(|stored| String::from_utf8(stored.record.data).unwrap()));
    let expected = ids.iter().map(|(_, data)| data.clone()).chain([ids[1].1.clone()]);
    assert_eq!(data.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    assert_eq!(store.load_many(&[], NOW).await.unwrap(), []);
}
