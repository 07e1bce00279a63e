use std::collections::hash_map::{self, HashMap};

use super::entry::{Entry, Key};
use super::evictable::{Evictable, Records};
use crate::UnixSeconds;
use crate::id::SessionIdHash;

/// One part of the records, under one lock.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) records: Records,
    /// The keys of ids whose first bytes equal those that another id has: with SHA-256 hashes there
    /// are none.
    others: HashMap<SessionIdHash, Key>,
    /// The records that may be dropped.
    pub(super) evictable: Evictable,
    /// Ended sessions in cookies, and when their marks can be forgotten.
    pub(super) revoked: HashMap<SessionIdHash, UnixSeconds>,
}

impl Shard {
    /// Returns the key of a record, if the record is there.
    pub(super) fn key(&self, id: &SessionIdHash) -> Option<Key> {
        let key = Key::of(id);
        match self.records.get(&key) {
            Some(entry) if entry.is_of(id) => Some(key),
            _ if self.others.is_empty() => None,
            _ => self.others.get(id).copied(),
        }
    }

    pub(super) fn get(&self, id: &SessionIdHash) -> Option<&Entry> {
        self.records.get(&self.key(id)?)
    }

    /// Adds a record; `None` if the id has a record already.
    pub(super) fn insert(&mut self, id: &SessionIdHash, entry: Entry) -> Option<Key> {
        let (mut key, evictable) = (Key::of(id), entry.evictable());
        match self.records.entry(key) {
            hash_map::Entry::Vacant(place) if self.others.is_empty() => {
                place.insert(entry);
            }
            hash_map::Entry::Occupied(place) if place.get().is_of(id) => return None,
            _ if self.others.contains_key(id) => return None,
            _ => {
                while self.records.contains_key(&key) {
                    key = key.next();
                }
                if key != Key::of(id) {
                    self.others.insert(*id, key);
                }
                self.records.insert(key, entry);
            }
        }
        self.evictable.moved(key, None, evictable, &self.records);
        Some(key)
    }

    /// Returns the keys of at most `limit` expired records.
    pub(super) fn expired(&self, now: UnixSeconds, limit: usize) -> Vec<Key> {
        let expired = self.records.iter().filter(|(_, entry)| entry.is_expired(now));
        expired.map(|(key, _)| *key).take(limit).collect()
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Entry> {
        let entry = self.records.remove(&key)?;
        if !self.others.is_empty() {
            self.others.remove(&entry.id());
        }
        self.evictable.moved(key, entry.evictable(), None, &self.records);
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PublicId;
    use crate::record::Record;
    use crate::store::Version;

    #[test]
    fn ids_that_begin_alike_have_records_of_their_own() {
        let record = Record::new(PublicId::from_bytes([0; 16]), UnixSeconds(100), 60, 600);
        let ids = [1, 2, 3].map(|last| {
            let mut id = [255; 32];
            id[31] = last;
            SessionIdHash::from_bytes(id)
        });
        let entry = |id: &SessionIdHash| Entry::new(id, Version(1), &record, UnixSeconds(100));
        let mut shard = Shard::default();
        let keys = ids.map(|id| shard.insert(&id, entry(&id)).unwrap());
        for (id, key) in ids.iter().zip(keys) {
            assert_eq!((shard.key(id), shard.get(id).unwrap().id()), (Some(key), *id));
            assert_eq!(shard.insert(id, entry(id)), None);
        }
        // After the first is removed, the others are still found in their places.
        assert!(shard.remove(keys[0]).is_some_and(|entry| entry.is_of(&ids[0])));
        assert_eq!(ids.map(|id| shard.key(&id)), [None, Some(keys[1]), Some(keys[2])]);
        assert_eq!(shard.insert(&ids[1], entry(&ids[1])), None);
        assert_eq!(shard.insert(&ids[0], entry(&ids[0])), Some(keys[0]));
        for key in keys {
            shard.remove(key);
        }
        assert!(shard.records.is_empty() && shard.others.is_empty());
    }
}
