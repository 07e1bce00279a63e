use zeroize::Zeroizing;

use super::digest::{Digest, KeyedMac};
use super::key::SecretKey;

/// The way from the secret key and the salt to the key of a signature: ItsDangerous'
/// `key_derivation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyDerivation {
    /// `HMAC(secret, salt)`: Flask's choice for its sessions.
    #[default]
    Hmac,
    /// `H(salt ‖ secret)`.
    Concat,
    /// `H(salt ‖ "signer" ‖ secret)`: ItsDangerous' default.
    DjangoConcat,
    /// The secret key itself; the salt plays no part.
    None,
}

impl KeyDerivation {
    /// Every derivation, in the order in which a search should try them.
    pub const ALL: [Self; 4] = [Self::Hmac, Self::DjangoConcat, Self::Concat, Self::None];

    /// Returns ItsDangerous' name of the derivation.
    ///
    /// ```
    /// use carafe::signing::KeyDerivation;
    ///
    /// assert_eq!(KeyDerivation::DjangoConcat.name(), "django-concat");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::Concat => "concat",
            Self::DjangoConcat => "django-concat",
            Self::None => "none",
        }
    }

    /// The MAC under the key that is derived from `secret` and `salt`.
    pub(super) fn derive(self, digest: Digest, secret: &SecretKey, salt: &[u8]) -> KeyedMac {
        let secret = secret.expose();
        let derived = Zeroizing::new(match self {
            Self::Hmac => KeyedMac::new(digest, secret).tag(salt),
            Self::Concat => digest.hash(&[salt, secret]),
            Self::DjangoConcat => digest.hash(&[salt, b"signer", secret]),
            Self::None => return KeyedMac::new(digest, secret),
        });
        KeyedMac::new(digest, derived.as_bytes())
    }
}

impl std::str::FromStr for KeyDerivation {
    type Err = crate::Error;

    /// Reads ItsDangerous' name of the derivation.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|derivation| derivation.name() == name).ok_or_else(|| {
            crate::Error::setting("key_derivation", name, "hmac, django-concat, concat or none")
        })
    }
}
