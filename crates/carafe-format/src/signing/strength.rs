use std::fmt;

use super::published::is_published;
use super::{KeyRing, SecretKey};
use crate::{Error, ErrorKind};

/// Below this many bytes a key is short.
const SHORT: usize = 16;

/// A key with fewer different bytes than this is guessable, however long it is.
const FEW_DIFFERENT: usize = 5;

/// So many digits hold 128 bits: a key of fewer digits, and nothing else, can be counted through.
const DIGITS_OF_128_BITS: usize = 39;

/// The environment variable that allows weak keys wherever they are refused, if it is `1`.
const ALLOW: &str = "CARAFE_ALLOW_WEAK_KEY";

/// How good a secret key is, from the worst to the best, as far as that can be seen.
///
/// [`SecretKey::strength`] tells. The profiles other than Flask's refuse keys that are
/// [`Published`](Self::Published) or [`Guessable`](Self::Guessable), in every build profile, unless
/// [`SecretKey::allow_weak_key`] or the environment variable `CARAFE_ALLOW_WEAK_KEY=1` says
/// otherwise. All of them warn, in the log, about every key that isn't
/// [`NothingFound`](Self::NothingFound).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyStrength {
    /// Everybody knows it: it is printed in a documentation, a tutorial or a template, or it is
    /// what people type first. Case and the space around it make no difference.
    Published,
    /// It has fewer than five different bytes, or consists of fewer than 39 digits.
    Guessable,
    /// It has fewer than 16 bytes.
    Short,
    /// Nothing speaks against it. That doesn't make it random: `openssl rand -hex 32` does.
    NothingFound,
}

impl SecretKey {
    /// How good this key is, as far as that can be seen.
    ///
    /// ```
    /// use carafe::{SecretKey, signing::KeyStrength};
    ///
    /// assert_eq!(SecretKey::new("dev")?.strength(), KeyStrength::Published);
    /// assert_eq!(SecretKey::random()?.strength(), KeyStrength::NothingFound);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn strength(&self) -> KeyStrength {
        let key = self.expose();
        let different = (0..=u8::MAX).filter(|byte| key.contains(byte)).count();
        if is_published(key) {
            KeyStrength::Published
        } else if different < FEW_DIFFERENT
            || (key.len() < DIGITS_OF_128_BITS && key.iter().all(u8::is_ascii_digit))
        {
            KeyStrength::Guessable
        } else if key.len() < SHORT {
            KeyStrength::Short
        } else {
            KeyStrength::NothingFound
        }
    }
}

impl KeyRing {
    /// Refuses published and guessable keys, fallbacks too, since they let sessions in as well.
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`] if a key is [`Published`](KeyStrength::Published) or
    /// [`Guessable`](KeyStrength::Guessable) and neither [`SecretKey::allow_weak_key`] nor the
    /// environment variable `CARAFE_ALLOW_WEAK_KEY=1` lets it pass.
    pub fn refuse_weak(&self) -> Result<(), Error> {
        if std::env::var_os(ALLOW).is_some_and(|value| value == "1") {
            return Ok(());
        }
        match self.weak_keys().find(|finding| finding.strength < KeyStrength::Short) {
            None => Ok(()),
            Some(finding) => Err(Error::new(
                ErrorKind::WeakKey,
                format!(
                    "{finding}: make another with `carafe keygen` or `openssl rand -hex 32`. Where \
                     it doesn't matter, `SecretKey::allow_weak_key` or {ALLOW}=1 lets it pass"
                ),
            )),
        }
    }

    /// The weak keys of the ring, without those that were [allowed](SecretKey::allow_weak_key) to
    /// be weak: what a layer warns about in its log.
    pub fn weak_keys(&self) -> impl Iterator<Item = WeakKey> {
        self.iter().enumerate().filter(|(_, key)| !key.is_allowed_weak()).filter_map(
            |(index, key)| match key.strength() {
                KeyStrength::NothingFound => None,
                strength => Some(WeakKey { index, strength }),
            },
        )
    }
}

/// A weak key of a ring. Its `Display` says which one it is and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeakKey {
    /// The place of the key in the ring: 0 is the current one.
    pub index: usize,
    /// How good the key is.
    pub strength: KeyStrength,
}

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            0 => f.write_str("the secret key ")?,
            index => write!(f, "fallback {index} of the secret key ")?,
        }
        f.write_str(match self.strength {
            KeyStrength::Published => {
                "is one that everybody knows, from documentation or tutorials, so that anybody can \
                 make sessions"
            }
            KeyStrength::Guessable => "can be guessed, so that anybody can make sessions",
            KeyStrength::Short => "has fewer than 16 bytes, which can perhaps be guessed",
            KeyStrength::NothingFound => "is good",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strength(key: &[u8]) -> KeyStrength {
        SecretKey::new(key).unwrap().strength()
    }

    #[test]
    fn the_limits_are_exact() {
        assert_eq!(strength(b"abcdefghijklmno"), KeyStrength::Short);
        assert_eq!(strength(b"abcdefghijklmnop"), KeyStrength::NothingFound);
        assert_eq!(strength(&b"abcd".repeat(20)), KeyStrength::Guessable);
        assert_eq!(strength(&b"abcde".repeat(20)), KeyStrength::NothingFound);
        assert_eq!(strength(&b"1234567890".repeat(4)[..38]), KeyStrength::Guessable);
        assert_eq!(strength(&b"1234567890".repeat(4)[..39]), KeyStrength::NothingFound);
        assert_eq!(strength(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), KeyStrength::Guessable);
        assert_eq!(strength(b" Secret\n"), KeyStrength::Published);
    }

    #[test]
    fn what_is_published_or_guessable_is_refused_also_as_a_fallback() {
        let good = || SecretKey::random().unwrap();
        let weak = |key: &str| SecretKey::new(key).unwrap();
        let kind = |ring: KeyRing| ring.refuse_weak().err().map(|error| error.kind());
        assert_eq!(kind(good().into()), None);
        assert_eq!(kind(weak("short").into()), None, "warned about only");
        for key in ["dev", "1234567890"] {
            assert_eq!(kind(weak(key).into()), Some(ErrorKind::WeakKey));
            let ring = KeyRing::new(good()).with_fallback(weak(key));
            assert_eq!(kind(ring), Some(ErrorKind::WeakKey));
            assert_eq!(kind(weak(key).allow_weak_key().into()), None);
        }
    }

    #[test]
    fn the_error_says_which_key_and_not_what_it_is() {
        let ring = KeyRing::new(SecretKey::random().unwrap())
            .with_fallback(SecretKey::new("changeme").unwrap());
        let message = ring.refuse_weak().unwrap_err().to_string();
        assert!(message.starts_with("fallback 1 of the secret key is one that everybody knows"));
        assert!(!message.contains("changeme"), "{message}");
    }
}
