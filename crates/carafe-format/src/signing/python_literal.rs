//! Text and bytes as Python prints them: `'…'`, `b'…'`, and `\x13` without quotes.

/// Returns the text between the quotes of Python's bytes or text.
pub(crate) fn unquoted(text: &[u8]) -> Option<&[u8]> {
    let text = match text {
        [b'b' | b'B' | b'u' | b'U', quoted @ ..] if quoted.len() >= 2 => quoted,
        text => text,
    };
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => Some(inner),
        _ => None,
    }
}

/// What Python reads a literal as, where it has quotes or escapes: as bytes, and as text in UTF-8 if
/// that is something else.
pub(crate) fn readings(literal: &[u8]) -> Vec<Vec<u8>> {
    let inner = unquoted(literal).unwrap_or(literal);
    let mut readings: Vec<Vec<u8>> = [bytes(inner), text(inner)].into_iter().flatten().collect();
    readings.dedup();
    readings.retain(|reading| reading != literal);
    readings
}

/// The bytes that text with Python's escapes stands for, as between the quotes of `b'…'`.
pub(crate) fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    unescape(text, Kind::Bytes)
}

/// The text that Python's escapes stand for, as between the quotes of `'…'`, in UTF-8.
pub(crate) fn text(text: &[u8]) -> Option<Vec<u8>> {
    unescape(text, Kind::Text)
}

/// The bytes as Python prints them: `b'…'`.
pub(crate) fn print(bytes: &[u8]) -> Vec<u8> {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    [&[b'b', quote][..], &escape(bytes, quote), &[quote]].concat()
}

/// The bytes with Python's escapes, as they are printed between two of these quotes.
pub(crate) fn escape(bytes: &[u8], quote: u8) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            b'\t' => escaped.extend(b"\\t"),
            byte if byte == quote => escaped.extend([b'\\', byte]),
            32..127 => escaped.push(byte),
            byte => escaped.extend(format!("\\x{byte:02x}").bytes()),
        }
    }
    escaped
}

/// Which of Python's two literals: what an escape such as `\xec` stands for differs.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bytes,
    Text,
}

/// `None` if an escape is broken. One that Python doesn't know is left as it is, as Python does.
fn unescape(text: &[u8], kind: Kind) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        let ([escape, after @ ..], b'\\') = (rest, first) else {
            out.push(*first);
            continue;
        };
        rest = after;
        let code = match escape {
            b'\n' => continue,
            b'\\' | b'\'' | b'"' => u32::from(*escape),
            b'a' => 7,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'v' => 11,
            b'f' => 12,
            b'r' => 13,
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let len = more.count();
                let digits = &text[text.len() - rest.len() - 1..][..len + 1];
                rest = &rest[len..];
                number(digits, 8)?
            }
            b'x' => digits(&mut rest, 2)?,
            b'u' if kind == Kind::Text => digits(&mut rest, 4)?,
            b'U' if kind == Kind::Text => digits(&mut rest, 8)?,
            other => {
                out.extend([b'\\', *other]);
                continue;
            }
        };
        match kind {
            Kind::Bytes => out.push(u8::try_from(code & 0xff).ok()?),
            Kind::Text => out.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some(out)
}

/// Removes `len` hexadecimal digits, and returns the number that they form.
fn digits(rest: &mut &[u8], len: usize) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(len)?;
    *rest = after;
    number(digits, 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    digits.iter().try_fold(0u32, |number, &digit| {
        Some(number.checked_mul(radix)? + char::from(digit).to_digit(radix)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_python_reads_them() {
        let flasks = b"_5#y2L\"F4Q8z\n\xec]/".to_vec();
        for literal in [
            &br#"b'_5#y2L"F4Q8z\n\xec]/'"#[..],
            br#"_5#y2L"F4Q8z\n\xec]/"#,
            br#"'_5#y2L\"F4Q8z\n\xEC]\57'"#,
        ] {
            assert!(readings(literal).contains(&flasks), "{literal:?}");
        }
        // As text, an escape is a character.
        assert_eq!(readings(br"'\xe9\u20ac\U0001f600'")[1], "é€😀".as_bytes());
        assert_eq!(readings(br"\x13x"), [b"\x13x"]);
        assert_eq!(readings(br"'\d\\\0\1234'"), [b"\\d\\\0S4"]);
        for broken in [&br"\x1"[..], br"\xg0", br"'\u12'"] {
            assert!(readings(broken).iter().all(|reading| reading.starts_with(b"\\u")));
        }
        for plain in [&b"plain"[..], b"", b"b'", b"'"] {
            assert!(readings(plain).is_empty(), "{plain:?}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for bytes in [&b"_5#y2L\"F4Q8z\n\xec]/"[..], b"it's", b"'\"\\\r\t\0\x7f", b"plain"] {
            assert_eq!(readings(&print(bytes))[0], bytes, "{bytes:?}");
        }
        assert_eq!(print(b"it's\n"), br#"b"it's\n""#);
    }
}
