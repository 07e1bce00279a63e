use std::fmt;

use super::digest::{Digest, KeyedMac};
use super::{KeyDerivation, KeyRing};
use crate::{Error, ErrorKind, base64};

/// The settings that separate the signatures of one purpose from the signatures of another:
/// ItsDangerous' arguments.
///
/// [`SigningOptions::default`] has Flask's choices for its session cookie.
///
/// ```
/// use carafe::signing::{Digest, SigningOptions};
///
/// let options = SigningOptions::default().digest(Digest::Sha256).salt("my-tokens");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningOptions {
    pub(crate) salt: Vec<u8>,
    pub(crate) digest: Digest,
    pub(crate) key_derivation: KeyDerivation,
}

impl Default for SigningOptions {
    /// Salt `cookie-session`, SHA-1, derivation `hmac`: Flask's session cookie.
    fn default() -> Self {
        Self {
            salt: b"cookie-session".to_vec(),
            digest: Digest::Sha1,
            key_derivation: KeyDerivation::Hmac,
        }
    }
}

impl SigningOptions {
    /// Returns ItsDangerous' defaults for a salt: SHA-1 and `django-concat`.
    ///
    /// ```
    /// use carafe::signing::{KeyDerivation, SigningOptions};
    ///
    /// let options = SigningOptions::default().salt("newsletter");
    /// let options = options.key_derivation(KeyDerivation::DjangoConcat);
    /// assert_eq!(SigningOptions::itsdangerous("newsletter"), options);
    /// ```
    #[must_use]
    pub fn itsdangerous(salt: impl Into<Vec<u8>>) -> Self {
        Self {
            salt: salt.into(),
            digest: Digest::Sha1,
            key_derivation: KeyDerivation::DjangoConcat,
        }
    }

    /// Sets the salt: text or bytes that name the purpose. It isn't secret.
    ///
    /// ```
    /// use carafe::signing::SigningOptions;
    ///
    /// let options = SigningOptions::default().salt("admin session");
    /// assert_ne!(options, SigningOptions::default());
    /// ```
    #[must_use]
    pub fn salt(mut self, salt: impl Into<Vec<u8>>) -> Self {
        self.salt = salt.into();
        self
    }

    /// Adds the name of a cookie to the salt, after a space, so that a signature for one cookie is
    /// invalid for every other.
    ///
    /// ```
    /// use carafe::signing::SigningOptions;
    ///
    /// let named = SigningOptions::default().for_cookie("__Host-session");
    /// assert_eq!(named, SigningOptions::default().salt("cookie-session __Host-session"));
    /// ```
    #[must_use]
    pub fn for_cookie(mut self, name: &str) -> Self {
        // No name of a cookie has a space.
        self.salt.push(b' ');
        self.salt.extend_from_slice(name.as_bytes());
        self
    }

    /// Sets the digest of the key derivation and the MAC.
    ///
    /// ```
    /// use carafe::signing::{Digest, SigningOptions};
    ///
    /// let options = SigningOptions::itsdangerous("newsletter").digest(Digest::Sha512);
    /// ```
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.digest = digest;
        self
    }

    /// Sets the derivation of the key from the secret key and the salt.
    ///
    /// ```
    /// use carafe::signing::{KeyDerivation, SigningOptions};
    ///
    /// let options = SigningOptions::default().key_derivation(KeyDerivation::Concat);
    /// ```
    #[must_use]
    pub fn key_derivation(mut self, key_derivation: KeyDerivation) -> Self {
        self.key_derivation = key_derivation;
        self
    }
}

/// Signs bytes and checks signatures, as ItsDangerous' `Signer` does.
///
/// The signed form is `value.signature`, with the signature in unpadded base64url. Of the several
/// spellings of one signature that Python's base64 reads, only the one that ItsDangerous writes is
/// accepted.
///
/// ```
/// use carafe::{SecretKey, signing::{Signer, SigningOptions}};
///
/// let key = SecretKey::new("a key, long and random")?;
/// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter"));
/// let signed = signer.sign("user@example.com");
/// assert_eq!(signer.unsign(signed.as_bytes())?, b"user@example.com");
/// assert!(signer.unsign(b"user@example.com.forged").is_err());
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    /// In the order in which they are tried; never empty.
    macs: Vec<KeyedMac>,
    separator: u8,
}

impl Signer {
    /// Creates a signer. It derives the keys once, for every later signature.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter"));
    /// assert!(signer.unsign(signer.sign("ada").as_bytes()).is_ok());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn new(keys: &KeyRing, options: &SigningOptions) -> Self {
        let derive = |key| options.key_derivation.derive(options.digest, key, &options.salt);
        Self { macs: keys.iter().map(derive).collect(), separator: b'.' }
    }

    /// Puts another character between value and signature; Django uses a colon.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter")).with_separator(':')?;
    /// assert!(signer.sign("ada").starts_with("ada:"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if the separator could be part of a signature.
    pub fn with_separator(mut self, separator: char) -> Result<Self, Error> {
        match u8::try_from(separator) {
            Ok(byte)
                if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"-_=".contains(&byte) =>
            {
                self.separator = byte;
                Ok(self)
            }
            _ => Err(Error::setting(
                "separator",
                &separator.to_string(),
                "an ASCII character that is neither a letter nor a digit nor one of - _ =",
            )),
        }
    }

    /// Returns the value, the separator and the signature.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter"));
    /// assert!(signer.sign("ada").starts_with("ada."));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn sign(&self, value: &str) -> String {
        let mut text = String::with_capacity(value.len() + 90);
        text.push_str(value);
        self.append_signature(&mut text, 0);
        text
    }

    /// Signs like [`sign`](Self::sign), for bytes that need not be text.
    ///
    /// ```
    /// use carafe_format::signing::{SecretKey, Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("downloads"));
    /// assert_eq!(signer.unsign(&signer.sign_bytes(b"\xff"))?, b"\xff");
    /// # Ok::<(), carafe_format::Error>(())
    /// ```
    #[must_use]
    pub fn sign_bytes(&self, value: &[u8]) -> Vec<u8> {
        let mut signature = String::with_capacity(90);
        if let Some(mac) = self.macs.first() {
            signature.push(char::from(self.separator));
            base64::encode_url(mac.tag(value).as_bytes(), &mut signature);
        }
        [value, signature.as_bytes()].concat()
    }

    /// Appends the separator and the signature of all that is in `text` from `start` on.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter"));
    /// let mut url = "/unsubscribe?user=ada".to_owned();
    /// let start = url.len() - "ada".len();
    /// signer.append_signature(&mut url, start);
    /// assert_eq!(&url[start..], signer.sign("ada"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn append_signature(&self, text: &mut String, start: usize) {
        if let Some(mac) = self.macs.first() {
            let tag = mac.tag(&text.as_bytes()[start..]);
            text.push(char::from(self.separator));
            base64::encode_url(tag.as_bytes(), text);
        }
    }

    /// Returns the length of separator and signature in bytes.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter"));
    /// assert_eq!(signer.sign("ada").len(), "ada".len() + signer.signature_len());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn signature_len(&self) -> usize {
        self.macs.first().map_or(0, |mac| 1 + base64::encoded_len(mac.tag_len()))
    }

    /// Returns the value of a signed text, if one of the keys signed it.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = Signer::new(&key.into(), &SigningOptions::itsdangerous("newsletter"));
    /// assert_eq!(signer.unsign(signer.sign("ada").as_bytes())?, b"ada");
    /// assert!(signer.unsign(b"ada.forged").is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotSigned`] if there is no separator, [`ErrorKind::BadSignature`] if no key
    /// makes this signature.
    pub fn unsign<'a>(&self, signed: &'a [u8]) -> Result<&'a [u8], Error> {
        self.unsign_with_key(signed).map(|(value, _)| value)
    }

    /// Returns the value of a signed text, and the index in the ring of the key that signed it: 0
    /// is the current key.
    ///
    /// ```
    /// use carafe::signing::{Signer, SigningOptions};
    /// use carafe::{KeyRing, SecretKey};
    ///
    /// let old = SecretKey::new("the old key, long and random")?;
    /// let options = SigningOptions::itsdangerous("newsletter");
    /// let signed = Signer::new(&old.clone().into(), &options).sign("ada");
    /// let keys = KeyRing::new(SecretKey::random()?).with_fallback(old);
    /// let signer = Signer::new(&keys, &options);
    /// assert_eq!(signer.unsign_with_key(signed.as_bytes())?, (&b"ada"[..], 1));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[inline]
    pub fn unsign_with_key<'a>(&self, signed: &'a [u8]) -> Result<(&'a [u8], usize), Error> {
        let (value, signature) = self.split(signed)?;
        // Only the spelling that is written is read, so each signature has exactly one.
        let mut tag = [0; 64];
        let tag = base64::decode_url_strict_into(signature, &mut tag);
        // No early exit within a comparison. The index of the matching key is no secret.
        let by_key = |tag| self.macs.iter().position(|mac| mac.verify(value, tag));
        match tag.and_then(by_key) {
            Some(key) => Ok((value, key)),
            None => Err(Error::new(
                ErrorKind::BadSignature,
                "none of the keys makes this signature: it was made with another key, salt, digest \
                 or derivation, or the value was changed",
            )),
        }
    }

    /// Splits at the last separator.
    pub(crate) fn split<'a>(&self, text: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Error> {
        match memchr::memrchr(self.separator, text) {
            Some(at) => Ok((&text[..at], &text[at + 1..])),
            None => Err(Error::new(ErrorKind::NotSigned, "the value has no signature")),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({} keys)", self.macs.len())
    }
}
