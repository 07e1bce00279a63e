//! The form of records and revocations in Redis.
//!
//! A record is one string: its version (8 bytes, big-endian), a part of its user's hash (8 bytes,
//! zeros without a login), its absolute expiry (8 bytes, big-endian), then the record in its binary
//! form. The scripts compare the header and never look further.

use carafe::UnixSeconds;
use carafe::id::SessionIdHash;
use carafe::store::{Notice, Record, StoreError, Stored, UserHash, Version};
use sha2::{Digest as _, Sha256};

use crate::error::corrupt;

/// The length of the header.
const HEADER: usize = 24;

/// The longest time to live: a hundred years, in milliseconds. Redis refuses times that don't fit
/// its clock.
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60 * 1000;

/// The latest time that the index's scores hold exactly.
const LATEST: u64 = 1 << 53;

/// The owner of a record, as its header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner([u8; 8]);

impl Owner {
    pub(crate) fn of(user: &str) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = Sha256::digest(user).0;
        Self([a, b, c, d, e, f, g, h])
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

pub(crate) fn encode(record: &Record, version: Version) -> Vec<u8> {
    let owner = record.user.as_deref().map_or([0; 8], |user| Owner::of(user).0);
    let mut value = Vec::with_capacity(HEADER + record.encoded_len());
    value.extend_from_slice(&version.0.to_be_bytes());
    value.extend_from_slice(&owner);
    value.extend_from_slice(&record.expires.0.to_be_bytes());
    record.encode(&mut value);
    value
}

/// The header of a value, with another version.
pub(crate) fn header_of(value: &[u8], version: Version) -> [u8; HEADER] {
    let mut header = value.first_chunk().copied().unwrap_or([0; HEADER]);
    header[..8].copy_from_slice(&version.0.to_be_bytes());
    header
}

pub(crate) fn decode(value: &[u8]) -> Result<Stored, StoreError> {
    let (header, bytes) = value.split_at_checked(HEADER).ok_or_else(|| corrupt("a record"))?;
    let (version, _) = header.split_first_chunk().ok_or_else(|| corrupt("a record"))?;
    let version = Version(u64::from_be_bytes(*version));
    let record =
        Record::from_bytes(bytes).map_err(|error| corrupt("a record").with_source(error))?;
    Ok(Stored { record, version })
}

/// Returns the time to live of a key in milliseconds, relative to the server's clock, since the
/// caller's clock may show another time. It is at least a second, so that a record that has just
/// expired differs from a missing one.
pub(crate) fn time_to_live(until: UnixSeconds, now: UnixSeconds) -> u64 {
    until.since(now).max(1).saturating_mul(1000).min(LONGEST)
}

/// A time as a score of the index.
pub(crate) fn score(time: UnixSeconds) -> u64 {
    time.0.min(LATEST)
}

/// A time that sorts as text.
pub(crate) fn digits(time: UnixSeconds) -> String {
    format!("{time:020}")
}

/// Times that were written with [`digits`].
pub(crate) fn parse_digits<const N: usize>(value: &[u8]) -> Result<[UnixSeconds; N], StoreError> {
    let broken = || corrupt("a revocation");
    let text = std::str::from_utf8(value).map_err(|_| broken())?;
    if !text.is_ascii() || text.len() != N * 20 {
        return Err(broken());
    }
    let mut times = [UnixSeconds(0); N];
    for (time, at) in times.iter_mut().zip((0..).step_by(20)) {
        time.0 = text[at..at + 20].parse().map_err(|_| broken())?;
    }
    Ok(times)
}

/// The names of keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix }
    }

    pub(crate) fn record(&self, id: &SessionIdHash) -> Vec<u8> {
        self.key(b's', id.as_bytes())
    }

    /// A pattern that the names of all records match, for `SCAN`.
    pub(crate) fn all_records(&self) -> Vec<u8> {
        let mut pattern = Vec::with_capacity(self.prefix.len() + 4);
        for byte in self.prefix.bytes() {
            if b"*?[]^-\\".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.extend_from_slice(b":s:*");
        pattern
    }

    /// The id in the name of a record; `None` if it is another key's name.
    pub(crate) fn record_id(&self, key: &[u8]) -> Option<SessionIdHash> {
        let hash = key.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b":s:")?;
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(hash).ok()?;
        bytes.try_into().ok().map(SessionIdHash::from_bytes)
    }

    /// The index of a user's sessions.
    pub(crate) fn index(&self, user: &str) -> Vec<u8> {
        self.key(b'u', &Sha256::digest(user))
    }

    pub(crate) fn revoked(&self, id: &SessionIdHash) -> Vec<u8> {
        self.key(b'r', id.as_bytes())
    }

    pub(crate) fn not_before(&self, user: &str) -> Vec<u8> {
        self.key(b'n', &Sha256::digest(user))
    }

    /// The channel on which endings are published, by the names of their keys.
    pub(crate) fn channel(&self) -> Vec<u8> {
        [self.prefix.as_bytes(), b":ended"].concat()
    }

    /// The notice in a published key; `None` if the key belongs to another store.
    pub(crate) fn notice(&self, key: &[u8]) -> Option<Notice> {
        let rest = key.strip_prefix(self.prefix.as_bytes())?.strip_prefix(b":")?;
        let (kind, hash) = rest.split_at_checked(2)?;
        let hash = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(hash).ok()?.try_into().ok()?;
        match kind {
            b"s:" | b"r:" => Some(Notice::Session(SessionIdHash::from_bytes(hash))),
            b"n:" => Some(Notice::User(UserHash::from_bytes(hash))),
            _ => None,
        }
    }

    fn key(&self, kind: u8, hash: &[u8]) -> Vec<u8> {
        let base64 = base64_simd::URL_SAFE_NO_PAD;
        let length = self.prefix.len() + 3 + base64.encoded_length(hash.len());
        let mut key = Vec::with_capacity(length);
        key.extend_from_slice(self.prefix.as_bytes());
        key.extend_from_slice(&[b':', kind, b':']);
        base64.encode_append(hash, &mut key);
        key
    }
}

#[cfg(test)]
mod tests {
    use carafe::id::PublicId;

    use super::*;

    #[test]
    fn records_round_trip_and_cut_ones_are_corrupt() {
        let mut record = Record::new(PublicId::from_bytes([1; 16]), UnixSeconds(100), 10, 1000);
        let before = encode(&record, Version(6));
        record.data = b"{}".to_vec();
        let value = encode(&record, Version(7));
        let stored = decode(&value).unwrap();
        assert_eq!(stored, Stored { record: record.clone(), version: Version(7) });
        assert_eq!(header_of(&value, Version(6)), before[..HEADER]);
        let cut = value.len() - record.data.len();
        assert!((0..cut).all(|length| decode(&value[..length]).is_err()));
    }

    #[test]
    fn a_time_to_live_fits_the_server_s_clock() {
        assert_eq!(time_to_live(UnixSeconds(160), UnixSeconds(100)), 60_000);
        assert_eq!(time_to_live(UnixSeconds(100), UnixSeconds(160)), 1000);
        assert_eq!(time_to_live(UnixSeconds(u64::MAX), UnixSeconds(0)), LONGEST);
    }

    #[test]
    fn times_sort_as_text() {
        let digits = |time| super::digits(UnixSeconds(time));
        assert!(digits(9) < digits(10) && digits(10) < digits(u64::MAX));
        let text = [digits(7), digits(u64::MAX)].concat();
        assert_eq!(parse_digits(text.as_bytes()).unwrap(), [7, u64::MAX].map(UnixSeconds));
        assert!(parse_digits::<1>(text.as_bytes()).is_err());
        assert!(parse_digits::<1>("\u{e9}".repeat(10).as_bytes()).is_err());
    }

    #[test]
    fn the_names_of_records_lead_back_to_their_ids() {
        let keys = Keys::new("a*[b]-c\\d?^".to_owned());
        let id = SessionIdHash::from_bytes([7; 32]);
        assert_eq!(keys.record_id(&keys.record(&id)), Some(id));
        for other in [&keys.revoked(&id)[..], &keys.index("ann"), b"a", &keys.record(&id)[1..]] {
            assert_eq!(keys.record_id(other), None);
        }
        assert_eq!(keys.all_records(), br"a\*\[b\]\-c\\d\?\^:s:*");
        assert_eq!(Keys::new("shop".to_owned()).all_records(), b"shop:s:*");
    }

    #[test]
    fn published_keys_are_read() {
        let keys = Keys::new("shop".to_owned());
        let id = SessionIdHash::from_bytes([7; 32]);
        let session = Some(Notice::Session(id));
        assert_eq!(keys.notice(&keys.record(&id)), session);
        assert_eq!(keys.notice(&keys.revoked(&id)), session);
        assert_eq!(keys.notice(&keys.not_before("ann")), Some(Notice::User(UserHash::of("ann"))));
        for other in [&keys.index("ann")[..], b"", b"shop:s:", b"shop2:s:", &keys.record(&id)[1..]]
        {
            assert_eq!(keys.notice(other), None);
        }
    }

    #[test]
    fn keys_name_nobody() {
        let keys = Keys::new("carafe".to_owned());
        let key = String::from_utf8(keys.index("ann@example.org")).unwrap();
        assert!(key.starts_with("carafe:u:") && !key.contains("ann"), "{key}");
        assert_eq!(keys.record(&SessionIdHash::from_bytes([0; 32])).len(), "carafe:s:".len() + 43);
    }
}
