mod entry;
mod evictable;
mod shard;
mod users;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::entry::{Entry, Key};
use self::shard::Shard;
use self::users::Users;
use super::{
    Deleted, RevocationStore, Revocations, SessionStore, StoreError, StoreErrorKind, Stored,
    Updated, UserRevocation, Version,
};
use crate::event;
use crate::id::SessionIdHash;
use crate::record::Record;

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
    users: Users,
    revoked_users: Mutex<HashMap<String, NotBefore>>,
    len: AtomicUsize,
    capacity: usize,
    /// When a full store last looked for expired records.
    swept: AtomicU64,
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
            users: Users::new(),
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

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[key.spread() % SHARDS])
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
        let first = Key::of(id).spread();
        (0..SHARDS).any(|offset| {
            let mut shard = lock(&self.shards[(first + offset) % SHARDS]);
            let Shard { records, evictable, .. } = &mut *shard;
            let Some(key) = evictable.pop(records) else { return false };
            self.remove(&mut shard, key).is_some()
        })
    }

    /// Removes a record.
    fn remove(&self, shard: &mut Shard, key: Key) -> Option<Entry> {
        let entry = shard.remove(key)?;
        if let Some(user) = entry.user() {
            self.users.unlink(user, key);
        }
        self.len.fetch_sub(1, Ordering::Relaxed);
        Some(entry)
    }

    /// Removes expired records, a shard at a time.
    fn sweep(&self, now: u64, limit: usize) -> usize {
        let mut removed = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            let expired = |(_, entry): &(&Key, &Entry)| entry.is_expired(now);
            let keys: Vec<Key> = shard
                .records
                .iter()
                .filter(expired)
                .map(|(key, _)| *key)
                .take(limit - removed)
                .collect();
            for key in &keys {
                self.remove(&mut shard, *key);
            }
            removed += keys.len();
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
        let entry = Entry::new(id, Version::FIRST, record, now);
        let mut shard = self.shard(Key::of(id));
        let Some(key) = shard.insert(id, entry) else {
            self.len.fetch_sub(1, Ordering::Relaxed);
            return Ok(false);
        };
        if let Some(user) = &record.user {
            self.users.link(user, key);
        }
        Ok(true)
    }

    async fn load(&self, id: &SessionIdHash, _now: u64) -> Result<Option<Stored>, StoreError> {
        self.shard(Key::of(id)).get(id).map(Entry::read).transpose()
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: u64,
    ) -> Result<Updated, StoreError> {
        let version = Version(expected.0.saturating_add(1));
        let new = Entry::new(id, version, record, now);
        let evictable = new.evictable();
        let mut shard = self.shard(Key::of(id));
        let Some(key) = shard.key(id) else { return Ok(Updated::Gone) };
        let Shard { records, evictable: queue, .. } = &mut *shard;
        let Some(entry) = records.get_mut(&key) else { return Ok(Updated::Gone) };
        if entry.version() != expected {
            return Ok(Updated::Conflict);
        }
        let old = std::mem::replace(entry, new);
        queue.moved(key, old.evictable(), evictable, records);
        let (user, old_user) = (record.user.as_deref(), old.user());
        if user != old_user {
            // Whoever looks a user's records up at this moment finds it.
            if let Some(user) = user {
                self.users.link(user, key);
            }
            if let Some(user) = old_user {
                self.users.unlink(user, key);
            }
        }
        Ok(Updated::Written(version))
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        let mut shard = self.shard(Key::of(id));
        let Some(key) = shard.key(id) else { return Ok(Deleted::Gone) };
        let version = shard.records.get(&key).map(Entry::version);
        if expected.is_some() && version != expected {
            return Ok(Deleted::Conflict);
        }
        self.remove(&mut shard, key);
        Ok(Deleted::Deleted)
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: u64,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let mut list = Vec::new();
        for key in self.users.keys_of(user) {
            let shard = self.shard(key);
            let entry = shard.records.get(&key).filter(|entry| entry.user() == Some(user));
            let Some(entry) = entry else { continue };
            let stored = entry.read()?;
            if !stored.record.is_expired(now) {
                list.push((entry.id(), stored));
            }
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
            let (before, keys) = (deleted, self.users.keys_of(user));
            for key in &keys {
                let mut shard = self.shard(*key);
                let entry = shard.records.get(key);
                // It may have become somebody else's since.
                let is_users = |entry: &&Entry| {
                    entry.user() == Some(user) && !keep.is_some_and(|keep| entry.is_of(keep))
                };
                if entry.filter(is_users).is_some() {
                    self.remove(&mut shard, *key);
                    deleted += 1;
                }
            }
            // A session that moved to a new id meanwhile was under that one before it left the old.
            if deleted == before && self.users.keys_of(user) == keys {
                return Ok(deleted);
            }
        }
    }

    async fn delete_expired(&self, now: u64, limit: u32) -> Result<u64, StoreError> {
        Ok(self.sweep(now, limit as usize) as u64)
    }
}

impl RevocationStore for MemoryStore {
    async fn revoke(&self, id: &SessionIdHash, until: u64, _now: u64) -> Result<(), StoreError> {
        let mut shard = self.shard(Key::of(id));
        let ends = shard.revoked.entry(*id).or_default();
        *ends = until.max(*ends);
        Ok(())
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        _now: u64,
    ) -> Result<(), StoreError> {
        let UserRevocation { logins_up_to: time, until } = revocation;
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
        let session = self.shard(Key::of(id)).revoked.get(id).is_some_and(|until| *until > now);
        let users = lock(&self.revoked_users);
        let not_before = user.and_then(|user| users.get(user)).filter(|entry| entry.until > now);
        Ok(Revocations { session, not_before: not_before.map(|entry| entry.time) })
    }

    async fn delete_expired_revocations(&self, now: u64, _limit: u32) -> Result<u64, StoreError> {
        let mut removed = retain(&mut lock(&self.revoked_users), |entry| entry.until > now);
        for shard in &self.shards {
            removed += retain(&mut lock(shard).revoked, |until| *until > now);
        }
        Ok(removed)
    }
}

/// Removes what `keep` doesn't keep. Returns how many entries were removed.
fn retain<K: Eq + Hash, V, S: BuildHasher>(
    map: &mut HashMap<K, V, S>,
    keep: impl Fn(&V) -> bool,
) -> u64 {
    let before = map.len();
    map.retain(|_, value| keep(value));
    (before - map.len()) as u64
}

/// A lock whose holder panicked is taken all the same: what it guards is changed last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
