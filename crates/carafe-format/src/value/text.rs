//! Text as Python's `str` holds it.

use std::borrow::{Borrow, Cow};
use std::fmt;

use smallvec::SmallVec;

/// Text like Python's `str`: Unicode, and lone surrogates too.
///
/// Python's strings, and so Flask's sessions, may contain halves of surrogate pairs (`"\ud800"`),
/// which Rust's [`String`] can't. `Text` keeps the WTF-8 form: UTF-8 wherever the text is valid
/// Unicode, and a lone surrogate as three bytes of the same pattern. Two halves that meet are
/// always joined to the character that they mean. The order of `Text` is the order of its code
/// points, which is Python's.
///
/// Its `Debug` form shows only the size, so that a session's contents stay out of logs.
///
/// ```
/// use carafe::value::Text;
///
/// let text = Text::from("Zoë");
/// assert_eq!(text.as_str(), Some("Zoë"));
///
/// let lone = Text::from_utf16(&[0x61, 0xd800]);
/// assert_eq!(lone.as_str(), None);
/// assert_eq!(lone.to_string(), "a\u{fffd}");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Bytes);

/// Short texts, as most keys and many values are, stand in the 24 bytes that a vector takes anyway.
type Bytes = SmallVec<[u8; 16]>;

impl Text {
    /// Creates an empty text.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert!(Text::new().is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self(Bytes::new_const())
    }

    /// Creates a text from UTF-16 code units, lone surrogates included.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert_eq!(Text::from_utf16(&[0x5a, 0x6f, 0xeb]), Text::from("Zoë"));
    /// ```
    #[must_use]
    pub fn from_utf16(units: &[u16]) -> Self {
        let mut text = Self::new();
        for unit in char::decode_utf16(units.iter().copied()) {
            match unit {
                Ok(c) => text.push_char(c),
                Err(lone) => push_code_point(&mut text.0, u32::from(lone.unpaired_surrogate())),
            }
        }
        text
    }

    /// Returns the text of WTF-8 bytes, such as [`as_wtf8`](Self::as_wtf8) gives. Bytes that aren't
    /// WTF-8 become U+FFFD.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// let text = Text::from_utf16(&[0x61, 0xd800]);
    /// assert_eq!(Text::from_wtf8(text.as_wtf8()), text);
    /// ```
    #[must_use]
    pub fn from_wtf8(bytes: &[u8]) -> Self {
        let mut units: Vec<u16> = Vec::new();
        let mut rest = bytes;
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, broken) = rest.split_at(error.valid_up_to());
            units.extend(std::str::from_utf8(valid).unwrap_or_default().encode_utf16());
            let (unit, after) = match broken {
                [0xed, b @ 0xa0..=0xbf, c @ 0x80..=0xbf, after @ ..] => {
                    (0xd000 | u16::from(b & 0x3f) << 6 | u16::from(c & 0x3f), after)
                }
                [_, after @ ..] => (0xfffd, after),
                [] => break,
            };
            units.push(unit);
            rest = after;
        }
        if units.is_empty() {
            return Self::from_known_wtf8(rest);
        }
        units.extend(std::str::from_utf8(rest).unwrap_or_default().encode_utf16());
        Self::from_utf16(&units)
    }

    /// Creates a text from bytes that are known to be WTF-8.
    #[inline]
    pub(crate) fn from_known_wtf8(bytes: &[u8]) -> Self {
        Self(Bytes::from_slice(bytes))
    }

    /// Converts like [`from_wtf8`](Self::from_wtf8), without a copy.
    pub(crate) fn from_wtf8_vec(bytes: Vec<u8>) -> Self {
        Self(Bytes::from_vec(bytes))
    }

    /// Returns the text as a `&str`, or `None` if it holds a lone surrogate.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert_eq!(Text::from("Zoë").as_str(), Some("Zoë"));
    /// ```
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Returns the WTF-8 bytes of the text.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert_eq!(Text::from("Zoë").as_wtf8(), "Zoë".as_bytes());
    /// ```
    #[must_use]
    pub fn as_wtf8(&self) -> &[u8] {
        &self.0
    }

    /// Returns the text with every lone surrogate replaced by U+FFFD.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert_eq!(Text::from_utf16(&[0x61, 0xd800]).to_string_lossy(), "a\u{fffd}");
    /// ```
    #[must_use]
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match self.as_str() {
            Some(valid) => Cow::Borrowed(valid),
            None => Cow::Owned(
                self.code_points().map(|c| char::from_u32(c).unwrap_or('\u{fffd}')).collect(),
            ),
        }
    }

    /// Returns the text as a `String`.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert_eq!(Text::from("Zoë").into_string(), Ok("Zoë".to_owned()));
    /// ```
    ///
    /// # Errors
    ///
    /// Gives the text back unchanged if it holds a lone surrogate.
    pub fn into_string(self) -> Result<String, Self> {
        String::from_utf8(self.0.into_vec())
            .map_err(|error| Self::from_wtf8_vec(error.into_bytes()))
    }

    /// Iterates over the code points, in order. Python's `len` counts them, and `ord` gives them.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert_eq!(Text::from("Zoë").code_points().count(), 3);
    /// ```
    pub fn code_points(&self) -> impl Iterator<Item = u32> + '_ {
        CodePoints(&self.0)
    }

    /// Returns whether the text is empty.
    ///
    /// ```
    /// use carafe::value::Text;
    ///
    /// assert!(Text::from("").is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push_char(&mut self, c: char) {
        self.0.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Appends a code point's WTF-8 form. The caller joins surrogate pairs beforehand.
pub(crate) fn push_code_point(out: &mut impl Extend<u8>, c: u32) {
    match char::from_u32(c) {
        Some(c) => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        None => out.extend([
            0xe0 | (c >> 12) as u8,
            0x80 | ((c >> 6) & 0x3f) as u8,
            0x80 | (c & 0x3f) as u8,
        ]),
    }
}

/// The code points of WTF-8 bytes.
pub(crate) struct CodePoints<'a>(pub(crate) &'a [u8]);

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (&first, rest) = self.0.split_first()?;
        let (len, bits) = match first {
            0..0x80 => (0, first),
            0x80..0xe0 => (1, first & 0x1f),
            0xe0..0xf0 => (2, first & 0x0f),
            0xf0.. => (3, first & 0x07),
        };
        let (tail, rest) = rest.split_at(len.min(rest.len()));
        self.0 = rest;
        Some(tail.iter().fold(u32::from(bits), |c, byte| c << 6 | u32::from(byte & 0x3f)))
    }
}

impl std::hash::Hash for Text {
    // As `[u8]` hashes, because a `Text` is looked up by its bytes.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_slice().hash(state);
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_string_lossy())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::from_known_wtf8(text.as_bytes())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from_wtf8_vec(text.into_bytes())
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::from(text),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

impl From<char> for Text {
    fn from(c: char) -> Self {
        let mut text = Self::new();
        text.push_char(c);
        text
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_wtf8() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_wtf8() == other.as_bytes()
    }
}

/// What can name a key of a session or of a [`Dict`](crate::Dict): `&str`, `String`, [`Text`] and
/// references to them.
///
/// The trait is sealed; it exists so that methods take all of these.
pub trait AsText: sealed::Sealed {
    /// Returns the WTF-8 bytes of the text; for a `str` its UTF-8 bytes.
    fn as_wtf8(&self) -> &[u8];

    /// Returns the text as a `&str`, or `None` if it has a lone surrogate.
    fn as_utf8(&self) -> Option<&str> {
        std::str::from_utf8(self.as_wtf8()).ok()
    }

    /// Returns the text, owned. An owned text is not copied.
    fn into_text(self) -> Text
    where
        Self: Sized,
    {
        Text::from_known_wtf8(self.as_wtf8())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for str {}
    impl Sealed for String {}
    impl Sealed for super::Text {}
    impl Sealed for std::borrow::Cow<'_, str> {}
    impl<T: Sealed + ?Sized> Sealed for &T {}
}

impl AsText for str {
    fn as_wtf8(&self) -> &[u8] {
        self.as_bytes()
    }

    fn as_utf8(&self) -> Option<&str> {
        Some(self)
    }
}

impl AsText for String {
    fn as_wtf8(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_text(self) -> Text {
        self.into()
    }
}

impl AsText for Text {
    fn as_wtf8(&self) -> &[u8] {
        &self.0
    }

    fn into_text(self) -> Text {
        self
    }
}

impl AsText for Cow<'_, str> {
    fn as_wtf8(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_text(self) -> Text {
        self.into()
    }
}

impl<T: AsText + ?Sized> AsText for &T {
    fn as_wtf8(&self) -> &[u8] {
        (**self).as_wtf8()
    }

    fn as_utf8(&self) -> Option<&str> {
        (**self).as_utf8()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_wtf8_become_replacement_characters() {
        let whole = Text::from_utf16(&[0x61, 0xd83d, 0x62, 0xdc00, 0xd83d, 0xde00, 0xeb]);
        assert!(Text::from_wtf8(whole.as_wtf8()) == whole);
        assert!(
            Text::from_wtf8(b"") == *"" && Text::from_wtf8("Zo\u{eb}".as_bytes()) == *"Zo\u{eb}"
        );
        assert!(Text::from_wtf8(b"a\xffb\xed\xa0") == *"a\u{fffd}b\u{fffd}\u{fffd}");
        // Two surrogate halves in separate bytes mean one character.
        assert!(Text::from_wtf8(b"\xed\xa0\xbd\xed\xb8\x80!") == *"\u{1f600}!");
    }

    #[test]
    fn joins_pairs_and_keeps_lone_halves() {
        let units = [0xd83d, 0xd83d, 0xde00, 0xde00];
        let text = Text::from_utf16(&units);
        assert_eq!(text.code_points().collect::<Vec<_>>(), [0xd83d, 0x1f600, 0xde00]);
        assert_eq!(text.to_string(), "\u{fffd}😀\u{fffd}");
        assert_eq!(text.clone().into_string(), Err(text));
    }

    #[test]
    fn orders_by_code_point() {
        let texts = [
            Text::from("a"),
            Text::from("é"),
            Text::from_utf16(&[0xd800]),
            Text::from("\u{e000}"),
            Text::from("😀"),
        ];
        assert!(texts.is_sorted());
    }

    #[test]
    fn debug_hides_the_contents() {
        assert_eq!(format!("{:?}", Text::from("secret")), "Text(6 bytes)");
    }
}
