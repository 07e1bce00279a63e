//! Base64 as Python's `base64` and ItsDangerous read and write it.

use base64_simd::{Out, STANDARD, URL_SAFE_NO_PAD};

/// Appends the unpadded base64url of `data`, as ItsDangerous writes it.
pub fn encode_url(data: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_append(data, out);
}

/// The length of the unpadded base64url of `len` bytes.
pub(crate) fn encoded_len(len: usize) -> usize {
    URL_SAFE_NO_PAD.encoded_length(len)
}

/// Decodes text as [`encode_url`] writes it, and no other spelling of it, into the beginning of `out`.
///
/// `None` also if there is no room for it.
pub(crate) fn decode_url_strict_into<'a>(text: &[u8], out: &'a mut [u8]) -> Option<&'a [u8]> {
    // The base64 crate panics if the output is too short, so the length is checked first.
    if text.len() / 4 * 3 + text.len() % 4 * 3 / 4 > out.len() {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text, Out::from_slice(out)).ok().map(|bytes| &*bytes)
}

/// Decodes base64url text of any origin, as ItsDangerous' `base64_decode` does: padding is
/// optional, characters outside the alphabet are skipped, and `+/` count as `-_`.
///
/// `None` where Python raises an error.
pub(crate) fn decode_url(text: &[u8]) -> Option<Vec<u8>> {
    decode_url_with_room(text, 0)
}

/// Decodes like [`decode_url`], with `room` more bytes of capacity in the result.
pub(crate) fn decode_url_with_room(text: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3 + room);
    if URL_SAFE_NO_PAD.decode_append(text, &mut out).is_ok() {
        return Some(out);
    }
    // Bytes outside ASCII are dropped before the length is padded to a multiple of four.
    let mut ascii: Vec<u8> = text.iter().copied().filter(u8::is_ascii).collect();
    ascii.resize(ascii.len().next_multiple_of(4), b'=');
    for byte in &mut ascii {
        match *byte {
            b'-' => *byte = b'+',
            b'_' => *byte = b'/',
            _ => {}
        }
    }
    decode_lenient(&ascii)
}

/// Decodes base64url in its one canonical spelling: no padding, nothing outside the alphabet, and
/// no bits set that don't count.
pub(crate) fn decode_url_strict(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

/// Decodes the base64url of exactly `N` bytes, in its one canonical spelling.
#[must_use]
pub fn decode_exact<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let len = decode_url_strict_into(text, &mut bytes)?.len();
    (len == N).then_some(bytes)
}

/// Decodes standard base64 as Python's `base64.b64decode` does without `validate`.
///
/// `None` where Python raises an error.
pub(crate) fn decode_standard(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    if STANDARD.decode_append(text, &mut out).is_ok() {
        return Some(out);
    }
    decode_lenient(text)
}

/// Whether the text is what an encoder of standard base64 writes.
pub(crate) fn is_canonical(text: &[u8]) -> bool {
    STANDARD.check(text).is_ok()
}

/// CPython's `binascii.a2b_base64` in its non-strict mode: what is not in the alphabet is skipped,
/// and a complete pad sequence ends the data, whatever follows.
fn decode_lenient(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut quad_pos = 0;
    let mut left = 0u8;
    let mut pads = 0;
    for &byte in text {
        if byte == b'=' {
            pads += 1;
            if quad_pos >= 2 && quad_pos + pads >= 4 {
                return Some(out);
            }
            continue;
        }
        let Some(bits) = sextet(byte) else { continue };
        pads = 0;
        match quad_pos {
            0 => left = bits,
            1 => {
                out.push((left << 2) | (bits >> 4));
                left = bits & 0x0f;
            }
            2 => {
                out.push((left << 4) | (bits >> 2));
                left = bits & 0x03;
            }
            _ => out.push((left << 6) | bits),
        }
        quad_pos = (quad_pos + 1) % 4;
    }
    (quad_pos == 0).then_some(out)
}

/// The six bits that a character of the URL-safe alphabet stands for, or something larger.
#[inline]
pub(crate) fn url_sextet(byte: u8) -> u8 {
    const SEXTETS: [u8; 256] = {
        let mut sextets = [u8::MAX; 256];
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut sextet = 0;
        while sextet < alphabet.len() {
            sextets[alphabet[sextet] as usize] = sextet as u8;
            sextet += 1;
        }
        sextets
    };
    SEXTETS[usize::from(byte)]
}

/// The six bits that a character of the standard alphabet stands for.
fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_reads() {
        // Each result is that of CPython 3.11's base64.urlsafe_b64decode after ItsDangerous' padding.
        let cases: [(&[u8], Option<&[u8]>); 10] = [
            (b"", Some(b"")),
            (b"YQ", Some(b"a")),
            (b"YQ==", Some(b"a")),
            (b"YR", Some(b"a")),
            (b"Y", None),
            (b"YWJ", Some(b"ab")),
            (b"-_8", Some(b"\xfb\xff")),
            (b"+/8", Some(b"\xfb\xff")),
            (b"eyJh!!!!IjoxfQ", Some(b"{\"a\":1}")),
            (b"YQ==YQ==", Some(b"a")),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_url(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn one_spelling_is_read_strictly() {
        let mut out = [0; 3];
        for (bytes, text) in [(&b""[..], ""), (b"a", "YQ"), (b"\xfb\xff", "-_8"), (b"abc", "YWJj")]
        {
            assert_eq!(decode_url_strict_into(text.as_bytes(), &mut out), Some(bytes));
        }
        for text in ["Y", "YR", "YQ==", "+/8", "Y Q", "Y\u{e9}", "YWJjYQ", "YWJjYWJj"] {
            assert_eq!(decode_url_strict_into(text.as_bytes(), &mut out), None, "{text}");
        }
    }

    #[test]
    fn standard_base64_is_read_as_python_reads_it() {
        // The last is whether an encoder would write it so.
        for (text, bytes, canonical) in [
            ("", Some(&b""[..]), true),
            ("YQ==", Some(b"a"), true),
            ("YWI=", Some(b"ab"), true),
            ("YWJj", Some(b"abc"), true),
            ("YWJjYQ==", Some(b"abca"), true),
            ("YR==", Some(b"a"), false),
            ("YWJ=", Some(b"ab"), false),
            ("YQ=", None, false),
            ("YQ", None, false),
            ("Y", None, false),
            ("Y!Q==", Some(b"a"), false),
            ("YQ=x=", Some(b"a\x0c"), false),
            ("YQ=x", None, false),
            ("YWI=junk", Some(b"ab"), false),
            ("====", Some(b""), false),
            ("=YQ==", Some(b"a"), false),
            ("=YWJj", Some(b"abc"), false),
            ("YW=Jj", Some(b"abc"), false),
            ("YQ==YWJj", Some(b"a"), false),
            ("YWJj\n", Some(b"abc"), false),
            ("_-", Some(b""), false),
        ] {
            assert_eq!(decode_standard(text.as_bytes()).as_deref(), bytes, "{text}");
            assert_eq!(is_canonical(text.as_bytes()), canonical, "{text}");
        }
    }
}
