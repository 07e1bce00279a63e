//! Flask's signed session cookie.

use super::Decoded;
use super::payload::{self, Compression};
use crate::signing::{SigningOptions, TimestampSigner};
use crate::value::json::Payload;
use crate::{Error, KeyRing, base64};

/// Reads and writes cookies of the form `payload.time.signature`.
#[derive(Debug)]
pub(super) struct FlaskCodec {
    signer: TimestampSigner,
    compression: Compression,
    inflate_limit: usize,
    clock_skew: u64,
}

impl FlaskCodec {
    pub(super) fn new(
        keys: &KeyRing,
        options: &SigningOptions,
        compression: Compression,
        inflate_limit: usize,
        clock_skew: u64,
    ) -> Self {
        let signer = TimestampSigner::new(keys, options);
        Self { signer, compression, inflate_limit, clock_skew }
    }

    /// The content of a cookie, which is outdated if an older key of the ring signed it.
    ///
    /// The MAC and the age are checked before anything else is looked at.
    #[inline]
    pub(super) fn decode(&self, cookie: &[u8], max_age: u64, now: u64) -> Result<Decoded, Error> {
        let unsigned = self.signer.unsign_with_skew(cookie, max_age, now, self.clock_skew)?;
        let json = payload::decode(unsigned.value, self.inflate_limit)?;
        let payload = Payload::parse(json)?;
        Ok(Decoded { payload, outdated: unsigned.key != 0, issued: unsigned.timestamp })
    }

    /// Appends the cookie of a session whose tagged JSON is given.
    pub(super) fn encode(&self, json: &[u8], now: u64, out: &mut String) {
        let start = out.len();
        payload::encode(json, self.compression, out);
        self.signer.append_signature(out, start, now);
    }

    /// The length of the cookie of uncompressed JSON.
    pub(super) fn encoded_len(&self, json_len: usize) -> usize {
        base64::encoded_len(json_len) + self.signer.signature_len()
    }
}
