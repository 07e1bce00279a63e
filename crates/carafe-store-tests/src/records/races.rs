use std::sync::Arc;
use std::time::{Duration, Instant};

use carafe::id::SessionIdHash;
use carafe::store::{Deleted, SessionStore, Updated, Version};
use tokio::task::JoinHandle;

use crate::Fixture;
use crate::support::{
    IDLE, NOW, create, ids_of, is_there, load, new_id, pointer, record, record_of, record_with,
    written,
};

/// The longest time that a deletion may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a task for each of some numbers, half of them on each of two stores.
pub(super) async fn race<S, R, F, Fut>(stores: &Arc<[S; 2]>, tasks: usize, task: F) -> Vec<R>
where
    F: Fn(Arc<[S; 2]>, usize) -> Fut,
    Fut: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let running: Vec<JoinHandle<R>> =
        (0..tasks).map(|number| tokio::spawn(task(Arc::clone(stores), number))).collect();
    let mut results = Vec::new();
    for one in running {
        results.push(one.await.unwrap());
    }
    results
}

pub(super) async fn open_two<F: Fixture>(fixture: &F) -> Arc<[F::Store; 2]> {
    Arc::new([fixture.open().await, fixture.open().await])
}

pub(super) fn count<T: PartialEq>(results: &[T], wanted: &T) -> usize {
    results.iter().filter(|result| *result == wanted).count()
}

/// Of many creations of a record under one id, one succeeds.
pub async fn racing_creations_of_one_id_have_one_winner(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..10 {
        let id = new_id();
        let created = race(&stores, 16, move |stores, number| async move {
            let record = record_with(format!("{number}"));
            stores[number % 2].create(&id, &record, NOW).await.unwrap()
        })
        .await;
        assert_eq!(count(&created, &true), 1);
        let winner = created.iter().position(|won| *won).unwrap();
        let stored = load(&stores[0], &id).await;
        assert_eq!(stored.record.data, winner.to_string().into_bytes());
        assert_eq!(stored.version, Version(1));
    }
}

/// Of many updates of a record of one version, one succeeds.
pub async fn racing_updates_of_one_version_have_one_winner(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    let id = create(&stores[0], &record()).await;
    for _ in 0..10 {
        let version = load(&stores[0], &id).await.version;
        let updated = race(&stores, 16, move |stores, number| async move {
            let record = record_with(format!("{number}"));
            stores[number % 2].update(&id, version, &record, NOW).await.unwrap()
        })
        .await;
        let winner = updated.iter().position(|one| matches!(one, Updated::Written(_))).unwrap();
        assert_eq!(count(&updated, &Updated::Conflict), 15);
        let stored = load(&stores[1], &id).await;
        assert_eq!(stored.record.data, winner.to_string().into_bytes());
        assert_eq!(updated[winner], Updated::Written(stored.version));
    }
}

/// Many tasks that load, change and swap in a loop lose nothing, and every version is written once.
pub async fn every_version_is_written_once(fixture: impl Fixture) {
    const TASKS: usize = 16;
    const EACH: usize = 20;
    let stores = open_two(&fixture).await;
    let id = create(&stores[0], &record_with("0")).await;
    let versions = race(&stores, TASKS, move |stores, number| async move {
        let store = &stores[number % 2];
        let mut versions = Vec::new();
        while versions.len() < EACH {
            let stored = load(store, &id).await;
            let count: u64 = std::str::from_utf8(&stored.record.data).unwrap().parse().unwrap();
            let next = record_with(format!("{}", count + 1));
            if let Updated::Written(version) =
                store.update(&id, stored.version, &next, NOW).await.unwrap()
            {
                versions.push(version);
            }
            tokio::task::yield_now().await;
        }
        versions
    })
    .await;
    let mut versions: Vec<Version> = versions.into_iter().flatten().collect();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), TASKS * EACH, "a version was written twice");
    let stored = load(&stores[1], &id).await;
    assert_eq!(stored.record.data, (TASKS * EACH).to_string().into_bytes());
    assert_eq!(versions.last(), Some(&stored.version));
}

/// Of an update and a deletion of one version, one is done, and the other has no effect.
pub async fn an_update_and_a_deletion_of_one_version_exclude_each_other(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..50 {
        let id = create(&stores[0], &record_of("ada")).await;
        let done = race(&stores, 2, move |stores, number| async move {
            let store = &stores[number];
            match number {
                0 => {
                    let updated = store.update(&id, Version(1), &record_of("ada"), NOW).await;
                    assert_ne!(updated.as_ref().unwrap(), &Updated::Conflict);
                    matches!(updated.unwrap(), Updated::Written(_))
                }
                _ => {
                    let deleted = store.delete(&id, Some(Version(1))).await.unwrap();
                    assert_ne!(deleted, Deleted::Gone);
                    deleted == Deleted::Deleted
                }
            }
        })
        .await;
        assert_ne!(done[0], done[1], "both or neither were done");
        assert_eq!(is_there(&stores[0], &id).await, done[0]);
        let listed = if done[0] { vec![id] } else { Vec::new() };
        assert_eq!(ids_of(&stores[1], "ada").await, listed);
        stores[0].delete(&id, None).await.unwrap();
    }
}

/// A deletion without a version wins against every update that is under way.
pub async fn a_deletion_wins_against_updates(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..20 {
        let id = create(&stores[0], &record_of("ada")).await;
        race(&stores, 8, move |stores, number| async move {
            let store = &stores[number % 2];
            if number == 4 {
                assert_eq!(store.delete(&id, None).await.unwrap(), Deleted::Deleted);
            } else {
                update_until_gone(store, &id).await;
            }
        })
        .await;
        assert!(!is_there(&stores[0], &id).await, "a deleted record came back");
        assert_eq!(ids_of(&stores[1], "ada").await, []);
    }
}

async fn update_until_gone(store: &impl SessionStore, id: &SessionIdHash) {
    let begin = Instant::now();
    while let Some(stored) = store.load(id, NOW).await.unwrap() {
        assert!(begin.elapsed() < PATIENCE, "the record was not deleted");
        store.update(id, stored.version, &record_of("ada"), NOW).await.unwrap();
        // A store in memory never waits, and would keep the other tasks from running.
        tokio::task::yield_now().await;
    }
}

/// Of many deletions of a record, one succeeds.
pub async fn racing_deletions_have_one_winner(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..10 {
        let id = create(&stores[0], &record()).await;
        let deleted = race(&stores, 8, move |stores, number| async move {
            let expected = (number < 4).then_some(Version(1));
            stores[number % 2].delete(&id, expected).await.unwrap()
        })
        .await;
        assert_eq!(count(&deleted, &Deleted::Deleted), 1);
        assert_eq!(count(&deleted, &Deleted::Gone), 7);
    }
}

/// A user's records that were deleted together don't come back by updates that were under way.
pub async fn deleting_a_users_records_wins_against_updates(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..10 {
        let kept = record_of("ada");
        let keep = kept.public_id;
        let kept = create(&stores[0], &kept).await;
        let ids = [
            create(&stores[0], &record_of("ada")).await,
            create(&stores[0], &record_of("ada")).await,
        ];
        race(&stores, 5, move |stores, number| async move {
            let store = &stores[number % 2];
            match number {
                2 => {
                    let deleted = store.delete_for_user("ada", Some(keep)).await.unwrap();
                    assert_eq!(deleted, 2);
                }
                _ => update_until_gone(store, &ids[number % 2]).await,
            }
        })
        .await;
        assert_eq!(ids_of(&stores[1], "ada").await, [kept]);
        for id in &ids {
            assert!(!is_there(&stores[1], id).await);
        }
        stores[0].delete(&kept, None).await.unwrap();
    }
}

/// A session that gets new ids while the records of its user are deleted is deleted, too.
pub async fn deleting_a_users_records_catches_those_that_move(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..20 {
        let first = create(&stores[0], &record_of("ada")).await;
        race(&stores, 2, move |stores, number| async move {
            if number == 1 {
                tokio::task::yield_now().await;
                stores[1].delete_for_user("ada", None).await.unwrap();
            } else {
                move_until_gone(&stores[0], first).await;
            }
        })
        .await;
        assert_eq!(ids_of(&stores[1], "ada").await, []);
    }
}

/// Gives a session new ids as a renewal does: the new record first, then the pointer.
async fn move_until_gone(store: &impl SessionStore, mut id: SessionIdHash) {
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < PATIENCE, "the session was not deleted");
        let new = create(store, &record_of("ada")).await;
        tokio::task::yield_now().await;
        match store.update(&id, Version(1), &pointer(new, NOW + 10), NOW).await.unwrap() {
            Updated::Written(_) => id = new,
            _ => {
                store.delete(&new, None).await.unwrap();
                return;
            }
        }
    }
}

/// A record whose end is put off while expired ones are deleted is either deleted, and the update
/// knows, or lives.
pub async fn a_sweep_never_takes_what_was_just_used(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    let now = NOW + IDLE;
    for _ in 0..50 {
        let id = create(&stores[0], &record()).await;
        let updated = race(&stores, 2, move |stores, number| async move {
            let store = &stores[number];
            if number == 1 {
                store.delete_expired(now, 100).await.unwrap();
                return None;
            }
            let mut used = record();
            used.idle_expires = now + IDLE;
            Some(store.update(&id, Version(1), &used, NOW).await.unwrap())
        })
        .await;
        let lives = is_there(&stores[0], &id).await;
        match updated[0] {
            Some(Updated::Written(_)) => assert!(lives, "a session in use was swept away"),
            Some(Updated::Gone) => assert!(!lives),
            other => panic!("the update ended as {other:?}"),
        }
    }
}

/// Two processes that sweep at the same time delete each record once.
pub async fn racing_sweeps_count_each_record_once(fixture: impl Fixture) {
    let stores = open_two(&fixture).await;
    for _ in 0..100 {
        create(&stores[0], &record()).await;
    }
    let deleted = race(&stores, 4, move |stores, number| async move {
        let mut deleted = 0;
        loop {
            let batch = stores[number % 2].delete_expired(NOW + IDLE, 7).await.unwrap();
            deleted += batch;
            if batch < 7 {
                return deleted;
            }
        }
    })
    .await;
    let deleted: u64 = deleted.into_iter().sum();
    if !fixture.expires_by_itself() {
        assert_eq!(deleted, 100);
    }
}

/// A read during writes sees one whole record with its own version.
pub async fn readers_see_whole_records(fixture: impl Fixture) {
    const LAST: u64 = 100;
    let stores = open_two(&fixture).await;
    let numbered = |number: u64| record_with(format!("{number} ").repeat(2000));
    let id = create(&stores[0], &numbered(0)).await;
    race(&stores, 4, move |stores, number| async move {
        let store = &stores[number % 2];
        if number == 0 {
            let mut version = Version(1);
            for number in 1..=LAST {
                version =
                    written(store.update(&id, version, &numbered(number), NOW).await.unwrap());
            }
            return;
        }
        let mut before = (Version(1), 0);
        while before.1 < LAST {
            let stored = load(store, &id).await;
            let text = String::from_utf8(stored.record.data).unwrap();
            let number: u64 = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(text.as_bytes(), numbered(number).data, "a torn record");
            let now = (stored.version, number);
            assert!(now == before || (now.0 > before.0 && now.1 > before.1));
            before = now;
            tokio::task::yield_now().await;
        }
    })
    .await;
}
