//! Signatures as ItsDangerous makes them, which Flask's sessions are built on.
//!
//! [`Signer`] signs text, [`TimestampSigner`] text and the time, and [`UrlSafeTimedSerializer`]
//! whole values. All of them take a [`KeyRing`], whose current key signs and whose
//! keys all verify, and [`SigningOptions`]: salt, digest and key derivation. The set of algorithms
//! is closed, and there is none that doesn't sign.

mod derivation;
mod digest;
mod hmac_sha1;
mod key;
mod key_env;
mod key_file;
mod key_text;
pub(crate) mod python_literal;
mod serializer;
mod signer;
mod strength;
mod timestamp;

pub use self::derivation::KeyDerivation;
pub use self::digest::Digest;
pub(crate) use self::digest::KeyedMac;
pub use self::key::{KeyOrigin, KeyRing, SecretKey};
pub use self::key_text::KeyText;
pub use self::serializer::{DEFAULT_INFLATE_LIMIT, SignedJson, UrlSafeTimedSerializer};
pub use self::signer::{Signer, SigningOptions};
pub use self::strength::{KeyStrength, WeakKey};
pub(crate) use self::strength::{readings, typical_keys};
pub(crate) use self::timestamp::decode_timestamp;
pub use self::timestamp::{CLOCK_SKEW, TimestampSigner, Unsigned};
