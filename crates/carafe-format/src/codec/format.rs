use crate::signing::SigningOptions;

/// A form in which sessions travel in their cookie. `carafe::Config::accept` takes such forms.
///
/// ```
/// use carafe::config::Format;
/// use carafe::signing::{Digest, SigningOptions};
///
/// let sha256 = Format::flask(SigningOptions::default().digest(Digest::Sha256));
/// assert_ne!(sha256, Format::default());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format(pub(super) Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Flask(SigningOptions),
    Signed(SigningOptions),
    #[cfg(feature = "sealed")]
    Sealed,
    Unnamed,
}

impl Format {
    /// Returns the format of Flask's signed sessions, with this salt, digest and key derivation.
    ///
    /// ```
    /// use carafe::Config;
    /// use carafe::config::Format;
    /// use carafe::signing::SigningOptions;
    ///
    /// // From Flask's profile to the hardened one.
    /// let before = Format::flask(SigningOptions::default());
    /// let config = Config::hardened().accept(before);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn flask(options: SigningOptions) -> Self {
        Self(Kind::Flask(options))
    }

    /// Returns the format of the hardened profile's sessions: Flask's, with the name of the cookie
    /// behind the salt, as [`SigningOptions::for_cookie`] puts it.
    ///
    /// ```
    /// use carafe::config::Format;
    /// use carafe::signing::{Digest, SigningOptions};
    /// use carafe::Config;
    ///
    /// // From SHA-1 to SHA-256.
    /// let before = Format::signed(SigningOptions::default());
    /// let config = Config::hardened().digest(Digest::Sha256).accept(before);
    /// ```
    #[must_use]
    pub fn signed(options: SigningOptions) -> Self {
        Self(Kind::Signed(options))
    }

    /// Returns the format of sealed sessions: see [`sealed`](super::sealed).
    ///
    /// ```
    /// use carafe::Config;
    /// use carafe::config::Format;
    ///
    /// // Back from sealed sessions to signed ones.
    /// let config = Config::hardened().accept(Format::sealed());
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[cfg(feature = "sealed")]
    #[must_use]
    pub fn sealed() -> Self {
        Self(Kind::Sealed)
    }

    /// Returns the form of session ids and CSRF cookies of earlier releases, whose signature
    /// doesn't depend on the name of the cookie. It can be read and not written. While a layer
    /// accepts it, that layer accepts such a cookie of any other layer with the same keys.
    ///
    /// ```
    /// use carafe::Config;
    /// use carafe::config::Format;
    ///
    /// let config = Config::hardened().accept(Format::unnamed());
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn unnamed() -> Self {
        Self(Kind::Unnamed)
    }
}

impl Default for Format {
    /// Flask's own: its salt, SHA-1 and `hmac`.
    fn default() -> Self {
        Self::flask(SigningOptions::default())
    }
}
