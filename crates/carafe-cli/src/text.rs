//! Text of any origin, made safe for a terminal and for a line.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character may stand in the output as it is: it doesn't move the cursor or change the
/// direction of writing, and can be seen.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_ascii() => false,
        c => c.escape_debug().len() == 1,
    }
}

/// Returns the text in one line, with JSON's escapes for unprintable characters.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_printable(&mut out, c);
    }
    Cow::Owned(out)
}

fn push_printable(out: &mut String, c: char) {
    if is_printable(c) {
        out.push(c);
    } else {
        push_escape(out, c);
    }
}

fn push_escape(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| push_unit(out, *unit)),
    }
}

fn push_unit(out: &mut String, unit: u16) {
    // Writing to a string can't fail.
    let _ = write!(out, "\\u{unit:04x}");
}

/// Appends code points as a string in double quotes, including lone surrogates, which no `str` has.
pub(crate) fn push_quoted(out: &mut String, code_points: impl Iterator<Item = u32>) {
    out.push('"');
    for code_point in code_points {
        match char::from_u32(code_point) {
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) => push_printable(out, c),
            None => push_unit(out, u16::try_from(code_point).unwrap_or(0xfffd)),
        }
    }
    out.push('"');
}

/// Appends a JSON string of printable ASCII.
pub(crate) fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c => push_escape(out, c),
        }
    }
    out.push('"');
}

/// Returns valid JSON as it stands, but in one line and safe for a terminal. Flask's JSON is
/// returned unchanged. In other JSON a line break between two tokens becomes a space, and an
/// unprintable character in a string becomes its escape.
pub(crate) fn one_line_json(json: &[u8]) -> Cow<'_, [u8]> {
    if json.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    let mut in_string = false;
    let mut escaped = false;
    for c in String::from_utf8_lossy(json).chars() {
        if in_string {
            push_printable(&mut out, c);
        } else {
            out.push(if is_printable(c) { c } else { ' ' });
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
    }
    Cow::Owned(out.into_bytes())
}

/// Whether every reader of JSON accepts this JSON in Python's dialect: it has no `NaN`, infinities
/// and lone surrogates.
pub(crate) fn is_strict_json(json: &[u8]) -> bool {
    let mut rest = json;
    let mut in_string = false;
    loop {
        rest = match rest {
            [] => return true,
            [b'N' | b'I', ..] if !in_string => return false,
            [b'\\', b'u', after @ ..] if in_string => match surrogates(after) {
                Some(len) => &after[len..],
                None => return false,
            },
            [b'\\', _, after @ ..] if in_string => after,
            [byte, after @ ..] => {
                in_string ^= *byte == b'"';
                after
            }
        };
    }
}

/// The number of bytes after `\u` that belong to a character; `None` for a lone surrogate.
fn surrogates(after: &[u8]) -> Option<usize> {
    let unit = |from: usize| {
        let digits = after.get(from..from + 4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match unit(0)? {
        0xd800..=0xdbff => {
            let second = unit(6).filter(|_| after.get(4..6) == Some(b"\\u"))?;
            (0xdc00..=0xdfff).contains(&second).then_some(10)
        }
        0xdc00..=0xdfff => None,
        _ => Some(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_printable() {
        let hostile = "a\x1b[31m\x07\u{9b}2J\u{7f}\u{202e}\u{2066}\u{200b}\r\n\t\u{feff}z";
        let shown = printable(hostile);
        assert_eq!(
            shown,
            "a\\u001b[31m\\u0007\\u009b2J\\u007f\\u202e\\u2066\\u200b\\r\\n\\t\\ufeffz"
        );
        assert_eq!(printable("Zoë ☃ 😀 日本"), "Zoë ☃ 😀 日本");
        for byte in 0..=0x10ffff {
            let Some(c) = char::from_u32(byte) else { continue };
            assert!(!c.is_control() || !is_printable(c));
        }
    }

    #[test]
    fn json_becomes_one_safe_line_with_the_same_meaning() {
        let one = |json: &str| String::from_utf8(one_line_json(json.as_bytes()).into_owned());
        assert_eq!(one("{\"a\":1}").unwrap(), "{\"a\":1}");
        assert_eq!(one("{\n\t\"a\":\r1}").unwrap(), "{  \"a\": 1}");
        assert_eq!(
            one("{\"é\u{9b}\":\"\\\"\u{7f}\u{202e}😀\\\\\"}\n").unwrap(),
            "{\"é\\u009b\":\"\\\"\\u007f\\u202e😀\\\\\"} "
        );
    }

    #[test]
    fn strict_json_is_told_from_pythons() {
        for strict in [r#"{"a":"NaN\\","b":[1]}"#, r#""\ud83d\ude00I""#, r#""\"N""#, "{}"] {
            assert!(is_strict_json(strict.as_bytes()), "{strict}");
        }
        for python in ["[NaN]", "[-Infinity]", r#""\ud800""#, r#""\ude00""#, r#""\ud800\n""#] {
            assert!(!is_strict_json(python.as_bytes()), "{python}");
        }
    }
}
