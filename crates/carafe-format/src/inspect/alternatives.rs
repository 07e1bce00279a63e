use super::format::digest_of;
use crate::signing::{Digest, KeyDerivation, Signer, SigningOptions, python_literal, readings};
use crate::{KeyRing, SecretKey};

/// Salts in wide use: for sessions of Flask, of the hardened profile and of Starlette, for
/// Flask-WTF's tokens, and ItsDangerous' own.
const SALTS: [&[u8]; 5] = [
    b"cookie-session",
    b"cookie-session __Host-session",
    b"itsdangerous.Signer",
    b"wtf-csrf-token",
    b"itsdangerous",
];

/// A change to a key after which it is the key that signed a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyEdit {
    /// No change.
    None,
    /// Remove the space around the key, line breaks included.
    Trim,
    /// Append a line break to the key.
    AppendNewline,
    /// Remove the quotes around the key.
    Unquote,
    /// Read the key as bytes that Python printed, such as `b'\x13x'`.
    PythonBytes,
    /// Read the key as text that Python printed, such as `'caf\xe9'`.
    PythonText,
    /// Print the key as Python does, with `b`, quotes and backslashes.
    PythonLiteral,
    /// Take the part after the name: the key is a whole line such as `SECRET_KEY=…`.
    Value,
    /// Decode the key from hexadecimal digits.
    DecodeHex,
    /// Decode the key from base64.
    DecodeBase64,
}

impl KeyEdit {
    const ALL: [Self; 10] = [
        Self::None,
        Self::Trim,
        Self::AppendNewline,
        Self::Unquote,
        Self::PythonBytes,
        Self::PythonText,
        Self::PythonLiteral,
        Self::Value,
        Self::DecodeHex,
        Self::DecodeBase64,
    ];

    /// The changed key, or `None` if the change leaves it as it is.
    fn apply(self, key: &SecretKey) -> Option<SecretKey> {
        let bytes = key.expose();
        let edited = match self {
            Self::None => return Some(key.clone()),
            Self::Trim => bytes.trim_ascii().to_vec(),
            Self::AppendNewline => [bytes, b"\n"].concat(),
            Self::Unquote => python_literal::unquoted(bytes)?.to_vec(),
            Self::PythonBytes => python_literal::bytes(inner(bytes))?,
            Self::PythonText => python_literal::text(inner(bytes))?,
            Self::PythonLiteral => python_literal::print(bytes),
            Self::Value => {
                let value = readings::assigned(bytes)?;
                python_literal::unquoted(value).unwrap_or(value).to_vec()
            }
            Self::DecodeHex => readings::hex(bytes.trim_ascii())?,
            Self::DecodeBase64 => readings::base64(bytes.trim_ascii())?,
        };
        // An empty key signs nothing.
        if edited == bytes { None } else { SecretKey::new(edited).ok() }
    }
}

/// The part between the quotes, if there are quotes.
fn inner(literal: &[u8]) -> &[u8] {
    let literal = literal.trim_ascii();
    python_literal::unquoted(literal).unwrap_or(literal)
}

/// The settings under which a signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alternative {
    /// The salt.
    pub salt: Vec<u8>,
    /// The digest.
    pub digest: Digest,
    /// The derivation of the key.
    pub key_derivation: KeyDerivation,
    /// The index in the ring of the key that signed: 0 is the current key.
    pub key: usize,
    /// The change to that key after which it verifies the signature.
    pub key_edit: KeyEdit,
}

/// Finds out why a signature is refused: tries the other digests and derivations, salts that are in
/// wide use, and slips in the key such as a line break at its end.
///
/// ```
/// use carafe::{KeyRing, SecretKey, inspect::Alternatives};
/// use carafe::signing::{Digest, SigningOptions, TimestampSigner};
///
/// let keys: KeyRing = SecretKey::new("a key, long and random")?.into();
/// let sha256 = SigningOptions::default().digest(Digest::Sha256);
/// let cookie = TimestampSigner::new(&keys, &sha256).sign("e30", 1_700_000_000);
///
/// let mut alternatives = Alternatives::new(&keys, &SigningOptions::default());
/// assert_eq!(alternatives.find(cookie.as_bytes()).unwrap().digest, Digest::Sha256);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Debug)]
pub struct Alternatives {
    keys: KeyRing,
    options: SigningOptions,
    /// The settings that are tried, for each digest that a signature has had so far.
    candidates: Vec<(Digest, Vec<Candidate>)>,
}

#[derive(Debug)]
struct Candidate {
    salt: Vec<u8>,
    key_derivation: KeyDerivation,
    key_edit: KeyEdit,
    /// The index in the ring of each of the signer's keys.
    places: Vec<usize>,
    signer: Signer,
    /// Whether these settings verified a signature before.
    found: bool,
}

impl Alternatives {
    /// Returns a search that starts from these keys and settings.
    #[must_use]
    pub fn new(keys: &KeyRing, options: &SigningOptions) -> Self {
        Self { keys: keys.clone(), options: options.clone(), candidates: Vec::new() }
    }

    /// Returns the settings under which a signed text verifies: the nearest ones if there are
    /// several.
    pub fn find(&mut self, signed: &[u8]) -> Option<Alternative> {
        self.search(signed, |_| true)
    }

    /// Searches like [`find`](Self::find), but only among settings that verified a text before. It
    /// is quick enough for a large number of refused texts.
    pub fn find_again(&mut self, signed: &[u8]) -> Option<Alternative> {
        self.search(signed, |candidate| candidate.found)
    }

    fn search(&mut self, signed: &[u8], which: fn(&Candidate) -> bool) -> Option<Alternative> {
        let signature = signed.rsplit(|&byte| byte == b'.').next()?;
        let digest = digest_of(signature)?;
        let candidates = self.candidates(digest);
        for candidate in candidates.iter_mut().filter(|candidate| which(candidate)) {
            if let Ok((_, key)) = candidate.signer.unsign_with_key(signed) {
                candidate.found = true;
                return Some(Alternative {
                    salt: candidate.salt.clone(),
                    digest,
                    key_derivation: candidate.key_derivation,
                    key: candidate.places.get(key).copied().unwrap_or_default(),
                    key_edit: candidate.key_edit,
                });
            }
        }
        None
    }

    fn candidates(&mut self, digest: Digest) -> &mut [Candidate] {
        let known = self.candidates.iter().position(|(of, _)| *of == digest);
        let at = known.unwrap_or_else(|| {
            let candidates = self.derive(digest);
            self.candidates.push((digest, candidates));
            self.candidates.len() - 1
        });
        &mut self.candidates[at].1
    }

    fn derive(&self, digest: Digest) -> Vec<Candidate> {
        let mut candidates = Vec::new();
        for key_edit in KeyEdit::ALL {
            let edited = self.keys.iter().enumerate();
            let (places, keys): (Vec<_>, Vec<_>) =
                edited.filter_map(|(at, key)| Some((at, key_edit.apply(key)?))).unzip();
            let mut keys = keys.into_iter();
            let Some(first) = keys.next() else { continue };
            let ring = keys.fold(KeyRing::new(first), KeyRing::with_fallback);
            for options in self.neighbours(digest) {
                candidates.push(Candidate {
                    signer: Signer::new(&ring, &options),
                    salt: options.salt,
                    key_derivation: options.key_derivation,
                    key_edit,
                    places: places.clone(),
                    found: false,
                });
            }
        }
        candidates
    }

    /// Every salt with every derivation, beginning with the salts that are set.
    fn neighbours(&self, digest: Digest) -> impl Iterator<Item = SigningOptions> {
        let given = &self.options;
        let salts = [given.salt.as_slice()]
            .into_iter()
            .chain(SALTS.into_iter().filter(|salt| *salt != given.salt.as_slice()));
        let derivations = [given.key_derivation].into_iter().chain(
            KeyDerivation::ALL.into_iter().filter(|derivation| *derivation != given.key_derivation),
        );
        salts.flat_map(move |salt| {
            derivations.clone().map(move |key_derivation| SigningOptions {
                salt: salt.to_vec(),
                digest,
                key_derivation,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::TimestampSigner;

    fn key(text: &str) -> SecretKey {
        SecretKey::new(text).unwrap()
    }

    fn find(ring: &KeyRing, signing: &str, options: &SigningOptions) -> Option<Alternative> {
        let signed = TimestampSigner::new(&key(signing).into(), options).sign("e30", 0);
        Alternatives::new(ring, &SigningOptions::default()).find(signed.as_bytes())
    }

    #[test]
    fn finds_every_digest_derivation_and_common_salt() {
        let ring = KeyRing::new(key("new")).with_fallback(key("old"));
        for digest in Digest::ALL {
            for key_derivation in KeyDerivation::ALL {
                for salt in SALTS {
                    let options = SigningOptions::default()
                        .salt(salt)
                        .digest(digest)
                        .key_derivation(key_derivation);
                    let found = find(&ring, "old", &options).unwrap();
                    assert_eq!((found.digest, found.key), (digest, 1));
                    assert_eq!(found.key_derivation, key_derivation);
                    // Without a derivation the salt plays no part.
                    let salted = key_derivation != KeyDerivation::None;
                    assert!(!salted || found.salt == salt);
                    assert_eq!(found.key_edit, KeyEdit::None);
                }
            }
        }
        assert_eq!(find(&ring, "other", &SigningOptions::default()), None);
        assert_eq!(find(&ring, "old", &SigningOptions::default().salt("rare")), None);
    }

    #[test]
    fn finds_slips_in_the_key() {
        let signed_with = |signing: &str, given: &str| {
            let ring = KeyRing::new(key("another")).with_fallback(key(given));
            let found = find(&ring, signing, &SigningOptions::default());
            found.map(|found| (found.key, found.key_edit))
        };
        assert_eq!(signed_with("key", "key"), Some((1, KeyEdit::None)));
        assert_eq!(signed_with("key", " key\r\n"), Some((1, KeyEdit::Trim)));
        assert_eq!(signed_with("key\n", "key"), Some((1, KeyEdit::AppendNewline)));
        assert_eq!(signed_with("key", "\"key\""), Some((1, KeyEdit::Unquote)));
        assert_eq!(signed_with("key", "SECRET_KEY = 'key'"), Some((1, KeyEdit::Value)));
        assert_eq!(signed_with("caf\u{e9}", r"'caf\xe9'"), Some((1, KeyEdit::PythonText)));
        assert_eq!(signed_with("\u{13}x", r"\x13x"), Some((1, KeyEdit::PythonBytes)));
        assert_eq!(signed_with(r"b'\x13x'", "\u{13}x"), Some((1, KeyEdit::PythonLiteral)));
        assert_eq!(signed_with("\u{1}\u{2}key", "01026b6579"), Some((1, KeyEdit::DecodeHex)));
        assert_eq!(signed_with("key", "a2V5"), Some((1, KeyEdit::DecodeBase64)));
        assert_eq!(signed_with("key", "Key"), None);
    }

    /// As Flask's documentation prints a key, and as a shell or a file then has it.
    #[test]
    fn keys_as_python_prints_them_are_read() {
        let signing = SecretKey::new(b"_5#y2L\"F4Q8z\n\xec]/").unwrap();
        let options = SigningOptions::default();
        let signed = TimestampSigner::new(&signing.into(), &options).sign("e30", 0);
        for (given, edit) in [
            (r#"b'_5#y2L"F4Q8z\n\xec]/'"#, KeyEdit::PythonBytes),
            (r#"_5#y2L"F4Q8z\n\xec]/"#, KeyEdit::PythonBytes),
            (r#" '_5#y2L\"F4Q8z\n\xec]/' "#, KeyEdit::PythonBytes),
        ] {
            let mut alternatives = Alternatives::new(&key(given).into(), &options);
            assert_eq!(alternatives.find(signed.as_bytes()).unwrap().key_edit, edit, "{given}");
        }
    }

    #[test]
    fn what_was_found_before_is_found_again() {
        let ring: KeyRing = key("key").into();
        let sign = |salt: &str| {
            let options = SigningOptions::default().salt(salt);
            TimestampSigner::new(&ring, &options).sign("e30", 0).into_bytes()
        };
        let mut alternatives = Alternatives::new(&ring, &SigningOptions::default());
        assert_eq!(alternatives.find_again(&sign("itsdangerous")), None);
        assert!(alternatives.find(&sign("itsdangerous")).is_some());
        assert!(alternatives.find_again(&sign("itsdangerous")).is_some());
        assert_eq!(alternatives.find_again(&sign("wtf-csrf-token")), None);
        assert_eq!(alternatives.find(b"no signature"), None);
    }
}
