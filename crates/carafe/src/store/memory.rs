use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Deleted, Revocations, SessionStore, StoreError, StoreErrorKind, Stored, Updated, Version,
};
use crate::event;
use crate::id::SessionIdHash;
use crate::record::{Record, State};

/// How many parts the records are spread over, each with a lock of its own.
const SHARDS: usize = 64;

/// A store in the memory of one process: for development, for tests, and for services of one
/// process whose sessions may end with it.
///
/// It holds a bounded number of sessions. When it is full, it drops expired ones first, then
/// sessions of anonymous visitors, those that would end first among some, and never one that somebody is logged in
/// to: then it refuses new ones, which the visitor sees as a 503.
///
/// ```
/// use carafe::MemoryStore;
///
/// let store = MemoryStore::with_capacity(100_000);
/// assert_eq!(store.len(), 0);
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    users: Mutex<HashMap<String, HashSet<SessionIdHash>>>,
    revoked_users: Mutex<HashMap<String, NotBefore>>,
    len: AtomicUsize,
    capacity: usize,
    /// When a full store last looked for expired records.
    swept: AtomicU64,
}

/// A part of the records.
#[derive(Debug, Default)]
struct Shard {
    records: HashMap<SessionIdHash, Entry, BuildHasherDefault<IdHasher>>,
    /// The records that may be dropped, those that end first at the beginning.
    evictable: BTreeSet<(u64, SessionIdHash)>,
    /// Sessions in cookies that were ended, and when that can be forgotten.
    revoked: HashMap<SessionIdHash, u64>,
}

/// A record in its binary form, which is a third of its size as a struct.
#[derive(Debug)]
struct Entry {
    bytes: Box<[u8]>,
    version: Version,
    ends: u64,
    anonymous: bool,
    evictable: bool,
}

#[derive(Clone, Copy, Debug)]
struct NotBefore {
    time: u64,
    until: u64,
}

impl Default for MemoryStore {
    /// A store of at most a million sessions.
    fn default() -> Self {
        Self::with_capacity(1_000_000)
    }
}

impl MemoryStore {
    /// A store of at most a million sessions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store of at most so many sessions.
    #[must_use]
    pub fn with_capacity(sessions: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            users: Mutex::default(),
            revoked_users: Mutex::default(),
            len: AtomicUsize::new(0),
            capacity: sessions,
            swept: AtomicU64::new(0),
        }
    }

    /// How many records there are, expired ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, id: &SessionIdHash) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(id.as_bytes()[0]) % SHARDS])
    }

    /// Takes a place for one more record, if need be from one that may be dropped.
    fn reserve(&self, id: &SessionIdHash, now: u64) -> Result<(), StoreError> {
        let taken = self.len.fetch_add(1, Ordering::Relaxed);
        if taken < self.capacity || self.evict(id, now) {
            return Ok(());
        }
        self.len.fetch_sub(1, Ordering::Relaxed);
        event::store_full(self.capacity);
        Err(StoreError::new(
            StoreErrorKind::Full,
            format!(
                "the memory store is full: all its {} sessions are of users who are logged in; \
                 give it a larger capacity, or use another store",
                self.capacity
            ),
        ))
    }

    /// Makes room: drops what has expired or, if nothing has, the anonymous record that ends first in
    /// the first shard that has one.
    fn evict(&self, id: &SessionIdHash, now: u64) -> bool {
        // Looking for expired ones goes through all records, so that it is done once a second.
        if self.swept.swap(now, Ordering::Relaxed) != now && self.sweep(now, usize::MAX) > 0 {
            return true;
        }
        let first = usize::from(id.as_bytes()[0]);
        (0..SHARDS).any(|offset| {
            let mut shard = lock(&self.shards[(first + offset) % SHARDS]);
            let Some((_, id)) = shard.evictable.first().copied() else { return false };
            self.remove(&mut shard, &id).is_some()
        })
    }

    /// Puts a record in its place, and into the indexes, before the one that was there leaves them:
    /// who looks a user's records up at that moment finds it.
    fn put(
        &self,
        shard: &mut Shard,
        id: &SessionIdHash,
        record: &Record,
        version: Version,
        now: u64,
    ) {
        let anonymous = record.user.is_none();
        // As long as an old id leads to a session, that may be one that somebody is logged in to.
        let leads = matches!(record.state, State::Moved { .. }) && !record.is_expired(now);
        let entry = Entry {
            bytes: record.to_bytes().into(),
            version,
            ends: record.ends(),
            anonymous,
            evictable: anonymous && !leads,
        };
        let old = shard.records.get(id).map(|old| (old.evictable, old.ends, old.user()));
        if let Some((true, ends, _)) = old {
            shard.evictable.remove(&(ends, *id));
        }
        if entry.evictable {
            shard.evictable.insert((entry.ends, *id));
        }
        shard.records.insert(*id, entry);
        let old_user = old.and_then(|(.., user)| user);
        if old_user != record.user {
            if let Some(user) = &record.user {
                lock(&self.users).entry(user.clone()).or_default().insert(*id);
            }
            if let Some(user) = old_user {
                self.unlink(&user, id);
            }
        }
    }

    /// Takes an id out of a user's list.
    fn unlink(&self, user: &str, id: &SessionIdHash) {
        let mut users = lock(&self.users);
        if let Some(ids) = users.get_mut(user) {
            ids.remove(id);
            if ids.is_empty() {
                users.remove(user);
            }
        }
    }

    /// Removes a record.
    fn remove(&self, shard: &mut Shard, id: &SessionIdHash) -> Option<Entry> {
        let entry = shard.records.remove(id)?;
        if entry.evictable {
            shard.evictable.remove(&(entry.ends, *id));
        }
        if let Some(user) = entry.user() {
            self.unlink(&user, id);
        }
        self.len.fetch_sub(1, Ordering::Relaxed);
        Some(entry)
    }

    /// Removes expired records, a shard at a time.
    fn sweep(&self, now: u64, limit: usize) -> usize {
        let mut removed = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            let expired = |(_, entry): &(&SessionIdHash, &Entry)| entry.ends <= now;
            let ids: Vec<SessionIdHash> = shard
                .records
                .iter()
                .filter(expired)
                .map(|(id, _)| *id)
                .take(limit - removed)
                .collect();
            for id in &ids {
                self.remove(&mut shard, id);
            }
            shard.revoked.retain(|_, until| *until > now);
            removed += ids.len();
            if removed == limit {
                break;
            }
        }
        removed
    }
}

impl SessionStore for MemoryStore {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: u64,
    ) -> Result<bool, StoreError> {
        // Before the shard is locked: making room may lock any shard.
        self.reserve(id, now)?;
        let mut shard = self.shard(id);
        if shard.records.contains_key(id) {
            self.len.fetch_sub(1, Ordering::Relaxed);
            return Ok(false);
        }
        self.put(&mut shard, id, record, Version(1), now);
        Ok(true)
    }

    async fn load(&self, id: &SessionIdHash, _now: u64) -> Result<Option<Stored>, StoreError> {
        self.shard(id).records.get(id).map(Entry::read).transpose()
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: u64,
    ) -> Result<Updated, StoreError> {
        let mut shard = self.shard(id);
        match shard.records.get(id) {
            None => return Ok(Updated::Gone),
            Some(entry) if entry.version != expected => return Ok(Updated::Conflict),
            Some(_) => {}
        }
        let version = Version(expected.0 + 1);
        self.put(&mut shard, id, record, version, now);
        Ok(Updated::Written(version))
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        let mut shard = self.shard(id);
        match (shard.records.get(id), expected) {
            (None, _) => Ok(Deleted::Gone),
            (Some(entry), Some(expected)) if entry.version != expected => Ok(Deleted::Conflict),
            (Some(_), _) => {
                self.remove(&mut shard, id);
                Ok(Deleted::Deleted)
            }
        }
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: u64,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let is_of =
            |record: &Record| record.user.as_deref() == Some(user) && !record.is_expired(now);
        let mut list = Vec::new();
        for id in self.ids_of(user) {
            let stored = self.shard(&id).records.get(&id).map(Entry::read).transpose()?;
            list.extend(stored.filter(|found| is_of(&found.record)).map(|stored| (id, stored)));
        }
        Ok(list)
    }

    async fn delete_for_user(
        &self,
        user: &str,
        keep: Option<&SessionIdHash>,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let before = deleted;
            for id in self.ids_of(user) {
                let mut shard = self.shard(&id);
                // It may have become somebody else's since.
                let owner = shard.records.get(&id).and_then(Entry::user);
                if Some(&id) != keep && owner.as_deref() == Some(user) {
                    self.remove(&mut shard, &id);
                    deleted += 1;
                }
            }
            // A session that moved to a new id meanwhile was under that one before it left the old.
            if deleted == before && self.ids_of(user).iter().all(|id| Some(id) == keep) {
                return Ok(deleted);
            }
        }
    }

    async fn delete_expired(&self, now: u64, limit: u32) -> Result<u64, StoreError> {
        lock(&self.revoked_users).retain(|_, not_before| not_before.until > now);
        Ok(self.sweep(now, limit as usize) as u64)
    }

    async fn revoke(&self, id: &SessionIdHash, until: u64, _now: u64) -> Result<(), StoreError> {
        let mut shard = self.shard(id);
        let ends = shard.revoked.entry(*id).or_default();
        *ends = until.max(*ends);
        Ok(())
    }

    async fn revoke_user(
        &self,
        user: &str,
        time: u64,
        until: u64,
        _now: u64,
    ) -> Result<(), StoreError> {
        let mut users = lock(&self.revoked_users);
        let entry = users.entry(user.to_owned()).or_insert(NotBefore { time, until });
        *entry = NotBefore { time: time.max(entry.time), until: until.max(entry.until) };
        Ok(())
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: u64,
    ) -> Result<Revocations, StoreError> {
        let session = self.shard(id).revoked.get(id).is_some_and(|until| *until > now);
        let users = lock(&self.revoked_users);
        let not_before = user.and_then(|user| users.get(user)).filter(|entry| entry.until > now);
        Ok(Revocations { session, not_before: not_before.map(|entry| entry.time) })
    }
}

impl MemoryStore {
    fn ids_of(&self, user: &str) -> Vec<SessionIdHash> {
        lock(&self.users).get(user).into_iter().flatten().copied().collect()
    }
}

impl Entry {
    /// Whose record it is.
    fn user(&self) -> Option<String> {
        if self.anonymous {
            return None;
        }
        Record::from_bytes(&self.bytes).ok()?.user
    }

    fn read(&self) -> Result<Stored, StoreError> {
        let record = Record::from_bytes(&self.bytes).map_err(|error| {
            StoreError::new(StoreErrorKind::Corrupt, "a record in memory can't be read")
                .with_source(error)
        })?;
        Ok(Stored { record, version: self.version })
    }
}

/// A lock whose holder panicked is taken all the same: what it guards is changed last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids are SHA-256 hashes of what visitors can't choose: a part of them is a hash already.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(part) = bytes.last_chunk() {
            self.0 = u64::from_le_bytes(*part);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
