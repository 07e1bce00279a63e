use crate::id::SessionIdHash;
use crate::record::{Record, State};
use crate::store::{StoreError, StoreErrorKind, Stored, Version};

/// What stands before the record: whether it may be dropped, the version, and the rest of the id.
const HEADER: usize = 1 + 8 + REST;
const REST: usize = 32 - 8;

/// The part of an id that records are found by. Ids are SHA-256 hashes of what visitors can't
/// choose: that two of them share this part is as unlikely as it gets, and nobody can bring it about.
/// All the same it is the whole id that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn of(id: &SessionIdHash) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = *id.as_bytes();
        Self(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// A number for choosing a shard: of bits that hash tables have little use for.
    pub(super) fn spread(self) -> usize {
        usize::from(self.0.to_le_bytes()[5])
    }
}

/// A record in its binary form, which is a third of its size as a struct, in one allocation with what
/// belongs to it.
#[derive(Debug)]
pub(super) struct Entry {
    bytes: Box<[u8]>,
    /// When it ends. That is not among the bytes, so that a sweep has only to look at those that do.
    pub(super) ends: u64,
}

impl Entry {
    pub(super) fn new(id: &SessionIdHash, version: Version, record: &Record, now: u64) -> Self {
        // As long as an old id leads to a session, that may be one that somebody is logged in to.
        let leads = matches!(record.state, State::Moved { .. }) && !record.is_expired(now);
        let mut bytes = Vec::with_capacity(HEADER + record.encoded_len());
        bytes.push(u8::from(record.user.is_none() && !leads));
        bytes.extend_from_slice(&version.0.to_le_bytes());
        bytes.extend_from_slice(&id.as_bytes()[8..]);
        record.encode(&mut bytes);
        Self { bytes: bytes.into(), ends: record.ends() }
    }

    /// Whether a full store may drop it.
    pub(super) fn is_evictable(&self) -> bool {
        self.bytes.first() == Some(&1)
    }

    pub(super) fn version(&self) -> Version {
        let version = self.bytes.get(1..).and_then(|bytes| bytes.first_chunk());
        Version(version.map_or(0, |version| u64::from_le_bytes(*version)))
    }

    /// Whether it is the record of an id that has this key.
    pub(super) fn is_of(&self, id: &SessionIdHash) -> bool {
        self.rest() == &id.as_bytes()[8..]
    }

    /// The id that it is under, given its key.
    pub(super) fn id(&self, key: Key) -> SessionIdHash {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&key.0.to_le_bytes());
        id[8..].copy_from_slice(self.rest());
        SessionIdHash::from_bytes(id)
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[HEADER - REST..HEADER]
    }

    /// Whose record it is.
    pub(super) fn user(&self) -> Option<&str> {
        Record::user_in(&self.bytes[HEADER..])
    }

    pub(super) fn read(&self) -> Result<Stored, StoreError> {
        let record = Record::from_bytes(&self.bytes[HEADER..]).map_err(|error| {
            StoreError::new(StoreErrorKind::Corrupt, "a record in memory can't be read")
                .with_source(error)
        })?;
        Ok(Stored { record, version: self.version() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PublicId;

    #[test]
    fn an_entry_has_all_that_was_put_there() {
        let mut id = [7; 32];
        id[..2].copy_from_slice(&[1, 2]);
        let id = SessionIdHash::from_bytes(id);
        let mut record = Record::new(PublicId::from_bytes([9; 16]), 1_000, 60, 3_600);
        let anonymous = Entry::new(&id, Version(1), &record, 1_000);
        assert!(anonymous.is_evictable());
        assert_eq!((anonymous.user(), anonymous.ends), (None, 1_060));
        record.user = Some("ada".to_owned());
        let entry = Entry::new(&id, Version(u64::MAX), &record, 1_000);
        assert!(!entry.is_evictable());
        assert_eq!((entry.version(), entry.user()), (Version(u64::MAX), Some("ada")));
        assert_eq!(entry.id(Key::of(&id)), id);
        assert_eq!(entry.read().unwrap(), Stored { record, version: Version(u64::MAX) });
        let mut other = *id.as_bytes();
        other[31] ^= 1;
        let other = SessionIdHash::from_bytes(other);
        assert_eq!(Key::of(&other), Key::of(&id));
        assert!(entry.is_of(&id) && !entry.is_of(&other));
    }
}
