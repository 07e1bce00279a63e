//! Percent-encoding, as Python's `urllib.parse` does it.

/// Appends a text, mostly UTF-8; what is neither a letter, a digit, one of `_.-~` nor in `safe` is encoded.
#[cfg(feature = "minijinja")]
pub(crate) fn encode(out: &mut String, text: &[u8], safe: &str) {
    push(out, text, safe, "%20");
}

/// As [`encode`], with `+` for a space, as in forms and queries.
pub(crate) fn encode_form(out: &mut String, text: &[u8], safe: &str) {
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
