//! HMAC-SHA-1 (RFC 2104) on SHA-1's block function.
//!
//! With messages as short as a session's, the general form's copying, buffering and clearing of
//! states takes as long as the hashing. Here a key is 40 bytes, and what is hashed lies on the stack.

use sha1::block_api::compress;
use sha1::{Digest as _, Sha1};
use zeroize::{Zeroize as _, Zeroizing};

/// The bytes of SHA-1's blocks.
const BLOCK: usize = 64;

/// The state in which SHA-1 begins (FIPS 180-4, 5.3.1).
const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// A key: the states of the inner and the outer hash that have taken it in.
#[derive(Clone)]
pub(crate) struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl HmacSha1 {
    /// Takes a key of any length.
    pub(super) fn new(key: &[u8]) -> Self {
        let mut padded = Zeroizing::new([0; BLOCK]);
        if key.len() > BLOCK {
            let hash = Zeroizing::new(<[u8; 20]>::from(Sha1::digest(key)));
            padded[..hash.len()].copy_from_slice(&*hash);
        } else {
            padded[..key.len()].copy_from_slice(key);
        }
        let state = |pad: u8| {
            let mut block = Zeroizing::new([[pad; BLOCK]]);
            for (byte, key) in block[0].iter_mut().zip(padded.iter()) {
                *byte ^= key;
            }
            let mut state = START;
            compress(&mut state, &*block);
            state
        };
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    /// The MAC of a message.
    #[inline]
    pub(super) fn tag(&self, message: &[u8]) -> [u8; 20] {
        finish(self.outer, &finish(self.inner, message))
    }
}

impl Drop for HmacSha1 {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// The hash of a block, which has led to `state`, and of this message behind it.
#[inline]
fn finish(mut state: [u32; 5], message: &[u8]) -> [u8; 20] {
    let (blocks, rest) = message.as_chunks::<BLOCK>();
    if !blocks.is_empty() {
        compress(&mut state, blocks);
    }
    // A one, zeros, and the number of bits in the last eight bytes of a block.
    let mut end = [[0; BLOCK]; 2];
    let bytes = end.as_flattened_mut();
    bytes[..rest.len()].copy_from_slice(rest);
    bytes[rest.len()] = 0x80;
    let blocks = if rest.len() < BLOCK - 8 { 1 } else { 2 };
    let bits = (BLOCK + message.len()) as u64 * 8;
    bytes[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&bits.to_be_bytes());
    compress(&mut state, &end[..blocks]);
    let mut hash = [0; 20];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn vectors_of_rfc_2202() {
        let long_key = [0xaa; 80];
        let cases: [(&[u8], &[u8], &str); 7] = [
            (&[0x0b; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (&[0xaa; 20], &[0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
            (
                b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19",
                &[0xcd; 50],
                "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
            ),
            (
                &[0x0c; 20],
                b"Test With Truncation",
                "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
            ),
            (
                &long_key,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "aa4ae5e15272d00e95705637ce8a3b55ed402112",
            ),
            (
                &long_key,
                b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
                "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
            ),
        ];
        for (key, message, tag) in cases {
            assert_eq!(hex(&HmacSha1::new(key).tag(message)), tag);
        }
    }

    #[test]
    fn every_length_of_key_and_message_gives_what_the_crate_hmac_gives() {
        let bytes: Vec<u8> = (0..300_u32).map(|n| (n * 7) as u8).collect();
        for key in [0, 1, 19, 20, 32, 63, 64, 65, 128, 200].map(|len| &bytes[..len]) {
            let ours = HmacSha1::new(key);
            let general = Hmac::<Sha1>::new_from_slice(key).unwrap();
            for len in 0..bytes.len() {
                let expected = general.clone().chain_update(&bytes[..len]).finalize();
                assert_eq!(ours.tag(&bytes[..len])[..], expected.into_bytes()[..], "{len}");
            }
        }
    }
}
