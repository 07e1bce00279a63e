use crate::signing::SigningOptions;

/// A form in which sessions travel in their cookie: what `carafe::Config::accept`
/// takes.
///
/// ```
/// use carafe::{Format, signing::{Digest, SigningOptions}};
///
/// let sha256 = Format::flask(SigningOptions::default().digest(Digest::Sha256));
/// assert_ne!(sha256, Format::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flask(SigningOptions),
    #[cfg(feature = "sealed")]
    Sealed,
}

impl Format {
    /// Flask's signed sessions, with this salt, digest and key derivation.
    #[must_use]
    pub fn flask(options: SigningOptions) -> Self {
        Self(Kind::Flask(options))
    }

    /// Sealed sessions: see [`sealed`](super::sealed).
    #[cfg(feature = "sealed")]
    #[must_use]
    pub fn sealed() -> Self {
        Self(Kind::Sealed)
    }
}

impl Default for Format {
    /// Flask's own: its salt, SHA-1 and `hmac`.
    fn default() -> Self {
        Self::flask(SigningOptions::default())
    }
}
