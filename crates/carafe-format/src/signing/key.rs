use std::fmt;

use zeroize::Zeroizing;

use super::key_env;
use crate::{Error, ErrorKind};

/// A secret key: Flask's `SECRET_KEY`.
///
/// Its bytes are wiped from memory when it is dropped, and its `Debug` shows none of them.
///
/// ```
/// use carafe::SecretKey;
///
/// let key = SecretKey::new("6f1c0b9a5d3e4c7f8a2b1d0e9f8c7b6a")?;
/// assert_eq!(format!("{key:?}"), "SecretKey(32 bytes)");
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone)]
pub struct SecretKey {
    bytes: Zeroizing<Vec<u8>>,
    allowed_weak: bool,
    origin: KeyOrigin,
}

/// The origin of a [`SecretKey`], as far as it matters to an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyOrigin {
    /// The caller gave the key, or it was read from where it was set.
    #[default]
    Given,
    /// No key was set, and [`SecretKey::from_env_or_random`] made one: sessions end with the process.
    Random,
    /// The key is the text of an environment variable that parses as JSON but not as a string.
    /// Flask fails with such a key.
    Ambiguous {
        /// The name of the variable.
        variable: String,
    },
}

impl SecretKey {
    /// Takes a key of text (whose bytes are its UTF-8, as in Python) or of bytes.
    ///
    /// ```
    /// use carafe::{ErrorKind, SecretKey};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// assert_eq!(SecretKey::new("").unwrap_err().kind(), ErrorKind::MissingSecretKey);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MissingSecretKey`] if the key is empty.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let key = Zeroizing::new(key.into());
        if key.is_empty() {
            return Err(Error::new(
                ErrorKind::MissingSecretKey,
                "the secret key is empty: set it to something long and random, \
                 such as the output of `openssl rand -hex 32`",
            ));
        }
        Ok(Self { bytes: key, allowed_weak: false, origin: KeyOrigin::Given })
    }

    /// Creates a new key of 32 random bytes from the operating system.
    ///
    /// Sessions signed with it end with the process, unless it is stored somewhere.
    ///
    /// ```
    /// use carafe::SecretKey;
    ///
    /// let key = SecretKey::random()?;
    /// assert_eq!(key.expose().len(), 32);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if the operating system gives no random bytes.
    pub fn random() -> Result<Self, Error> {
        let mut key = Zeroizing::new(vec![0; 32]);
        getrandom::fill(&mut key).map_err(|error| {
            Error::new(ErrorKind::Entropy, "the operating system gave no random bytes for a key")
                .with_source(error)
        })?;
        Ok(Self { bytes: key, allowed_weak: false, origin: KeyOrigin::Given })
    }

    /// Reads the key from an environment variable.
    ///
    /// A variable whose name begins with `FLASK_` is read as Flask's `from_prefixed_env` reads it:
    /// as JSON where it parses. (A key of digits alone becomes a number there, and Flask fails;
    /// here it stays the text that it is, and a layer that uses it warns in the log.)
    ///
    /// ```no_run
    /// use carafe::SecretKey;
    ///
    /// let key = SecretKey::from_env("SECRET_KEY")?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MissingSecretKey`] if the variable isn't set or is empty.
    pub fn from_env(name: &str) -> Result<Self, Error> {
        match std::env::var_os(name) {
            Some(text) if name.starts_with("FLASK_") => key_env::secret_key(name, &text),
            Some(text) if !text.is_empty() => Self::new(text.into_encoded_bytes()),
            _ => Err(Error::new(
                ErrorKind::MissingSecretKey,
                format!(
                    "there is no secret key: set the environment variable {name} to something \
                     long and random, such as the output of `openssl rand -hex 32`"
                ),
            )),
        }
    }

    /// Reads the key from `SECRET_KEY` or, without that, from `FLASK_SECRET_KEY`. Without either it
    /// makes a [random](Self::random) one, and a layer that uses it says in the log that sessions
    /// end with the process: for trying things out.
    ///
    /// ```
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::flask(SecretKey::from_env_or_random()?);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if the operating system gives no random bytes,
    /// [`ErrorKind::Setting`] if the key can't be read.
    pub fn from_env_or_random() -> Result<Self, Error> {
        for name in ["SECRET_KEY", "FLASK_SECRET_KEY"] {
            match Self::from_env(name) {
                Err(error) if error.kind() == ErrorKind::MissingSecretKey => {}
                key => return key,
            }
        }
        Ok(Self { origin: KeyOrigin::Random, ..Self::random()? })
    }

    /// Reads the key from an environment variable whose text parses as JSON but not as a string.
    pub(super) fn ambiguous(variable: &str, text: &[u8]) -> Result<Self, Error> {
        let origin = KeyOrigin::Ambiguous { variable: variable.to_owned() };
        Ok(Self { origin, ..Self::new(text)? })
    }

    /// Lets this key pass where weak keys are refused, and silences the warning about it: for tests
    /// and demonstrations. See [`KeyStrength`](crate::signing::KeyStrength).
    ///
    /// The method doesn't make a key long enough for sealed sessions.
    ///
    /// ```
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// assert!(SessionLayer::signed(SecretKey::new("dev")?).is_err());
    /// assert!(SessionLayer::signed(SecretKey::new("dev")?.allow_weak_key()).is_ok());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn allow_weak_key(mut self) -> Self {
        self.allowed_weak = true;
        self
    }

    /// Returns the origin of the key. A layer warns in its log about some origins.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::KeyOrigin;
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// assert_eq!(key.origin(), &KeyOrigin::Given);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn origin(&self) -> &KeyOrigin {
        &self.origin
    }

    pub(crate) fn is_allowed_weak(&self) -> bool {
        self.allowed_weak
    }

    /// Returns the bytes of the key. The name makes every use of them stand out.
    ///
    /// ```
    /// use carafe::SecretKey;
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// assert_eq!(key.expose(), b"a key, long and random");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({} bytes)", self.bytes.len())
    }
}

/// The secret keys of a service: one signs, all verify.
///
/// To change the key without ending sessions, make the old one a fallback, and drop it once the
/// sessions that it signed have expired.
///
/// ```
/// use carafe::{KeyRing, SecretKey};
///
/// let keys = KeyRing::new(SecretKey::new("the new key, long and random")?)
///     .with_fallback(SecretKey::new("the old key, long and random")?);
/// assert_eq!(keys.len(), 2);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// In the order in which they are tried: the current one first.
    keys: Vec<SecretKey>,
}

impl KeyRing {
    /// Creates a ring of one key.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// let keys = KeyRing::new(SecretKey::random()?);
    /// assert_eq!(keys.len(), 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn new(current: SecretKey) -> Self {
        Self { keys: vec![current] }
    }

    /// Adds an older key, which verifies what it signed before and signs nothing new. Call this
    /// with the newest fallback first.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// let keys = KeyRing::new(SecretKey::new("the newest key")?)
    ///     .with_fallback(SecretKey::new("the one before")?)
    ///     .with_fallback(SecretKey::new("the oldest key")?);
    /// assert_eq!(keys.len(), 3);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn with_fallback(mut self, older: SecretKey) -> Self {
        self.keys.push(older);
        self
    }

    /// Makes the ring that Flask makes of `SECRET_KEY` and `SECRET_KEY_FALLBACKS`. The last key of
    /// that list is the first fallback to be tried.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// // SECRET_KEY_FALLBACKS = ["the oldest key", "the one before"]
    /// let fallbacks = [SecretKey::new("the oldest key")?, SecretKey::new("the one before")?];
    /// let keys = KeyRing::from_flask(SecretKey::new("the newest key")?, fallbacks);
    /// assert_eq!(keys.iter().last().unwrap().expose(), b"the oldest key");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn from_flask(
        current: SecretKey,
        fallbacks: impl IntoIterator<Item = SecretKey, IntoIter: DoubleEndedIterator>,
    ) -> Self {
        fallbacks.into_iter().rev().fold(Self::new(current), Self::with_fallback)
    }

    /// Reads `FLASK_SECRET_KEY` and `FLASK_SECRET_KEY_FALLBACKS` (a JSON list) from the
    /// environment, as Flask's `from_prefixed_env` does.
    ///
    /// ```no_run
    /// use carafe::{KeyRing, SessionLayer};
    ///
    /// let layer = SessionLayer::flask(KeyRing::from_flask_env()?);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MissingSecretKey`] if `FLASK_SECRET_KEY` isn't set or is empty,
    /// [`ErrorKind::Setting`] if the fallbacks are no JSON list of texts.
    pub fn from_flask_env() -> Result<Self, Error> {
        Self::with_fallbacks_of_env(SecretKey::from_env("FLASK_SECRET_KEY")?)
    }

    /// Reads the key from `SECRET_KEY` or, without that, from `FLASK_SECRET_KEY`, and in either case
    /// the fallbacks from `FLASK_SECRET_KEY_FALLBACKS`.
    ///
    /// ```no_run
    /// use carafe::{KeyRing, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(KeyRing::from_env()?)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MissingSecretKey`] if neither is set or the one that counts is empty,
    /// [`ErrorKind::Setting`] if the fallbacks are no JSON list of texts.
    pub fn from_env() -> Result<Self, Error> {
        let current = match std::env::var_os("SECRET_KEY") {
            Some(text) if !text.is_empty() => SecretKey::new(text.into_encoded_bytes())?,
            _ => SecretKey::from_env("FLASK_SECRET_KEY")?,
        };
        Self::with_fallbacks_of_env(current)
    }

    fn with_fallbacks_of_env(current: SecretKey) -> Result<Self, Error> {
        let fallbacks = match std::env::var_os("FLASK_SECRET_KEY_FALLBACKS") {
            Some(text) => key_env::secret_key_fallbacks(&text)?,
            None => Vec::new(),
        };
        Ok(Self::from_flask(current, fallbacks))
    }

    /// Returns the number of keys: at least one.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// assert_eq!(KeyRing::new(SecretKey::random()?).len(), 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a ring always has its current key")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Iterates over the keys in the order in which they are tried, the current one first.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// let keys = KeyRing::new(SecretKey::new("the new key")?)
    ///     .with_fallback(SecretKey::new("the old key")?);
    /// assert_eq!(keys.iter().next().unwrap().expose(), b"the new key");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &SecretKey> {
        self.keys.iter()
    }
}

impl From<SecretKey> for KeyRing {
    fn from(key: SecretKey) -> Self {
        Self::new(key)
    }
}
