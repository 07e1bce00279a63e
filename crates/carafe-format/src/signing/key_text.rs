use zeroize::Zeroizing;

use crate::{Error, ErrorKind, base64};

/// The text form of a new key's bytes, as it stands in `SECRET_KEY`.
///
/// ```
/// use carafe::{SecretKey, signing::{KeyStrength, KeyText}};
///
/// let text = KeyText::Hex.random(32)?;
/// assert_eq!(text.len(), 64);
/// assert_eq!(SecretKey::new(text)?.strength(), KeyStrength::NothingFound);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// Two lowercase hexadecimal digits for each byte.
    Hex,
    /// Unpadded base64url: four characters for three bytes, all of which a shell leaves alone.
    Base64,
}

impl KeyText {
    /// Returns a new key of `bytes` random bytes from the operating system, as text.
    ///
    /// ```
    /// use carafe::signing::KeyText;
    ///
    /// assert_eq!(KeyText::Hex.random(32)?.len(), 64);
    /// assert_eq!(KeyText::Base64.random(32)?.len(), 43);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if the operating system gives no random bytes.
    pub fn random(self, bytes: usize) -> Result<String, Error> {
        let mut key = Zeroizing::new(vec![0; bytes]);
        getrandom::fill(&mut key).map_err(|error| {
            Error::new(ErrorKind::Entropy, "the operating system gave no random bytes for a key")
                .with_source(error)
        })?;
        let mut text = String::with_capacity(bytes * 2);
        match self {
            Self::Hex => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let digits = |byte: &u8| [byte >> 4, byte & 15];
                let digit = |half| char::from(DIGITS[usize::from(half)]);
                text.extend(key.iter().flat_map(digits).map(digit));
            }
            Self::Base64 => base64::encode_url(&key, &mut text),
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_length_and_the_alphabet_that_were_asked_for() {
        for bytes in [0, 1, 2, 3, 32, 1000] {
            let hex = KeyText::Hex.random(bytes).unwrap();
            assert_eq!(hex.len(), bytes * 2);
            assert!(hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
            let base64 = KeyText::Base64.random(bytes).unwrap();
            assert_eq!(base64::decode_url(base64.as_bytes()).unwrap().len(), bytes);
        }
        assert_ne!(KeyText::Hex.random(32).unwrap(), KeyText::Hex.random(32).unwrap());
    }
}
