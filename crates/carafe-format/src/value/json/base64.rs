//! The base64 of a bytes value.

use crate::Error;
use crate::base64::{decode_standard, sextet};
use crate::value::json::bad_payload;

/// Decodes as Flask does.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, Error> {
    decode_standard(text).ok_or_else(|| bad_payload("the base64 of a bytes value is incomplete"))
}

/// Whether the text is what an encoder writes: whole groups, padded, unused bits zero.
pub(super) fn is_canonical(text: &[u8]) -> bool {
    let Some((groups, last)) = text.split_last_chunk::<4>() else {
        return text.is_empty();
    };
    let whole = |bytes: &[u8]| bytes.iter().all(|&byte| sextet(byte).is_some());
    if !text.len().is_multiple_of(4) || !whole(groups) {
        return false;
    }
    match last.map(|byte| (byte, sextet(byte))) {
        [(_, Some(_)), (_, Some(bits)), (b'=', _), (b'=', _)] => bits & 0x0f == 0,
        [(_, Some(_)), (_, Some(_)), (_, Some(bits)), (b'=', _)] => bits & 0x03 == 0,
        sextets => sextets.iter().all(|(_, bits)| bits.is_some()),
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
