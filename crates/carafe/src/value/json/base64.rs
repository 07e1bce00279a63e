//! Base64 as Python's `binascii.a2b_base64` reads it when it is not strict.

use crate::Error;
use crate::value::json::bad_payload;

/// Decodes, skipping what is not of the alphabet and ending at the padding that completes a
/// group of four.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    if is_canonical(text) {
        if let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(text) {
            return Ok(bytes);
        }
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut left, mut padding) = (0, 0, 0);
    for &byte in text {
        if byte == b'=' {
            if group >= 2 {
                padding += 1;
                if group + padding >= 4 {
                    return Ok(out);
                }
            }
            continue;
        }
        let Some(bits) = sextet(byte) else { continue };
        padding = 0;
        match group {
            0 => left = bits,
            1 => {
                out.push(left << 2 | bits >> 4);
                left = bits & 0x0f;
            }
            2 => {
                out.push(left << 4 | bits >> 2);
                left = bits & 0x03;
            }
            _ => out.push(left << 6 | bits),
        }
        group = (group + 1) % 4;
    }
    match group {
        0 => Ok(out),
        _ => Err(bad_payload("the base64 of a bytes value is incomplete")),
    }
}

/// Whether the text is what an encoder writes: whole groups, padded, unused bits zero.
pub(super) fn is_canonical(text: &[u8]) -> bool {
    let Some((groups, last)) = text.split_last_chunk::<4>() else {
        return text.is_empty();
    };
    let whole = |bytes: &[u8]| bytes.iter().all(|&byte| sextet(byte).is_some());
    if text.len() % 4 != 0 || !whole(groups) {
        return false;
    }
    match last.map(|byte| (byte, sextet(byte))) {
        [(_, Some(_)), (_, Some(bits)), (b'=', _), (b'=', _)] => bits & 0x0f == 0,
        [(_, Some(_)), (_, Some(_)), (_, Some(bits)), (b'=', _)] => bits & 0x03 == 0,
        sextets => sextets.iter().all(|(_, bits)| bits.is_some()),
    }
}

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
    fn decodes_as_python_does() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("YQ==", Some(b"a")),
            ("YQ", None),
            ("Y", None),
            ("Y!Q==", Some(b"a")),
            ("YQ=x=", Some(b"a\x0c")),
            ("YQ=x", None),
            ("YWI=junk", Some(b"ab")),
            ("====", Some(b"")),
            ("=YWJj", Some(b"abc")),
            ("YW=Jj", Some(b"abc")),
            ("YR==", Some(b"a")),
            ("_-", Some(b"")),
        ] {
            assert_eq!(decode(text.as_bytes()).ok().as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn knows_what_an_encoder_writes() {
        for (text, canonical) in [
            ("", true),
            ("YQ==", true),
            ("YWI=", true),
            ("YWJj", true),
            ("YWJjYQ==", true),
            ("YR==", false),
            ("YWJ=", false),
            ("YQ=", false),
            ("====", false),
            ("YQ==YWJj", false),
            ("YWJj\n", false),
        ] {
            assert_eq!(is_canonical(text.as_bytes()), canonical, "{text}");
        }
    }
}
