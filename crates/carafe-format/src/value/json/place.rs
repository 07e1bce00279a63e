//! The place of a key and its value in the buffer that holds the JSON.

/// The place of a key and its value in the buffer.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Start and end of the key, without quotes, and of the value.
    bounds: [u32; 4],
    pub(super) spelling: Spelling,
}

/// The places of a payload while it is validated: in the buffer, behind the JSON, as long as they are
/// few.
pub(super) struct Places<'a> {
    pub(super) near: &'a mut [[u8; Place::SIZE]],
    pub(super) len: usize,
    pub(super) more: Vec<[u8; Place::SIZE]>,
    /// Whether each key is known to be greater than the one before it.
    pub(super) in_order: bool,
    pub(super) lengths: u32,
}

/// The bit of a key's length.
#[inline(always)]
pub(super) fn length_bit(len: usize) -> u32 {
    1 << (len % 32)
}

impl Places<'_> {
    #[inline]
    pub(super) fn push(&mut self, place: Place) {
        match self.near.get_mut(self.len) {
            Some(slot) => *slot = place.to_bytes(),
            None => self.more.push(place.to_bytes()),
        }
        self.len += 1;
        let [start, end, ..] = place.bounds;
        self.lengths |= length_bit((end - start) as usize);
    }
}

/// The way in which a value is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Spelling {
    /// A text without escapes, in Flask's own spelling.
    PlainText,
    /// In Flask's own spelling, so that its bytes can be copied.
    Canonical,
    Other,
}

impl Place {
    /// The number of bytes of the buffer that a place takes.
    pub(super) const SIZE: usize = 17;

    #[inline]
    pub(super) fn new(bounds: [u32; 4], spelling: Spelling) -> Self {
        Self { bounds, spelling }
    }

    #[inline]
    pub(super) fn to_bytes(self) -> [u8; Self::SIZE] {
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] =
            self.bounds.map(u32::to_ne_bytes);
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, self.spelling as u8]
    }

    #[inline]
    pub(super) fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let mut bounds = [0; 4];
        for (bound, bytes) in bounds.iter_mut().zip(bytes.as_chunks().0) {
            *bound = u32::from_ne_bytes(*bytes);
        }
        let spelling = match bytes[Self::SIZE - 1] {
            0 => Spelling::PlainText,
            1 => Spelling::Canonical,
            _ => Spelling::Other,
        };
        Self { bounds, spelling }
    }

    #[inline]
    pub(super) fn key(self, buffer: &[u8]) -> &[u8] {
        let [start, end, ..] = self.bounds;
        &buffer[start as usize..end as usize]
    }

    /// Whether this place has the key. Most keys differ in their lengths.
    #[inline]
    pub(super) fn has_key(bytes: &[u8; Self::SIZE], key: &[u8], buffer: &[u8]) -> bool {
        let [s0, s1, s2, s3, e0, e1, e2, e3, ..] = *bytes;
        let start = u32::from_ne_bytes([s0, s1, s2, s3]) as usize;
        let end = u32::from_ne_bytes([e0, e1, e2, e3]) as usize;
        end - start == key.len() && buffer.get(start..end) == Some(key)
    }

    #[inline]
    pub(super) fn value(self, buffer: &[u8]) -> &[u8] {
        let [.., start, end] = self.bounds;
        &buffer[start as usize..end as usize]
    }
}
