//! UUIDs.

use std::fmt;

/// A UUID, kept by Flask as such.
///
/// With the feature `uuid` it converts from and into `uuid::Uuid`.
///
/// ```
/// use carafe::value::{Uuid, Value};
///
/// let id = Uuid::from_bytes([0x11; 16]);
/// assert_eq!(id.to_string(), "11111111-1111-1111-1111-111111111111");
/// let json = Value::Uuid(id).to_tagged_json()?;
/// assert_eq!(json, r#"{" u":"11111111111111111111111111111111"}"#);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// Returns the UUID of these bytes, in the order in which they are written.
    ///
    /// ```
    /// use carafe::value::Uuid;
    ///
    /// let id = Uuid::from_bytes([0x11; 16]);
    /// assert_eq!(id.to_string(), "11111111-1111-1111-1111-111111111111");
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, in the order in which they are written.
    ///
    /// ```
    /// use carafe::value::Uuid;
    ///
    /// assert_eq!(Uuid::from_bytes([7; 16]).into_bytes(), [7; 16]);
    /// ```
    #[must_use]
    pub const fn into_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Reads what Python's `uuid.UUID(text)` reads, if it is ASCII.
    pub(crate) fn parse_python(text: &str) -> Option<Self> {
        if let Some(id) = parse_hex(text.as_bytes()) {
            return Some(id);
        }
        let text = text.replace("urn:", "").replace("uuid:", "");
        let text = text.trim_matches(['{', '}']).replace('-', "");
        parse_hex(text.as_bytes()).or_else(|| parse_int(&text))
    }

    /// Appends the 32 hexadecimal digits.
    pub(crate) fn write_hex(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in self.0 {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
}

fn parse_hex(text: &[u8]) -> Option<Uuid> {
    let text: &[u8; 32] = text.try_into().ok()?;
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = (high? << 4 | low?) as u8;
    }
    Some(Uuid(bytes))
}

/// What Python's `int(text, 16)` makes of 32 characters that are not all digits: it allows space
/// around, a sign, a prefix, and single underscores between digits.
fn parse_int(text: &str) -> Option<Uuid> {
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    let text = text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let text = text.strip_prefix('+').unwrap_or(text);
    let digits = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => digits.strip_prefix('_').unwrap_or(digits),
        None => text,
    };
    let mut number = 0u128;
    for group in digits.split('_') {
        if group.is_empty() {
            return None;
        }
        for digit in group.chars() {
            number = number << 4 | u128::from(digit.to_digit(16)?);
        }
    }
    Some(Uuid(number.to_be_bytes()))
}

impl fmt::Display for Uuid {
    /// Writes the form with hyphens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = Vec::with_capacity(36);
        self.write_hex(&mut hex);
        for at in [8, 13, 18, 23] {
            hex.insert(at, b'-');
        }
        f.pad(&String::from_utf8_lossy(&hex))
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uuid(16 bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_reads() {
        let id = Uuid(0x1234_5678_1234_5678_1234_5678_1234_5678_u128.to_be_bytes());
        for text in [
            "12345678123456781234567812345678",
            "{12345678-1234-5678-1234-567812345678}",
            "urn:uuid:12345678-1234-5678-1234-567812345678",
            "}1-2345678123456781234567812345678{{",
        ] {
            assert_eq!(Uuid::parse_python(text), Some(id), "{text}");
        }
        let short = Uuid(0xab_u128.to_be_bytes());
        for text in [
            " 0x00000000000000000000000000a_b",
            "+0X_0000_000000000000000000000AB",
            "\t\n\x0b\x0c\r0000000000000000000000000ab",
            "0000000000000000000000000000ab \n",
        ] {
            assert_eq!(text.len(), 32, "{text}");
            assert_eq!(Uuid::parse_python(text), Some(short), "{text}");
        }
        for bad in [
            "",
            "zz",
            "0x",
            "1__345678123456781234567812345678",
            "_2345678123456781234567812345678",
            "1234567812345678123456781234567_",
            "0x+00000000000000000000000000001",
            "\x1c2345678123456781234567812345678",
            "１２３４５６７８１２３４５６７８１２３４５６７８１２３４５６７８",
        ] {
            assert_eq!(Uuid::parse_python(bad), None, "{bad}");
        }
    }
}
