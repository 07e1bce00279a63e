//! ItsDangerous' own tests of its signatures, written anew against Carafe and under the same names.
//! `docs/flask-tests.md` lists them all. What stands in literals was written by ItsDangerous 2.2.0.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod encoding;
mod serializer;
mod signer;
mod timed;

use carafe_format::signing::{
    KeyDerivation, Signer, SigningOptions, TimestampSigner, UrlSafeTimedSerializer,
};
use carafe_format::{ErrorKind, KeyRing, SecretKey};

/// 2011-06-24 00:09:05 UTC
const TS: u64 = 1_308_874_145;

/// ItsDangerous' default salt, of `Signer` and `TimestampSigner`.
const SALT: &str = "itsdangerous.Signer";

/// The salt of ItsDangerous' serializers.
const SERIALIZER_SALT: &str = "itsdangerous";

fn key(key: &str) -> SecretKey {
    SecretKey::new(key).unwrap()
}

/// From the oldest to the newest, as ItsDangerous takes them.
fn ring(keys: &[&str]) -> KeyRing {
    let mut keys = keys.iter().map(|text| key(text));
    let newest = keys.next_back().unwrap();
    KeyRing::from_flask(newest, keys)
}

fn signer(options: &SigningOptions) -> Signer {
    Signer::new(&ring(&["secret-key"]), options)
}

fn timestamp_signer() -> TimestampSigner {
    TimestampSigner::new(&ring(&["secret-key"]), &SigningOptions::itsdangerous(SALT))
}

fn serializer() -> UrlSafeTimedSerializer {
    let options = SigningOptions::itsdangerous(SERIALIZER_SALT);
    UrlSafeTimedSerializer::new(&ring(&["secret-key"]), &options)
}

/// The common interface of both signers: ItsDangerous' tests of one inherit the tests of the other.
trait Sign {
    fn with(keys: &KeyRing, options: &SigningOptions) -> Self;
    fn sign(&self, value: &str) -> String;
    fn unsign<'a>(&self, signed: &'a str) -> Result<&'a [u8], ErrorKind>;
}

impl Sign for Signer {
    fn with(keys: &KeyRing, options: &SigningOptions) -> Self {
        Self::new(keys, options)
    }

    fn sign(&self, value: &str) -> String {
        self.sign(value)
    }

    fn unsign<'a>(&self, signed: &'a str) -> Result<&'a [u8], ErrorKind> {
        self.unsign(signed.as_bytes()).map_err(|error| error.kind())
    }
}

impl Sign for TimestampSigner {
    fn with(keys: &KeyRing, options: &SigningOptions) -> Self {
        Self::new(keys, options)
    }

    fn sign(&self, value: &str) -> String {
        self.sign(value, TS)
    }

    fn unsign<'a>(&self, signed: &'a str) -> Result<&'a [u8], ErrorKind> {
        let unsigned = self.unsign(signed.as_bytes(), None, TS).map_err(|error| error.kind())?;
        assert_eq!(unsigned.timestamp, TS);
        Ok(unsigned.value)
    }
}

/// Every scheme, by ItsDangerous' name of its derivation.
fn derivations() -> impl Iterator<Item = (&'static str, KeyDerivation)> {
    ["concat", "django-concat", "hmac", "none"]
        .into_iter()
        .map(|name| (name, name.parse().unwrap()))
}
