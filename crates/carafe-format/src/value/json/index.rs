//! The places of the top-level keys and values in a session's JSON.

use super::bad_payload;
use super::place::{Place, Places, Spelling, length_bit};
use super::tag::Tag;
use super::validate::{Unindexed, validate};

/// A session's JSON. Behind it in the same buffer are the decoded forms of the keys that have
/// escapes, and the places of all keys and values in the order of the keys.
///
/// One allocation holds all of it, and it can be moved at little cost.
#[derive(Clone)]
pub(super) struct Index {
    buffer: Vec<u8>,
    summary: Summary,
}

/// What is known of all places: where they begin in the buffer, and the keys' lengths, each as a bit,
/// which for most keys that aren't there is enough to see it. (As one number, since two smaller ones
/// would be slow to copy together.)
#[derive(Clone, Copy)]
pub(super) struct Summary(u64);

impl Summary {
    #[inline]
    fn new(start: usize, lengths: u32) -> Self {
        Self((start as u64) << 32 | u64::from(lengths))
    }

    #[inline]
    fn start(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// Whether there can be a key of this length.
    #[inline]
    fn may_have(self, len: usize) -> bool {
        self.0 & u64::from(length_bit(len)) != 0
    }
}

impl Index {
    /// The number of places for which there is room in the buffer before they are counted.
    const NEAR: usize = 12;

    /// Room behind the JSON that makes it unlikely that the buffer has to be moved.
    pub(super) const ROOM: usize = Self::NEAR * Place::SIZE;

    /// Validates the JSON in the buffer, and puts the index behind it. Without an index, the JSON is
    /// still at the beginning of the buffer.
    pub(super) fn build(buffer: &mut Vec<u8>) -> Result<Summary, Unindexed> {
        // A decoded key is no longer than it was with its escapes.
        if u32::try_from(buffer.len().saturating_mul(2)).is_err() {
            return Err(bad_payload("the session is larger than 2 GiB").into());
        }
        let end = buffer.len();
        buffer.resize(end + Self::ROOM, 0);
        let (json, near) = buffer.split_at_mut(end);
        let near = near.as_chunks_mut().0;
        let mut places = Places { near, len: 0, more: Vec::new(), in_order: true, lengths: 0 };
        let mut decoded = Vec::new();
        validate(json, &mut places, &mut decoded)?;
        let Places { len, more, in_order, lengths, .. } = places;
        buffer.truncate(end + len.min(Self::NEAR) * Place::SIZE);
        if !decoded.is_empty() {
            buffer.splice(end..end, decoded.iter().copied());
        }
        buffer.extend_from_slice(more.as_flattened());
        let start = end + decoded.len();
        let (text, places) = buffer.split_at_mut(start);
        let places = places.as_chunks_mut().0;
        if let [only] = places {
            if Tag::of(Place::from_bytes(only).key(text)).is_some() {
                return Err(Unindexed::Unusual);
            }
        } else if !in_order {
            sort(places, text)?;
        }
        Ok(Summary::new(start, lengths))
    }

    /// Creates the index from the buffer and the summary that [`build`](Self::build) left.
    #[inline]
    pub(super) fn new(buffer: Vec<u8>, summary: Summary) -> Self {
        Self { buffer, summary }
    }

    #[inline]
    fn places(&self) -> &[[u8; Place::SIZE]] {
        self.buffer[self.summary.start()..].as_chunks().0
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.places().len()
    }

    /// The keys, as WTF-8 bytes, in the order of their code points.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.places().iter().map(|place| Place::from_bytes(place).key(&self.buffer))
    }

    /// The JSON of a key's value, and how it is written.
    #[inline]
    pub(super) fn find(&self, key: &[u8]) -> Option<(&[u8], Spelling)> {
        let place = Place::from_bytes(self.places().get(self.position(key)?)?);
        Some((place.value(&self.buffer), place.spelling))
    }

    /// The place of a key among the others.
    #[inline]
    pub(super) fn position(&self, key: &[u8]) -> Option<usize> {
        /// Up to this number of keys, a linear search is faster than a binary one.
        const FEW: usize = 8;
        if !self.summary.may_have(key.len()) {
            return None;
        }
        let (places, buffer) = (self.places(), self.buffer.as_slice());
        if places.len() <= FEW {
            places.iter().position(|place| Place::has_key(place, key, buffer))
        } else {
            let order = |place: &[u8; Place::SIZE]| Place::from_bytes(place).key(buffer).cmp(key);
            places.binary_search_by(order).ok()
        }
    }
}

/// Sorts the places by their keys, which must be different.
fn sort(places: &mut [[u8; Place::SIZE]], text: &[u8]) -> Result<(), Unindexed> {
    let key = |place: &[u8; Place::SIZE]| Place::from_bytes(place).key(text);
    let in_order =
        |places: &[[u8; Place::SIZE]]| places.is_sorted_by(|a, b| is_less(key(a), key(b)));
    if !in_order(places) {
        places.sort_by(|a, b| key(a).cmp(key(b)));
        // A value that a later one of the same key overrides may be of any kind.
        if !in_order(places) {
            return Err(Unindexed::Unusual);
        }
    }
    Ok(())
}

/// `a < b`, for keys: they are short, and most differ near their beginning, so that going through
/// their bytes takes less time than a call that compares many at once.
#[inline(always)]
pub(super) fn is_less(a: &[u8], b: &[u8]) -> bool {
    match a.iter().zip(b).find(|(a, b)| a != b) {
        Some((a, b)) => a < b,
        None => a.len() < b.len(),
    }
}
