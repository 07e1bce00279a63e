//! Stores with a bug each: a search that misses these bugs would miss them in other stores as well.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, MemoryStore, Record, RevocationStore, Revocations, SessionStore, State, StoreError,
    Stored, Updated, UserRevocation, Version,
};

use super::check::{Violation, crashes, failures, history, pairs, try_all, try_random};
use super::plan::Mishap;
use super::world::World;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// An update replaces whatever is there.
    IgnoresVersions,
    /// An update adds a record that was deleted.
    BringsBack,
    /// A deletion with a version deletes any.
    DeletesAnyVersion,
    /// A deletion has no effect.
    DeletesNothing,
    /// A record is read as it was when it was first read.
    ReadsStale,
    /// The pointer under an old id is deleted at once.
    DropsPointers,
    /// The records of a user are never deleted together.
    LeavesUsers,
    /// Sessions that were used lately are swept, too.
    SweepsAll,
    /// A write that failed has been done all the same.
    WritesTwice,
}

#[derive(Debug)]
struct Broken {
    store: MemoryStore,
    bug: Bug,
    first_read: Mutex<HashMap<SessionIdHash, Stored>>,
}

impl Broken {
    fn new(bug: Bug) -> Arc<Self> {
        Arc::new(Self { store: MemoryStore::new(), bug, first_read: Mutex::default() })
    }

    async fn version_of(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> Result<Option<Version>, StoreError> {
        Ok(self.store.load(id, now).await?.map(|stored| stored.version))
    }
}

impl SessionStore for Broken {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.store.create(id, record, now).await
    }

    async fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        let loaded = self.store.load(id, now).await?;
        let (Bug::ReadsStale, Some(stored)) = (self.bug, &loaded) else { return Ok(loaded) };
        let mut first = self.first_read.lock().unwrap();
        let old = first.entry(*id).or_insert_with(|| stored.clone());
        Ok(Some(Stored { record: old.record.clone(), version: stored.version }))
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        let is_pointer = record.state != State::Live;
        match self.bug {
            Bug::IgnoresVersions => match self.version_of(id, now).await? {
                Some(version) => self.store.update(id, version, record, now).await,
                None => Ok(Updated::Gone),
            },
            Bug::BringsBack if self.store.create(id, record, now).await? => {
                Ok(Updated::Written(Version(1)))
            }
            Bug::DropsPointers if is_pointer => {
                Ok(match self.store.delete(id, Some(expected)).await? {
                    Deleted::Deleted => Updated::Written(Version(expected.0 + 1)),
                    Deleted::Conflict => Updated::Conflict,
                    Deleted::Gone => Updated::Gone,
                })
            }
            Bug::WritesTwice => {
                let updated = self.store.update(id, expected, record, now).await?;
                if updated == Updated::Conflict
                    && let Some(version) = self.version_of(id, now).await?
                {
                    self.store.update(id, version, record, now).await?;
                }
                Ok(updated)
            }
            _ => self.store.update(id, expected, record, now).await,
        }
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        match self.bug {
            Bug::DeletesAnyVersion => self.store.delete(id, None).await,
            Bug::DeletesNothing => Ok(Deleted::Deleted),
            _ => self.store.delete(id, expected).await,
        }
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        self.store.list_for_user(user, now).await
    }

    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        match self.bug {
            Bug::LeavesUsers => Ok(0),
            _ => self.store.delete_for_user(user, keep).await,
        }
    }

    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        let now = if self.bug == Bug::SweepsAll { UnixSeconds::MAX } else { now };
        self.store.delete_expired(now, limit).await
    }
}

impl RevocationStore for Broken {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.store.revoke(id, until, now).await
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.store.revoke_user(user, revocation, now).await
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        self.store.revocations(id, user, now).await
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.store.delete_expired_revocations(now, limit).await
    }
}

fn world(bug: Bug) -> World<Arc<Broken>> {
    let store = Broken::new(bug);
    World::new([Arc::clone(&store), store])
}

/// Every interleaving of two requests; what is found if anything is.
fn try_pairs(bug: Bug) -> Result<usize, Box<Violation>> {
    let mut result = Ok(0);
    crate::run_on_one_thread(async {
        result = try_all(&world(bug), pairs(2)).await.map_err(Box::new);
    });
    result
}

fn try_histories(bug: Bug) -> Result<(), Box<Violation>> {
    let mut result = Ok(());
    crate::run_on_one_thread(async {
        result = try_random(&world(bug), 300, history).await.map_err(Box::new);
    });
    result
}

#[test]
fn an_update_that_ignores_versions_is_found() {
    try_pairs(Bug::IgnoresVersions).unwrap_err();
}

#[test]
fn an_update_that_brings_a_record_back_is_found() {
    try_pairs(Bug::BringsBack).unwrap_err();
}

#[test]
fn a_deletion_of_any_version_is_found() {
    try_pairs(Bug::DeletesAnyVersion).unwrap_err();
}

#[test]
fn a_deletion_without_effect_is_found() {
    try_pairs(Bug::DeletesNothing).unwrap_err();
}

#[test]
fn a_stale_read_is_found() {
    try_pairs(Bug::ReadsStale).unwrap_err();
}

#[test]
fn a_pointer_that_is_dropped_is_found() {
    try_pairs(Bug::DropsPointers).unwrap_err();
}

#[test]
fn a_record_that_outlives_its_user_is_found() {
    try_pairs(Bug::LeavesUsers).unwrap_err();
}

#[test]
fn a_sweep_of_what_is_used_is_found() {
    try_pairs(Bug::SweepsAll).unwrap_err();
}

#[test]
fn a_write_that_was_refused_and_done_is_found() {
    try_pairs(Bug::WritesTwice).unwrap_err();
}

/// Random histories find a bug, too, and are then made as small as the histories of two requests.
#[test]
fn what_is_found_at_random_becomes_small() {
    let found = try_histories(Bug::IgnoresVersions).unwrap_err();
    let requests: usize = found.plan.clients.iter().map(Vec::len).sum();
    assert!(requests <= 3, "{found}");
    assert_eq!(found.plan.mishap, Mishap::Nothing);
    let again = try_histories(Bug::IgnoresVersions).unwrap_err();
    assert_eq!((again.plan.clients, again.choices), (found.plan.clients, found.choices));
}

/// The store of these tests without a bug, and the number of orders that are tried of it.
#[test]
fn a_store_without_a_bug_passes_every_order() {
    crate::run_on_one_thread(async {
        let world = world(Bug::None);
        let two = try_all(&world, pairs(1).step_by(4)).await.unwrap();
        let crashes = try_all(&world, crashes().step_by(16)).await.unwrap();
        let failures = try_all(&world, failures().step_by(8)).await.unwrap();
        assert!(two > 400 && crashes > 80 && failures > 50, "{two} {crashes} {failures}");
    });
}
