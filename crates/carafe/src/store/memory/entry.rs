use std::hash::Hasher;

use crate::UnixSeconds;
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State, number_len, put_number, split_number};
use crate::store::{StoreError, StoreErrorKind, Stored, Version};

/// The key of a record: usually the first bytes of its id, which is a SHA-256 hash. If ids share
/// these bytes, the first of them has this key, and the others have free numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u64);

impl Key {
    /// A key for entries that belong to no record.
    pub(super) const ANY: Self = Self(0);

    pub(super) fn of(id: &SessionIdHash) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *id.as_bytes();
        Self(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// Returns a number for choosing a shard, from bits that hash tables use little.
    pub(super) fn spread(self) -> usize {
        usize::from(self.0.to_le_bytes()[5])
    }

    /// Returns the next key of the same shard.
    pub(super) fn next(self) -> Self {
        let [a, b, c, d, rest @ ..] = self.0.to_le_bytes();
        let [a, b, c, d] = u32::from_le_bytes([a, b, c, d]).wrapping_add(1).to_le_bytes();
        let [e, f, g, h] = rest;
        Self(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// A hasher for keys, which are parts of hashes already.
#[derive(Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(part) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*part);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A record in its binary form, in one allocation with its id and version. It takes a third of the
/// memory of the struct.
#[derive(Debug)]
pub(super) struct Entry {
    /// The version, the id and the record.
    bytes: Box<[u8]>,
    /// The time at which the record ends, and whether it may be dropped. It is kept outside of the
    /// bytes, so that a scan of many records need not read all of them.
    ends: u64,
}

/// The bytes that a record takes besides its own: its entries in the tables of records and of users
/// and in the queue of droppable records, and the allocator's overhead.
const OVERHEAD: usize = 128;

/// The bit of an end time that marks the record as droppable.
const EVICTABLE: u64 = 1 << 63;

impl Entry {
    pub(super) fn new(
        id: &SessionIdHash,
        version: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Self {
        // While an old id leads to a session, a user may be logged in to that session.
        let leads = matches!(record.state, State::Moved { .. }) && !record.is_expired(now);
        let mut bytes = Vec::with_capacity(number_len(version.0) + 32 + record.encoded_len());
        put_number(&mut bytes, version.0);
        bytes.extend_from_slice(id.as_bytes());
        record.encode(&mut bytes);
        let evictable = if record.user.is_none() && !leads { EVICTABLE } else { 0 };
        Self { bytes: bytes.into(), ends: record.ends().0.min(EVICTABLE - 1) | evictable }
    }

    pub(super) fn is_expired(&self, now: UnixSeconds) -> bool {
        self.ends & !EVICTABLE <= now.0
    }

    /// Returns about how many bytes of memory the entry takes.
    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }

    /// Returns the time at which the entry ends, if a full store may drop it.
    pub(super) fn evictable(&self) -> Option<u64> {
        (self.ends & EVICTABLE != 0).then_some(self.ends & !EVICTABLE)
    }

    /// Splits the bytes into the version, the id and the record. The store wrote them, so they are
    /// well-formed.
    fn parts(&self) -> (Version, &[u8; 32], &[u8]) {
        let parts = split_number(&self.bytes).and_then(|(version, rest)| {
            let (id, record) = rest.split_first_chunk()?;
            Some((Version(version), id, record))
        });
        parts.unwrap_or((Version(0), &[0; 32], &[]))
    }

    pub(super) fn version(&self) -> Version {
        self.parts().0
    }

    /// Returns the id of the record.
    pub(super) fn id(&self) -> SessionIdHash {
        SessionIdHash::from_bytes(*self.parts().1)
    }

    pub(super) fn is_of(&self, id: &SessionIdHash) -> bool {
        self.parts().1 == id.as_bytes()
    }

    /// Returns whether the record belongs to the session with this public id.
    pub(super) fn is_session(&self, public_id: PublicId) -> bool {
        Record::is_of(self.parts().2, public_id)
    }

    /// Returns the user of the record.
    pub(super) fn user(&self) -> Option<&str> {
        Record::user_in(self.parts().2)
    }

    pub(super) fn read(&self) -> Result<Stored, StoreError> {
        let (version, _, record) = self.parts();
        let record = Record::from_bytes(record).map_err(|error| {
            StoreError::new(StoreErrorKind::Corrupt, "a record in memory can't be read")
                .with_source(error)
        })?;
        Ok(Stored { record, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_all_that_was_put_there() {
        let mut id = [7; 32];
        id[..2].copy_from_slice(&[1, 2]);
        let id = SessionIdHash::from_bytes(id);
        let now = UnixSeconds(1_000);
        let mut record = Record::new(PublicId::from_bytes([9; 16]), now, 60, 3_600);
        let anonymous = Entry::new(&id, Version(1), &record, now);
        assert_eq!((anonymous.user(), anonymous.evictable()), (None, Some(1_060)));
        assert!(anonymous.is_expired(now + 60) && !anonymous.is_expired(now + 59));
        record.user = Some("ada".to_owned());
        let entry = Entry::new(&id, Version(u64::MAX), &record, now);
        assert_eq!(entry.evictable(), None);
        assert!(entry.is_expired(now + 60) && !entry.is_expired(now + 59));
        assert_eq!((entry.version(), entry.user()), (Version(u64::MAX), Some("ada")));
        assert_eq!(entry.id(), id);
        assert_eq!(
            entry.read().unwrap(),
            Stored { record: record.clone(), version: Version(u64::MAX) }
        );
        let mut other = *id.as_bytes();
        other[31] ^= 1;
        let other = SessionIdHash::from_bytes(other);
        assert_eq!(Key::of(&other), Key::of(&id));
        assert!(entry.is_of(&id) && !entry.is_of(&other));
        (record.user, record.idle_expires, record.expires) =
            (None, UnixSeconds::MAX, UnixSeconds::MAX);
        let endless = Entry::new(&id, Version(1), &record, now);
        assert_eq!(endless.evictable(), Some(u64::MAX >> 1));
    }
    #[test]
    fn the_next_key_is_of_the_same_shard() {
        for byte in [0, 7, 255] {
            let key = Key::of(&SessionIdHash::from_bytes([byte; 32]));
            assert_ne!(key.next(), key);
            assert_eq!(key.next().spread(), key.spread());
        }
    }
}
