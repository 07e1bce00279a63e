//! Values that a cookie can only have in quotes.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns a value as Werkzeug writes it: as it is, or in double quotes with octal escapes if it has a
/// character that needs them.
///
/// ```
/// use carafe_format::cookie::quote;
///
/// assert_eq!(quote("42|ab"), "42|ab");
/// assert_eq!(quote("a,b"), r#""a\054b""#);
/// ```
#[must_use]
pub fn quote(value: &str) -> Cow<'_, str> {
    if value.bytes().all(is_bare) {
        return Cow::Borrowed(value);
    }
    let mut quoted = String::from("\"");
    for byte in value.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b',' | b';' | 0..=0x1f | 0x7f.. => {
                // Writing to a string can't fail.
                let _ = write!(quoted, "\\{byte:03o}");
            }
            _ => quoted.push(char::from(byte)),
        }
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Whether Werkzeug writes a byte without quotes.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_!#$%&'()*+-./:<=>?@[]^`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::unquote;

    #[test]
    fn quotes_are_werkzeugs() {
        for (value, quoted) in [
            ("42|ab", "42|ab"),
            ("\u{e9}|ab", r#""\303\251|ab""#),
            ("a,b;c|ab", r#""a\054b\073c|ab""#),
            ("a b", r#""a b""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("\u{7f}\t", r#""\177\011""#),
            ("", ""),
        ] {
            assert_eq!(quote(value), quoted);
            assert_eq!(&unquote(quoted.as_bytes())[..], value.as_bytes());
        }
    }
}
