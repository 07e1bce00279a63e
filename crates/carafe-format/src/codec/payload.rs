//! The payload part of a signed text: base64url of JSON, or a dot and base64url of its zlib stream.

use super::zlib;
use crate::value::json::Payload;
use crate::{Error, ErrorKind, base64};

/// The rule by which the payload of a session is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Compress if that saves a byte, as Flask does. Compression costs more than the rest of a
    /// request's session together.
    #[default]
    Flask,
    /// Never compress. Flask reads such cookies as well.
    Never,
}

/// Appends the payload of `json` to `out`.
pub(crate) fn encode(json: &[u8], compression: Compression, out: &mut String) {
    // ItsDangerous compresses if `len(compressed) < len(json) - 1`: the dot costs a byte.
    let compressed = match compression {
        Compression::Flask => zlib::compress(json, json.len().saturating_sub(1)),
        Compression::Never => None,
    };
    match compressed {
        Some(stream) => {
            out.push('.');
            base64::encode_url(&stream, out);
        }
        None => base64::encode_url(json, out),
    }
}

/// The JSON of a payload whose signature is good, which inflates to at most `limit` bytes.
pub(crate) fn decode(payload: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    decode_unverified(payload, limit)
        .map_err(|error| error.with_prefix("the signature is good, but "))
}

/// The JSON of a payload that is not authenticated: any client can have made it.
pub(crate) fn decode_unverified(payload: &[u8], limit: usize) -> Result<Vec<u8>, Error> {
    let unreadable = || Error::new(ErrorKind::BadPayload, "the payload isn't base64");
    match payload.strip_prefix(b".") {
        Some(compressed) => {
            zlib::decompress(&base64::decode_url(compressed).ok_or_else(unreadable)?, limit)
        }
        None => base64::decode_url_with_room(payload, Payload::ROOM).ok_or_else(unreadable),
    }
}
