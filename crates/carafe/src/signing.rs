//! ItsDangerous signatures, which Flask's sessions are built on.
//!
//! [`Signer`] signs text, [`TimestampSigner`] text and the time, and [`UrlSafeTimedSerializer`]
//! whole values. All of them take a [`KeyRing`](crate::KeyRing), whose current key signs and whose
//! keys all verify, and [`SigningOptions`]: salt, digest and key derivation. The set of algorithms
//! is closed, and each of them signs.

pub use carafe_format::signing::{
    CLOCK_SKEW, DEFAULT_INFLATE_LIMIT, Digest, KeyDerivation, KeyOrigin, KeyStrength, KeyText,
    SignedJson, Signer, SigningOptions, TimestampSigner, Unsigned, UrlSafeTimedSerializer, WeakKey,
};
