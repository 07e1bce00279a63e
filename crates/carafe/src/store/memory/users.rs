use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard};

use super::entry::Key;
use super::lock;

/// How many parts the index is spread over, each with a lock of its own.
const SHARDS: usize = 64;

/// Which records are whose, as pairs of numbers: a hash of the user, under a key of the store's own,
/// and the record's key. What is found may be another user's, however unlikely that is: the record
/// tells.
#[derive(Debug)]
pub(super) struct Users {
    hashes: RandomState,
    shards: Box<[Mutex<BTreeSet<(u64, Key)>>]>,
}

impl Users {
    pub(super) fn new() -> Self {
        Self { hashes: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    fn shard(&self, user: u64) -> MutexGuard<'_, BTreeSet<(u64, Key)>> {
        lock(&self.shards[user as usize % SHARDS])
    }

    pub(super) fn link(&self, user: &str, key: Key) {
        let user = self.hashes.hash_one(user);
        self.shard(user).insert((user, key));
    }

    pub(super) fn unlink(&self, user: &str, key: Key) {
        let user = self.hashes.hash_one(user);
        self.shard(user).remove(&(user, key));
    }

    /// The keys of a user's records, in their order.
    pub(super) fn keys_of(&self, user: &str) -> Vec<Key> {
        let user = self.hashes.hash_one(user);
        let shard = self.shard(user);
        let pairs = shard.range((user, Key::FIRST)..).take_while(|(owner, _)| *owner == user);
        pairs.map(|(_, key)| *key).collect()
    }
}
