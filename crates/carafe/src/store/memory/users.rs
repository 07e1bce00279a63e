use std::collections::BTreeSet;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasher as _, BuildHasherDefault, RandomState};
use std::sync::{Mutex, MutexGuard};

use super::entry::{Key, KeyHasher};
use super::lock;

/// The number of shards that the index is spread over, each with its own lock.
const SHARDS: usize = 64;

/// The index of records by user. A user is a hash under a secret key of the store, so that a found
/// record may, very rarely, be another user's: the record itself tells.
#[derive(Debug)]
pub(super) struct Users {
    hashes: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

type Shard = HashMap<u64, Keys, BuildHasherDefault<KeyHasher>>;

/// The records of a user. Most users have one.
#[derive(Debug)]
enum Keys {
    One(Key),
    #[expect(clippy::box_collection, reason = "the map has an entry of every user, most have one")]
    Several(Box<BTreeSet<Key>>),
}

impl Users {
    pub(super) fn new() -> Self {
        Self { hashes: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Returns the hash of a user, and its locked shard.
    fn shard(&self, user: &str) -> (u64, MutexGuard<'_, Shard>) {
        let user = self.hashes.hash_one(user);
        // The shard is chosen by bits that the hash table doesn't use.
        let spread = usize::from(user.to_le_bytes()[5]);
        (user, lock(&self.shards[spread % SHARDS]))
    }

    pub(super) fn link(&self, user: &str, key: Key) {
        let (user, mut shard) = self.shard(user);
        match shard.entry(user) {
            Entry::Vacant(place) => {
                place.insert(Keys::One(key));
            }
            Entry::Occupied(mut keys) => match keys.get_mut() {
                Keys::One(one) => {
                    let both = BTreeSet::from([*one, key]);
                    keys.insert(Keys::Several(Box::new(both)));
                }
                Keys::Several(several) => {
                    several.insert(key);
                }
            },
        }
    }

    pub(super) fn unlink(&self, user: &str, key: Key) {
        let (user, mut shard) = self.shard(user);
        let Entry::Occupied(mut keys) = shard.entry(user) else { return };
        let left = match keys.get_mut() {
            Keys::One(one) => *one != key,
            Keys::Several(several) => {
                several.remove(&key);
                !several.is_empty()
            }
        };
        if !left {
            keys.remove();
        }
    }

    /// Returns the keys of a user's records, in their order.
    pub(super) fn keys_of(&self, user: &str) -> Vec<Key> {
        let (user, shard) = self.shard(user);
        match shard.get(&user) {
            None => Vec::new(),
            Some(Keys::One(one)) => vec![*one],
            Some(Keys::Several(several)) => several.iter().copied().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionIdHash;

    #[test]
    fn users_have_the_keys_that_they_were_given() {
        let [a, b, c] = [1, 2, 3].map(|byte| Key::of(&SessionIdHash::from_bytes([byte; 32])));
        let users = Users::new();
        for key in [b, a, b, c] {
            users.link("ada", key);
        }
        users.link("bob", a);
        users.unlink("bob", b);
        users.unlink("eve", a);
        assert_eq!(users.keys_of("ada"), [a, b, c]);
        assert_eq!((users.keys_of("bob"), users.keys_of("eve")), (vec![a], vec![]));
        for key in [b, b, a, c] {
            users.unlink("ada", key);
        }
        users.unlink("bob", a);
        assert!(users.shards.iter().all(|shard| lock(shard).is_empty()));
    }
}
