use super::format::digest_of;
use crate::signing::{KeyDerivation, Signer, SigningOptions, published_keys};
use crate::{KeyRing, SecretKey};

/// Salts of session cookies: Flask's, Starlette's, Flask-Session's and those of stored sessions.
const SALTS: [&[u8]; 4] =
    [b"cookie-session", b"itsdangerous.Signer", b"flask-session", b"carafe session id"];

/// Whether a cookie was signed or sealed with a key that everybody knows, so that anybody can make
/// such cookies: see [`KeyStrength::Published`](crate::signing::KeyStrength::Published).
///
/// All digests and derivations are tried, and the salts of Flask, Starlette, Flask-Session and
/// stored sessions. It takes some milliseconds.
///
/// ```
/// use carafe::inspect::is_signed_with_published_key;
///
/// let cookie = b"eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";
/// assert!(is_signed_with_published_key(cookie), "the key is `dev`");
/// ```
#[must_use]
pub fn is_signed_with_published_key(cookie: &[u8]) -> bool {
    let keys: Vec<SecretKey> =
        published_keys().into_iter().filter_map(|key| SecretKey::new(key).ok()).collect();
    let mut keys = keys.into_iter();
    let Some(first) = keys.next() else { return false };
    let ring = keys.fold(KeyRing::new(first), KeyRing::with_fallback);
    is_sealed_with(&ring, cookie) || is_signed_with(&ring, cookie)
}

fn is_signed_with(ring: &KeyRing, cookie: &[u8]) -> bool {
    let signature = cookie.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    let Some(digest) = digest_of(signature) else { return false };
    SALTS.into_iter().any(|salt| {
        KeyDerivation::ALL.into_iter().any(|key_derivation| {
            let options = SigningOptions { salt: salt.to_vec(), digest, key_derivation };
            Signer::new(ring, &options).unsign(cookie).is_ok()
        })
    })
}

#[cfg(feature = "sealed")]
fn is_sealed_with(ring: &KeyRing, cookie: &[u8]) -> bool {
    // The id of a key has nothing to do with the cookie's name.
    crate::sealed::SealedCodec::reader(ring, "").is_ok_and(|codec| codec.has_key_of(cookie))
}

#[cfg(not(feature = "sealed"))]
fn is_sealed_with(_ring: &KeyRing, _cookie: &[u8]) -> bool {
    false
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
