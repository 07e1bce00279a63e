use super::format::digest_of;
use crate::signing::{KeyDerivation, KeyStrength, Signer, SigningOptions, typical_keys};
use crate::{KeyRing, SecretKey};

/// Salts of session cookies, each with the derivation that goes with it: Flask's, Starlette's,
/// Flask-Session's, and the salts that the hardened profiles and stored sessions make of the usual
/// cookie names.
const SALTS: [(&[u8], KeyDerivation); 7] = [
    (b"cookie-session", KeyDerivation::Hmac),
    (b"cookie-session __Host-session", KeyDerivation::Hmac),
    (b"itsdangerous.Signer", KeyDerivation::DjangoConcat),
    (b"flask-session", KeyDerivation::Hmac),
    (b"carafe session id __Host-session", KeyDerivation::Hmac),
    (b"carafe session id session", KeyDerivation::Hmac),
    (b"carafe session id", KeyDerivation::Hmac),
];

/// Returns whether a published key signed or sealed a cookie, so that any attacker can make such
/// cookies: see [`KeyStrength::Published`].
///
/// All digests and derivations are tried, and the salts of Flask, Starlette, Flask-Session and
/// stored sessions. [`WeakKeys`] finds guessable keys as well, and is quicker for many cookies.
///
/// ```
/// use carafe::inspect::is_signed_with_published_key;
///
/// let cookie = b"eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";
/// assert!(is_signed_with_published_key(cookie), "the key is `dev`");
/// ```
#[must_use]
pub fn is_signed_with_published_key(cookie: &[u8]) -> bool {
    WeakKeys { guessable: None, ..WeakKeys::new() }.find(cookie) == Some(KeyStrength::Published)
}

/// Keys that an attacker tries first. They are tried on the signatures of cookies: published keys,
/// placeholders, single words with and without numbers, repetitions and sequences.
///
/// After 20 cookies that none of these keys has signed, only the published keys are tried on
/// further cookies. [`SecretKey::strength`] calls more keys guessable than can be tried here.
/// those than can be tried here.
///
/// ```
/// use carafe::inspect::WeakKeys;
/// use carafe::signing::KeyStrength;
///
/// let mut keys = WeakKeys::new();
/// let cookie = b"eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";
/// assert_eq!(keys.find(cookie), Some(KeyStrength::Published), "the key is `dev`");
/// ```
#[derive(Debug)]
pub struct WeakKeys {
    published: Option<KeyRing>,
    guessable: Option<KeyRing>,
    /// The signers derived so far from the published keys, and from the guessable ones.
    signers: Vec<(SigningOptions, Derived)>,
    /// The number of cookies on which the guessable keys are still tried.
    whole_searches: u32,
}

/// The number of cookies on which the guessable keys are tried. The cookies of one file mostly have one
/// key, and a file of thousands has to be searched quickly.
const WHOLE_SEARCHES: u32 = 20;

#[derive(Debug)]
struct Derived {
    published: Signer,
    /// Guessable keys, for the usual derivation of a salt alone, since there are many of them.
    guessable: Option<Signer>,
}

impl Default for WeakKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl WeakKeys {
    /// Returns all keys that are tried. Nothing is derived from them before the first cookie.
    #[must_use]
    pub fn new() -> Self {
        let (published, guessable) = typical_keys();
        Self {
            published: ring(published),
            guessable: ring(guessable),
            signers: Vec::new(),
            whole_searches: WHOLE_SEARCHES,
        }
    }

    /// Returns the number of keys that are tried.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "there are always some")]
    pub fn len(&self) -> usize {
        [&self.published, &self.guessable].into_iter().flatten().map(KeyRing::len).sum()
    }

    /// Returns the strength of the key that signed or sealed a cookie, if it is one of these keys.
    pub fn find(&mut self, cookie: &[u8]) -> Option<KeyStrength> {
        let rings = [&self.published, &self.guessable];
        if let Some(key) = rings.into_iter().flatten().find_map(|ring| sealed_with(ring, cookie)) {
            return Some(key.strength());
        }
        let found = self.signing(cookie).map(SecretKey::strength);
        self.whole_searches = self.whole_searches.saturating_sub(u32::from(found.is_none()));
        found
    }

    fn signing(&mut self, cookie: &[u8]) -> Option<&SecretKey> {
        let digest = digest_of(cookie.rsplit(|&byte| byte == b'.').next()?)?;
        let has_one_dot = cookie.iter().filter(|byte| **byte == b'.').count() == 1;
        for (salt, usual) in SALTS {
            for key_derivation in KeyDerivation::ALL {
                let options = SigningOptions { salt: salt.to_vec(), digest, key_derivation };
                // The guessable keys are many, so they are tried with the usual derivation of such
                // a cookie alone.
                let is_usual = key_derivation == usual && is_of_id(salt) == has_one_dot;
                self.derive(&options, is_usual);
            }
        }
        let derived = self.signers.iter().filter(|(options, _)| options.digest == digest);
        let found = derived.flat_map(|(_, derived)| {
            let guessable = derived.guessable.as_ref().filter(|_| self.whole_searches > 0);
            let guessable = guessable.map(|signer| (&self.guessable, signer));
            [Some((&self.published, &derived.published)), guessable]
        });
        found.flatten().find_map(|(ring, signer)| {
            let (_, at) = signer.unsign_with_key(cookie).ok()?;
            ring.as_ref()?.iter().nth(at)
        })
    }

    fn derive(&mut self, options: &SigningOptions, is_usual: bool) {
        let known = self.signers.iter().position(|(known, _)| known == options);
        let Some(published) = &self.published else { return };
        let at = known.unwrap_or_else(|| {
            let derived = Derived { published: Signer::new(published, options), guessable: None };
            self.signers.push((options.clone(), derived));
            self.signers.len() - 1
        });
        let guessable = self.guessable.as_ref().filter(|_| is_usual && self.whole_searches > 0);
        let derived = &mut self.signers[at].1;
        if let (None, Some(ring)) = (&derived.guessable, guessable) {
            derived.guessable = Some(Signer::new(ring, options));
        }
    }
}

/// Whether ids are signed with this salt, and not sessions.
fn is_of_id(salt: &[u8]) -> bool {
    salt.starts_with(b"flask-session") || salt.starts_with(b"carafe session id")
}

fn ring(keys: Vec<Vec<u8>>) -> Option<KeyRing> {
    let mut keys = keys.into_iter().filter_map(|key| SecretKey::new(key).ok());
    let first = keys.next()?;
    Some(keys.fold(KeyRing::new(first), KeyRing::with_fallback))
}

#[cfg(feature = "sealed")]
fn sealed_with<'a>(ring: &'a KeyRing, cookie: &[u8]) -> Option<&'a SecretKey> {
    // A sealed cookie has no dot; the id of its key has nothing to do with its name.
    if cookie.contains(&b'.') {
        return None;
    }
    let codec = crate::sealed::SealedCodec::reader(ring, "").ok()?;
    codec.key_of(cookie).and_then(|index| ring.iter().nth(index))
}

#[cfg(not(feature = "sealed"))]
fn sealed_with<'a>(_ring: &'a KeyRing, _cookie: &[u8]) -> Option<&'a SecretKey> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::{Digest, TimestampSigner};

    #[test]
    fn keys_that_people_copy_are_found_in_their_spellings() {
        let spellings: [&[u8]; 12] = [
            b"dev",
            b"CHANGEME",
            b"changeme",
            b"change-me",
            b"your_secret_key",
            b"Any random string",
            b"any random string",
            b"SECRET_KEY",
            b"_5#y2L\"F4Q8z\n\xec]/",
            b"A0Zr98j/3yX R~XHH!jmN]LWX/,?RT",
            b"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
            b"\xfd{H\xe5<\x95\xf9\xe3\x96.5\xd1\x01O<!\xd5\xa2\xa0\x9fR\"\xa1\xa8",
        ];
        let sign = |spelling: &[u8], options: &SigningOptions| {
            let key: KeyRing = SecretKey::new(spelling).unwrap().into();
            TimestampSigner::new(&key, options).sign("e30", 0)
        };
        for spelling in spellings {
            let cookie = sign(spelling, &SigningOptions::default());
            let name = String::from_utf8_lossy(spelling);
            assert!(is_signed_with_published_key(cookie.as_bytes()), "{name}");
        }
        for options in [
            SigningOptions::default().digest(Digest::Sha512),
            SigningOptions::itsdangerous("itsdangerous.Signer"),
            SigningOptions::default().salt("carafe session id").digest(Digest::Sha256),
        ] {
            assert!(is_signed_with_published_key(sign(b"dev", &options).as_bytes()));
        }
    }

    /// A key in a file and the cookie that it signs are judged alike.
    #[test]
    fn guessable_keys_are_found_by_the_cookies_that_they_sign() {
        let mut weak = WeakKeys::new();
        for key in [
            "1111",
            "2580",
            "sunshine",
            "dragon123",
            "supersecretkey123",
            "my_secret_key",
            "0123456789abcdef0123456789abcdef",
            "abcabcabcabcabcabcabcabcabcabcab",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "qwertyuiop",
            "${SECRET_KEY}",
            "<secret>",
            "{{ secret_key }}",
            "your-secret-key-change-in-production",
            "changeme",
        ] {
            let key = SecretKey::new(key).unwrap();
            let strength = key.strength();
            let options = SigningOptions::default();
            let cookie = TimestampSigner::new(&key.into(), &options).sign("e30", 0);
            assert_eq!(weak.find(cookie.as_bytes()), Some(strength));
        }
        let key: KeyRing = SecretKey::new("dragon123").unwrap().into();
        let options = SigningOptions::default().salt("carafe session id").digest(Digest::Sha256);
        let id = Signer::new(&key, &options).sign(&"a".repeat(43));
        assert_eq!(weak.find(id.as_bytes()), Some(KeyStrength::Guessable));
        assert_eq!(weak.signers.len(), 2 * 7 * KeyDerivation::ALL.len(), "derived once");
    }

    #[test]
    fn other_keys_are_not_found() {
        let key: KeyRing = SecretKey::random().unwrap().into();
        let cookie = TimestampSigner::new(&key, &SigningOptions::default()).sign("e30", 0);
        for cookie in [cookie.as_bytes(), b"", b".", b"no cookie"] {
            assert!(!is_signed_with_published_key(cookie));
        }
    }

    #[cfg(feature = "sealed")]
    #[test]
    fn sealed_cookies_name_their_key() {
        let seal = |key: SecretKey| {
            let codec = crate::sealed::SealedCodec::new(&key.into(), "any").unwrap();
            codec.seal(b"{}", 0, 0).unwrap()
        };
        let published = "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf";
        let cookie = seal(SecretKey::new(published).unwrap());
        assert!(is_signed_with_published_key(cookie.as_bytes()));
        let cookie = seal(SecretKey::random().unwrap());
        assert!(!is_signed_with_published_key(cookie.as_bytes()));
    }
}
