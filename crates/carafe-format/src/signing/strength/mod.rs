//! Estimates of how good secret keys are.

mod guesses;
mod placeholder;
mod published;
pub(crate) mod readings;
mod typical;

use std::fmt;

pub(crate) use self::typical::typical_keys;
use super::{KeyRing, SecretKey};
use crate::{Error, ErrorKind};

/// A key of fewer bytes is short.
const SHORT: usize = 16;

/// A key with fewer different bytes than this is guessable, however long it is.
const FEW_DIFFERENT: usize = 5;

/// This number of digits holds 128 bits: an attacker can try all keys of fewer digits and nothing
/// else.
const DIGITS_OF_128_BITS: usize = 39;

/// A key that withstands fewer guesses than 2 to the power of this is guessable. A graphics card
/// makes some 10 billion a second, which is a few years for one.
const GUESSABLE_BITS: u8 = 60;

/// The same limit for text that calls itself a secret: each of its words follows from the others.
const NAMED_GUESSABLE_BITS: u8 = 120;

/// The environment variable that allows weak keys wherever they are refused, if it is `1`.
const ALLOW: &str = "CARAFE_ALLOW_WEAK_KEY";

/// An estimate of how good a secret key is, from the worst to the best.
///
/// [`SecretKey::strength`] tells. The profiles other than Flask's, and sealed sessions in any,
/// refuse every key that isn't [`NothingFound`](Self::NothingFound), in every build profile, unless
/// [`SecretKey::allow_weak_key`] or the environment variable `CARAFE_ALLOW_WEAK_KEY=1` says
/// otherwise. Flask's profile accepts it with a warning in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyStrength {
    /// The key is published in a documentation, a tutorial or a template, or it is a key that
    /// people type first. Case, separators and the space around it make no difference.
    Published,
    /// The key is no key but stands where one belongs: the name of a variable that nothing has
    /// replaced (`${SECRET_KEY}`, `<secret>`), or text that asks to be changed.
    Placeholder,
    /// The key can be guessed: it consists of common words, repetitions, sequences or rows of the
    /// keyboard, has fewer than five different bytes, or fewer than 39 digits and nothing else.
    Guessable,
    /// The key has fewer than 16 bytes.
    Short,
    /// No weakness was found. That doesn't make the key random: `openssl rand -hex 32` does.
    NothingFound,
}

impl SecretKey {
    /// Estimates how good this key is.
    ///
    /// A key is judged as what it can be read as, too: without quotes, with Python's escapes, and
    /// decoded from hexadecimal or base64.
    ///
    /// ```
    /// use carafe::{SecretKey, signing::KeyStrength};
    ///
    /// assert_eq!(SecretKey::new("dev")?.strength(), KeyStrength::Published);
    /// assert_eq!(SecretKey::new("${SECRET_KEY}")?.strength(), KeyStrength::Placeholder);
    /// assert_eq!(SecretKey::new("supersecretkey123")?.strength(), KeyStrength::Guessable);
    /// assert_eq!(SecretKey::random()?.strength(), KeyStrength::NothingFound);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn strength(&self) -> KeyStrength {
        let key = self.expose();
        let whole = if key.len() < SHORT { KeyStrength::Short } else { KeyStrength::NothingFound };
        let readings = readings::readings(key);
        let strengths = readings.iter().filter_map(|reading| weakness(reading));
        strengths.min().unwrap_or(whole)
    }
}

/// The weakness of one reading of a key, besides its length.
fn weakness(key: &[u8]) -> Option<KeyStrength> {
    if published::is_published(key) {
        Some(KeyStrength::Published)
    } else if placeholder::is_placeholder(key) {
        Some(KeyStrength::Placeholder)
    } else if is_guessable(key) {
        Some(KeyStrength::Guessable)
    } else {
        None
    }
}

fn is_guessable(key: &[u8]) -> bool {
    let needed = if placeholder::names_itself(key) {
        NAMED_GUESSABLE_BITS
    } else {
        // The limit is lower for short keys, so that a random and short key is called short.
        u8::try_from(key.len() * 4).unwrap_or(u8::MAX).min(GUESSABLE_BITS)
    };
    let different = (0..=u8::MAX).filter(|byte| key.contains(byte)).count();
    different < FEW_DIFFERENT
        || (key.len() < DIGITS_OF_128_BITS && key.iter().all(u8::is_ascii_digit))
        || guesses::bits(key) < f32::from(needed)
}

impl KeyRing {
    /// Refuses weak keys, fallbacks too, since they let sessions in as well.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// KeyRing::new(SecretKey::random()?).refuse_weak()?;
    /// # assert!(KeyRing::new(SecretKey::new("dev")?).weak_keys().next().is_some());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`] if a key is anything but
    /// [`NothingFound`](KeyStrength::NothingFound), and neither [`SecretKey::allow_weak_key`] nor
    /// the environment variable `CARAFE_ALLOW_WEAK_KEY=1` lets it pass.
    pub fn refuse_weak(&self) -> Result<(), Error> {
        if std::env::var_os(ALLOW).is_some_and(|value| value == "1") {
            return Ok(());
        }
        match self.weak_keys().next() {
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

    /// Returns the weak keys of the ring that a layer warns about in its log: all but the keys that
    /// were [allowed](SecretKey::allow_weak_key) to be weak.
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// let keys = KeyRing::new(SecretKey::random()?).with_fallback(SecretKey::new("dev")?);
    /// let weak: Vec<_> = keys.weak_keys().collect();
    /// assert_eq!(weak[0].index, 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn weak_keys(&self) -> impl Iterator<Item = WeakKey> {
        self.iter().enumerate().filter(|(_, key)| !key.is_allowed_weak()).filter_map(
            |(index, key)| match key.strength() {
                KeyStrength::NothingFound => None,
                strength => Some(WeakKey { index, strength }),
            },
        )
    }
}

/// A weak key of a ring. Its `Display` names the key's place in the ring and the weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WeakKey {
    /// The place of the key in the ring: 0 is the current one.
    pub index: usize,
    /// The strength of the key.
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
                "is published in documentation or tutorials, so that every reader of them can make \
                 sessions"
            }
            KeyStrength::Placeholder => {
                "is a placeholder, which nothing has replaced, or asks to be changed, so that an \
                 attacker can make sessions"
            }
            KeyStrength::Guessable => {
                "consists of words, repetitions or sequences that can be guessed, so that an attacker \
                 can make sessions"
            }
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
        assert_eq!(strength(b"q7Zx!pW2m_Kd9vR"), KeyStrength::Short);
        assert_eq!(strength(b"q7Zx!pW2m_Kd9vRt"), KeyStrength::NothingFound);
        assert_eq!(strength(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), KeyStrength::Guessable);
        assert_eq!(strength(b" Secret\n"), KeyStrength::Published);
        let digits = b"271828182845904523536028747135266249775";
        assert_eq!(strength(&digits[..38]), KeyStrength::Guessable);
        assert_eq!(strength(digits), KeyStrength::NothingFound);
        assert_eq!(
            strength(b"abcaabdbbdccaadbcddabbcabdadbcdacbdcadbbcadbcaccdb"),
            KeyStrength::Guessable
        );
    }

    #[test]
    fn what_is_published_or_guessable_is_refused_also_as_a_fallback() {
        let good = || SecretKey::random().unwrap();
        let weak = |key: &str| SecretKey::new(key).unwrap();
        let kind = |ring: KeyRing| ring.refuse_weak().err().map(|error| error.kind());
        assert_eq!(kind(good().into()), None);
        for key in ["dev", "1234567890", "${SECRET_KEY}", "letmein", "xK3-8f.qPz"] {
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
        assert!(message.starts_with("fallback 1 of the secret key is published in"));
        assert!(!message.contains("changeme"), "{message}");
    }
}

#[cfg(test)]
mod cases;
