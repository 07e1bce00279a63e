//! Parser of a header value of the form `essence; name=value; name="value"`, in one pass.

use std::iter::Peekable;

use memchr::memchr;

/// Returns the part before the parameters.
pub(super) fn essence(value: &[u8]) -> &[u8] {
    value[..memchr(b';', value).unwrap_or(value.len())].trim_ascii()
}

/// Returns the value of the first parameter with this name.
///
/// In a quoted value, a backslash escapes quotes and backslashes, and nothing else. A value that is
/// quoted only in part is ignored.
pub(super) fn find(value: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    find_in(&mut value.iter().copied().peekable(), name)
}

/// Takes each byte from the iterator once, so that the work is linear in the length.
fn find_in(bytes: &mut Peekable<impl Iterator<Item = u8>>, name: &[u8]) -> Option<Vec<u8>> {
    // Skips the essence.
    bytes.find(|byte| *byte == b';')?;
    while bytes.peek().is_some() {
        let mut is_named = Comparison::with(name);
        let mut has_value = false;
        for byte in bytes.by_ref().take_while(|byte| *byte != b';') {
            has_value = byte == b'=';
            if has_value {
                break;
            }
            is_named.push(byte);
        }
        if has_value {
            let value = value(bytes);
            if is_named.is_equal() {
                return value;
            }
        }
    }
    None
}

/// Takes a value and the semicolon after it. `None` if it is quoted only in part.
fn value(bytes: &mut Peekable<impl Iterator<Item = u8>>) -> Option<Vec<u8>> {
    while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
    if bytes.next_if_eq(&b'"').is_none() {
        let text: Vec<u8> = bytes.take_while(|byte| *byte != b';').collect();
        return Some(text.trim_ascii_end().to_vec());
    }
    let quoted = unquote(bytes);
    // Consumes everything up to the semicolon, even if it is malformed.
    let after = bytes.take_while(|byte| *byte != b';');
    let others = after.filter(|byte| !byte.is_ascii_whitespace()).count();
    quoted.filter(|_| others == 0)
}

/// Takes the text up to the closing quote, and the quote. `None` if there is none.
fn unquote(bytes: &mut Peekable<impl Iterator<Item = u8>>) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        match bytes.next()? {
            b'"' => return Some(text),
            b'\\' => {
                let escaped = bytes.next_if(|byte| matches!(byte, b'"' | b'\\'));
                text.push(escaped.unwrap_or(b'\\'));
            }
            byte => text.push(byte),
        }
    }
}

/// Compares a name that arrives byte by byte, ignoring case and surrounding blanks.
struct Comparison<'a> {
    /// The part of the expected name that has not been compared yet.
    rest: &'a [u8],
    begun: bool,
    /// Whether a blank has followed the name.
    ended: bool,
    differs: bool,
}

impl<'a> Comparison<'a> {
    fn with(name: &'a [u8]) -> Self {
        Self { rest: name, begun: false, ended: false, differs: false }
    }

    fn push(&mut self, byte: u8) {
        if byte.is_ascii_whitespace() {
            self.ended = self.begun;
            return;
        }
        self.begun = true;
        match self.rest {
            [expected, rest @ ..] if !self.ended && expected.eq_ignore_ascii_case(&byte) => {
                self.rest = rest;
            }
            _ => self.differs = true,
        }
    }

    fn is_equal(&self) -> bool {
        !self.differs && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn found(value: &str) -> Option<String> {
        find(value.as_bytes(), b"name").map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn the_first_parameter_of_a_name_counts() {
        for value in [
            "x; name=a",
            "x;name=a;name=b",
            "x ; NAME = a ; b=c",
            "x; b=\"; name=no\"; name=\"a\" ",
            "x; name; name=a",
            "x; surname=b; names=b; na me=b; n=b; =b; name=a",
            "x; b=\"no end\" of it; name=a",
        ] {
            assert_eq!(found(value).as_deref(), Some("a"), "{value}");
        }
        for value in ["", "name=a", "x", "x;", "x; name", "x; b=\"; name=a", "x; name=\"a"] {
            assert_eq!(found(value), None, "{value}");
        }
    }

    #[test]
    fn quotes_and_backslashes_are_escaped_and_nothing_else() {
        assert_eq!(found(r#"x; name="a\"b\\c\d; e""#).as_deref(), Some(r#"a"b\c\d; e"#));
        assert_eq!(found(r#"x; name="""#).as_deref(), Some(""));
        assert_eq!(found("x; name=").as_deref(), Some(""));
        assert_eq!(found(r#"x; name="a"b"#), None);
        assert_eq!(found(r#"x; name=a"b""#).as_deref(), Some(r#"a"b""#));
    }

    /// Each byte is looked at once, in any malformed value.
    #[test]
    fn the_work_is_linear() {
        for piece in ["x=\"\\\";", "x=\"", "x=", ";", "\"", "\\", "=", "x=\"a\"b;", " ", "name =\""]
        {
            for times in [1, 100, 10_000] {
                let value = format!("multipart/form-data; {}", piece.repeat(times));
                let steps = Cell::new(0);
                let counted = value.bytes().inspect(|_| steps.set(steps.get() + 1));
                find_in(&mut counted.peekable(), b"boundary");
                assert!(steps.get() <= value.len(), "{piece:?}: {} steps", steps.get());
            }
        }
    }
}
