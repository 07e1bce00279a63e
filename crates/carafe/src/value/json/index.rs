//! Where the top-level keys and values of a session's JSON stand.

use std::ops::Range;

use smallvec::SmallVec;

use super::bad_payload;
use super::tag::Tag;
use super::validate::{Unindexed, validate};

/// A session's JSON, and behind it in the same buffer the decoded forms of those keys that have
/// escapes, and the places of all keys and values, in the order of the keys.
///
/// One allocation holds all of it, and it can be moved at little cost.
#[derive(Clone)]
pub(super) struct Index {
    buffer: Vec<u8>,
    /// Where the places begin.
    places: usize,
}

/// Where a key and its value stand in the buffer.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Start and end of the key, without quotes, and of the value.
    bounds: [u32; 4],
    spelling: Spelling,
}

/// The places of a payload, on the stack as long as they are few.
pub(super) type Places = SmallVec<[Place; 12]>;

/// How a value is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Spelling {
    /// A text without escapes, in Flask's own spelling.
    PlainText,
    /// In Flask's own spelling, so that its bytes can be copied.
    Canonical,
    Other,
}

impl Place {
    /// How many bytes of the buffer it takes.
    pub(super) const SIZE: usize = 17;

    #[inline]
    pub(super) fn new(key: Range<u32>, value: Range<u32>, spelling: Spelling) -> Self {
        Self { bounds: [key.start, key.end, value.start, value.end], spelling }
    }

    #[inline]
    fn to_bytes(self) -> [u8; Self::SIZE] {
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] =
            self.bounds.map(u32::to_ne_bytes);
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, self.spelling as u8]
    }

    #[inline]
    fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, spelling] = *bytes;
        let bounds = [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]];
        let spelling = match spelling {
            0 => Spelling::PlainText,
            1 => Spelling::Canonical,
            _ => Spelling::Other,
        };
        Self { bounds: bounds.map(u32::from_ne_bytes), spelling }
    }

    #[inline]
    fn key(self, buffer: &[u8]) -> &[u8] {
        let [start, end, ..] = self.bounds;
        &buffer[start as usize..end as usize]
    }

    #[inline]
    fn value(self, buffer: &[u8]) -> &[u8] {
        let [.., start, end] = self.bounds;
        &buffer[start as usize..end as usize]
    }
}

impl Index {
    /// Validates the JSON in the buffer, and puts the index behind it. Without an index, the JSON is
    /// still at the beginning of the buffer.
    pub(super) fn build(buffer: &mut Vec<u8>) -> Result<usize, Unindexed> {
        // A decoded key is no longer than it was with its escapes.
        if u32::try_from(buffer.len().saturating_mul(2)).is_err() {
            return Err(bad_payload("the session is larger than 2 GiB").into());
        }
        let (mut places, mut decoded) = (Places::new(), Vec::new());
        validate(buffer, &mut places, &mut decoded)?;
        buffer.append(&mut decoded);
        if let [only] = places.as_slice() {
            if Tag::of(only.key(buffer)).is_some() {
                return Err(Unindexed::Unusual);
            }
        } else {
            sort(&mut places, buffer)?;
        }
        let start = buffer.len();
        buffer.reserve_exact(places.len() * Place::SIZE);
        for place in places {
            buffer.extend_from_slice(&place.to_bytes());
        }
        Ok(start)
    }

    /// What [`build`](Self::build) left in the buffer, and where it said that the places begin.
    #[inline]
    pub(super) fn new(buffer: Vec<u8>, places: usize) -> Self {
        Self { buffer, places }
    }

    fn places(&self) -> &[[u8; Place::SIZE]] {
        self.buffer[self.places..].as_chunks().0
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
        /// Up to here going through the keys is faster than halving them.
        const FEW: usize = 8;
        let (places, buffer) = (self.places(), self.buffer.as_slice());
        let place = if places.len() <= FEW {
            places.iter().map(Place::from_bytes).find(|place| place.key(buffer) == key)?
        } else {
            let order = |place: &[u8; Place::SIZE]| Place::from_bytes(place).key(buffer).cmp(key);
            Place::from_bytes(&places[places.binary_search_by(order).ok()?])
        };
        Some((place.value(buffer), place.spelling))
    }
}

/// Sorts the places by their keys, which must be different.
fn sort(places: &mut Places, buffer: &[u8]) -> Result<(), Unindexed> {
    let in_order =
        |places: &Places| places.is_sorted_by(|a, b| is_less(a.key(buffer), b.key(buffer)));
    if !in_order(places) {
        places.sort_by(|a, b| a.key(buffer).cmp(b.key(buffer)));
        // A value that a later one of the same key overrides may be of any kind.
        if !in_order(places) {
            return Err(Unindexed::Unusual);
        }
    }
    Ok(())
}

/// `a < b`, for keys, which often differ in their first byte.
#[inline(always)]
pub(super) fn is_less(a: &[u8], b: &[u8]) -> bool {
    match (a.first(), b.first()) {
        (Some(a), Some(b)) if a != b => a < b,
        _ => a < b,
    }
}
