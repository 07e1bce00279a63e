//! Percent-encoding, as Python's `urllib.parse` does it.

/// Appends a text, mostly UTF-8; what is neither a letter, a digit, one of `_.-~` nor in `safe` is encoded.
pub fn encode(out: &mut String, text: &[u8], safe: &str) {
    push(out, text, safe, "%20");
}

/// Appends a text like [`encode`], with `+` for a space, as in forms and queries.
pub fn encode_form(out: &mut String, text: &[u8], safe: &str) {
    push(out, text, safe, "+");
}

fn push(out: &mut String, text: &[u8], safe: &str, space: &str) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push_str(space);
        } else if safe.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Decodes text that is encoded as in forms and queries; `None` if it isn't UTF-8, or not encoded
/// so.
#[must_use]
pub fn decode_form(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                u8::try_from(value).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}
