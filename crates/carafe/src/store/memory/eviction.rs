use std::sync::atomic::Ordering;

use super::entry::{Entry, Key};
use super::shard::Shard;
use super::{MemoryStore, SHARDS, lock};
use crate::store::{StoreError, StoreErrorKind};
use crate::{UnixSeconds, event};

impl MemoryStore {
    /// Takes room for one more entry of this size, if necessary by dropping other entries. The
    /// shard of this key is searched last.
    pub(super) fn reserve(
        &self,
        key: Key,
        bytes: usize,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        // An entry that can never fit must not empty the store.
        if bytes > self.room.max_bytes {
            return Err(self.full());
        }
        let too_many = self.room.take(bytes);
        if (too_many && !self.evict(key, now)) || !self.make_bytes(key, now) {
            self.room.give_back(1, bytes);
            return Err(self.full());
        }
        Ok(())
    }

    /// Takes room for an entry that grows by this size.
    pub(super) fn reserve_growth(
        &self,
        key: Key,
        bytes: usize,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.room.grow(bytes);
        if self.make_bytes(key, now) {
            return Ok(());
        }
        self.room.give_back(0, bytes);
        Err(self.full())
    }

    /// Refuses a user's new session if the store is filling up and the user has a large part of it.
    /// A user's only session is always accepted.
    pub(super) fn check_new_of(&self, user: &str, bytes: usize) -> Result<(), StoreError> {
        self.check_share(user, self.room.share().0, bytes)
    }

    /// Refuses the growth of a user's session if the store is filling up and the user has a large
    /// part of it.
    pub(super) fn check_growth_of(&self, user: &str, bytes: usize) -> Result<(), StoreError> {
        self.check_share(user, usize::MAX, bytes)
    }

    fn check_share(&self, user: &str, most: usize, bytes: usize) -> Result<(), StoreError> {
        if !self.room.is_past_half() {
            return Ok(());
        }
        let most_bytes = self.room.share().1;
        let keys = self.users.keys_of(user);
        let mut bytes_left = Some(most_bytes.saturating_sub(bytes));
        for key in &keys {
            let cost = self.shard(*key).records.get(key).map_or(0, Entry::cost);
            bytes_left = bytes_left.and_then(|left| left.checked_sub(cost));
            if bytes_left.is_none() {
                break;
            }
        }
        if keys.len() < most && (bytes_left.is_some() || keys.is_empty()) {
            return Ok(());
        }
        event::user_has_share();
        Err(StoreError::new(
            StoreErrorKind::Full,
            "the memory store is more than half full, and a sixteenth of it is sessions of this user, \
             who gets no more: end some of them, give the store a larger capacity, or use another store",
        ))
    }

    /// Drops entries until the store is within its byte limit.
    fn make_bytes(&self, key: Key, now: UnixSeconds) -> bool {
        while self.room.is_over() {
            if !self.evict(key, now) {
                return false;
            }
        }
        true
    }

    /// Makes room: drops expired records or, if there are none, the anonymous record that ends
    /// first in the first shard that has one. The shard of this key comes last, since its record
    /// may be the one that grows.
    fn evict(&self, key: Key, now: UnixSeconds) -> bool {
        // Finding expired records takes a scan of all records, so it is done once a second.
        if self.swept.swap(now.0, Ordering::Relaxed) != now.0
            && self.sweep(now, usize::MAX) + self.sweep_revocations(now) > 0
        {
            return true;
        }
        let first = key.spread();
        (1..=SHARDS).any(|offset| {
            let mut shard = lock(&self.shards[(first + offset) % SHARDS]);
            let Shard { records, evictable, .. } = &mut *shard;
            let Some(key) = evictable.pop(records) else { return false };
            self.remove(&mut shard, key).is_some()
        })
    }

    fn full(&self) -> StoreError {
        let (sessions, bytes) = (self.room.max_entries, self.room.max_bytes);
        event::store_full(sessions, bytes);
        StoreError::new(
            StoreErrorKind::Full,
            format!(
                "the memory store is full: its {sessions} places or {bytes} bytes are taken by sessions \
                 of users who are logged in and by revocations; give it a larger capacity, or use \
                 another store"
            ),
        )
    }
}
