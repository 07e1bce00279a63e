//! A string of JSON, and what it means.

use super::super::text::push_code_point;

/// A string's body, without its quotes.
#[derive(Clone, Copy)]
pub(in super::super) struct RawStr<'a> {
    pub(in super::super) body: &'a [u8],
    /// The number of its escapes. (A `bool` would leave a gap, and copies of it would be slow.)
    pub(super) escapes: usize,
}

impl RawStr<'_> {
    #[inline]
    pub(in super::super) fn escaped(self) -> bool {
        self.escapes > 0
    }

    /// The first eight bytes of what the string means, as a number: of two strings the one of the lower
    /// rank is the lesser one, and of the same rank either can be.
    #[inline(never)]
    pub(super) fn rank(self) -> u64 {
        let of = |text: &[u8]| {
            let padded = text.iter().chain(&[0; 8]).take(8);
            padded.fold(0, |rank, &byte| rank << 8 | u64::from(byte))
        };
        if self.escaped() { of(&self.decode()) } else { of(self.body) }
    }

    pub(super) fn to_text(self) -> crate::Text {
        match self.escaped() {
            true => crate::Text::from_wtf8_vec(self.decode()),
            false => crate::Text::from_known_wtf8(self.body),
        }
    }

    /// The WTF-8 bytes that the string means. Its escapes are known to be complete.
    pub(in super::super) fn decode(self) -> Vec<u8> {
        let mut rest = self.body;
        if !self.escaped() {
            return rest.to_vec();
        }
        let mut out = Vec::with_capacity(rest.len());
        while let Some(at) = memchr::memchr(b'\\', rest) {
            out.extend_from_slice(&rest[..at]);
            let letter = rest.get(at + 1).copied().unwrap_or_default();
            rest = rest.get(at + 2..).unwrap_or_default();
            match letter {
                b'u' => {
                    let (c, len) = code_point(rest);
                    push_code_point(&mut out, c);
                    rest = rest.get(len..).unwrap_or_default();
                }
                b'b' => out.push(0x08),
                b'f' => out.push(0x0c),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                verbatim => out.push(verbatim),
            }
        }
        out.extend_from_slice(rest);
        out
    }
}

/// The code point of the escape whose digits come next, and how many bytes it takes: two escapes
/// that form a surrogate pair are one.
fn code_point(digits: &[u8]) -> (u32, usize) {
    let unit = |from: usize| digits.get(from..from + 4).and_then(hex_unit);
    let first = unit(0).unwrap_or_default();
    if (0xd800..0xdc00).contains(&first)
        && digits.get(4..6) == Some(b"\\u")
        && let Some(second @ 0xdc00..0xe000) = unit(6)
    {
        return (0x10000 + ((first - 0xd800) << 10 | (second - 0xdc00)), 10);
    }
    (first, 4)
}

pub(super) fn hex_unit(digits: &[u8]) -> Option<u32> {
    if digits.len() != 4 {
        return None;
    }
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}
