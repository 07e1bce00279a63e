use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize;

use super::hmac_sha1::HmacSha1;

/// The hash function behind a signature. One digest serves the key derivation and the MAC.
///
/// Flask's default is SHA-1. HMAC-SHA-1 isn't broken, but standards call SHA-1 legacy; a service
/// that needn't share its cookies with an unconfigured Flask is better off with SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Digest {
    /// SHA-1: the default of Flask and ItsDangerous.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512: the default of ItsDangerous 1.1.
    Sha512,
}

impl Digest {
    /// Every digest, in the order in which a search should try them.
    pub const ALL: [Self; 4] = [Self::Sha1, Self::Sha256, Self::Sha512, Self::Sha384];

    /// Returns the name of the digest in Python's `hashlib`.
    ///
    /// ```
    /// use carafe::signing::Digest;
    ///
    /// assert_eq!(Digest::Sha256.name(), "sha256");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The hash of the parts, one after the other.
    pub(super) fn hash(self, parts: &[&[u8]]) -> Tag {
        fn run<D: hmac::digest::Digest>(parts: &[&[u8]]) -> Tag {
            let mut hash = D::new();
            for part in parts {
                hash.update(part);
            }
            Tag::new(&hash.finalize())
        }
        match self {
            Self::Sha1 => run::<Sha1>(parts),
            Self::Sha256 => run::<Sha256>(parts),
            Self::Sha384 => run::<Sha384>(parts),
            Self::Sha512 => run::<Sha512>(parts),
        }
    }
}

impl std::str::FromStr for Digest {
    type Err = crate::Error;

    /// Reads `hashlib`'s name of the digest.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|digest| digest.name() == name)
            .ok_or_else(|| crate::Error::setting("digest", name, "sha1, sha256, sha384 or sha512"))
    }
}

/// The output of a hash or MAC, without an allocation.
pub(crate) struct Tag {
    bytes: [u8; 64],
    len: usize,
}

impl Tag {
    fn new(output: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..output.len()].copy_from_slice(output);
        Self { bytes, len: output.len() }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Zeroize for Tag {
    fn zeroize(&mut self) {
        self.bytes.zeroize();
    }
}

/// HMAC with the key already absorbed, so that each message starts from the saved state.
#[derive(Clone)]
pub(crate) enum KeyedMac {
    Sha1(HmacSha1),
    Sha256(Hmac<Sha256>),
    Sha384(Box<Hmac<Sha384>>),
    Sha512(Box<Hmac<Sha512>>),
}

impl KeyedMac {
    pub(crate) fn new(digest: Digest, key: &[u8]) -> Self {
        // HMAC (RFC 2104) takes keys of every length: longer ones are hashed, shorter ones padded.
        // `new_from_slice` is fallible for the sake of other MACs only.
        fn keyed<M: hmac::digest::KeyInit>(key: &[u8]) -> M {
            M::new_from_slice(key).unwrap_or_else(|_| M::new(&Default::default()))
        }
        match digest {
            Digest::Sha1 => Self::Sha1(HmacSha1::new(key)),
            Digest::Sha256 => Self::Sha256(keyed(key)),
            Digest::Sha384 => Self::Sha384(Box::new(keyed(key))),
            Digest::Sha512 => Self::Sha512(Box::new(keyed(key))),
        }
    }

    /// The MAC of a message.
    pub(crate) fn tag(&self, message: &[u8]) -> Tag {
        fn run<M: Mac + Clone>(mac: &M, message: &[u8]) -> Tag {
            Tag::new(&mac.clone().chain_update(message).finalize().into_bytes())
        }
        match self {
            Self::Sha1(mac) => Tag::new(&mac.tag(message)),
            Self::Sha256(mac) => run(mac, message),
            Self::Sha384(mac) => run(mac.as_ref(), message),
            Self::Sha512(mac) => run(mac.as_ref(), message),
        }
    }

    /// The length of a MAC in bytes.
    pub(crate) fn tag_len(&self) -> usize {
        match self {
            Self::Sha1(_) => 20,
            Self::Sha256(_) => 32,
            Self::Sha384(_) => 48,
            Self::Sha512(_) => 64,
        }
    }

    /// Whether this is the MAC of the message. The time that it takes doesn't depend on where the
    /// MACs differ.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        fn run<M: Mac + Clone>(mac: &M, message: &[u8], tag: &[u8]) -> bool {
            same(&mac.clone().chain_update(message).finalize().into_bytes(), tag)
        }
        match self {
            Self::Sha1(mac) => same(&mac.tag(message), tag),
            Self::Sha256(mac) => run(mac, message, tag),
            Self::Sha384(mac) => run(mac.as_ref(), message, tag),
            Self::Sha512(mac) => run(mac.as_ref(), message, tag),
        }
    }
}

/// Compares in constant time. `subtle` would decide byte by byte, which takes long; this function
/// decides once, on all the differences put together.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let (a_words, a_rest) = a.as_chunks::<4>();
    let (b_words, b_rest) = b.as_chunks::<4>();
    let word = |bytes: &[u8; 4]| u32::from_ne_bytes(*bytes);
    let words = a_words.iter().zip(b_words).map(|(a, b)| word(a) ^ word(b));
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| u32::from(a ^ b));
    let difference = words.chain(rest).fold(0, |all, one| all | one);
    a.len() == b.len() && difference.ct_eq(&0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_of_rfc_4231_case_2() {
        let tag = KeyedMac::new(Digest::Sha256, b"Jefe").tag(b"what do ya want for nothing?");
        assert_eq!(tag.as_bytes()[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        assert_eq!(tag.as_bytes().len(), 32);
    }

    #[test]
    fn a_tag_is_accepted_whole_and_unchanged() {
        for digest in Digest::ALL {
            let mac = KeyedMac::new(digest, b"key");
            let tag = mac.tag(b"message").as_bytes().to_vec();
            assert_eq!(tag.len(), mac.tag_len());
            assert!(mac.verify(b"message", &tag) && !mac.verify(b"massage", &tag));
            for bit in 0..tag.len() * 8 {
                let mut changed = tag.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(!mac.verify(b"message", &changed));
            }
            for other in [&tag[1..], &tag[..tag.len() - 1], &[&tag[..], &[0]].concat(), &[]] {
                assert!(!mac.verify(b"message", other));
            }
        }
    }

    /// Differences must not cancel each other out, wherever they are.
    #[test]
    fn two_differences_are_no_agreement() {
        for len in 0..=13 {
            let a: Vec<u8> = (0..len).collect();
            assert!(same(&a, &a));
            for (first, second) in (0..a.len()).flat_map(|one| (0..one).map(move |two| (one, two)))
            {
                for bit in 0..8 {
                    let mut b = a.clone();
                    b[first] ^= 1 << bit;
                    assert!(!same(&a, &b), "{first} of {len}");
                    b[second] ^= 1 << bit;
                    assert!(!same(&a, &b), "{first} and {second} of {len}");
                }
            }
        }
    }

    #[test]
    fn keys_longer_than_a_block_are_hashed_not_dropped() {
        let long = KeyedMac::new(Digest::Sha1, &[7; 200]).tag(b"x");
        let hashed = Digest::Sha1.hash(&[&[7; 200]]);
        let same = KeyedMac::new(Digest::Sha1, hashed.as_bytes()).tag(b"x");
        assert_eq!(long.as_bytes(), same.as_bytes());
    }
}
