//! The formats of one layer: the one that it writes, and all that it reads.

use super::FlaskCodec;
use super::format::{Format, Kind};
#[cfg(feature = "sealed")]
use super::sealed::SealedCodec;
use crate::signing::{Digest, Signer, SigningOptions, TimestampSigner};
use crate::value::json::Payload;
use crate::{Config, Error, ErrorKind, KeyRing};

/// One format under the keys of one ring.
#[derive(Debug)]
enum Codec {
    Flask(FlaskCodec),
    #[cfg(feature = "sealed")]
    Sealed(SealedCodec),
}

/// All formats of a layer under the keys of one ring.
#[derive(Debug)]
pub(crate) struct Codecs {
    written: Codec,
    accepted: Vec<Codec>,
    /// Signs the ids of sessions in a store.
    ids: Signer,
    /// Signs the CSRF secrets of visitors without a session.
    csrf: TimestampSigner,
}

/// What a cookie holds that is authentic and not too old.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) payload: Payload,
    /// Whether a new cookie would have another format or key.
    pub(crate) outdated: bool,
}

impl Codecs {
    pub(crate) fn new(keys: &KeyRing, config: &Config) -> Result<Self, Error> {
        let written = config.format();
        let accepted = config.accepted.iter().filter(|format| **format != written);
        Ok(Self {
            written: Codec::writer(keys, &written, config)?,
            accepted: accepted
                .map(|format| Codec::reader(keys, format, config))
                .collect::<Result<_, _>>()?,
            ids: id_signer(keys),
            csrf: csrf_signer(keys),
        })
    }

    /// Flask's format as the settings have it, and no other: this can't fail.
    pub(crate) fn flask(keys: &KeyRing, config: &Config) -> Self {
        Self {
            written: Codec::flask(keys, &config.signing, config),
            accepted: Vec::new(),
            ids: id_signer(keys),
            csrf: csrf_signer(keys),
        }
    }

    /// The content of a cookie, in the first of the formats whose key authenticates it.
    ///
    /// Each format checks its own MAC, before it looks at anything else.
    #[inline]
    pub(crate) fn decode(&self, cookie: &[u8], max_age: u64, now: u64) -> Result<Decoded, Error> {
        let mut refused = match self.written.decode(cookie, max_age, now) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => error,
        };
        for codec in &self.accepted {
            match refused.kind() {
                ErrorKind::NotSigned | ErrorKind::BadSignature => {}
                // It is authentic, and refused for another reason: that is the last word.
                _ => return Err(refused),
            }
            match codec.decode(cookie, max_age, now) {
                Ok(decoded) => return Ok(Decoded { outdated: true, ..decoded }),
                // Of another form than this format's, which says less than a wrong signature does.
                Err(error) if error.kind() == ErrorKind::NotSigned => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// What signs the ids of sessions in a store.
    pub(crate) fn ids(&self) -> &Signer {
        &self.ids
    }

    /// What signs the CSRF secrets of visitors without a session.
    pub(crate) fn csrf(&self) -> &TimestampSigner {
        &self.csrf
    }

    /// How long the cookie of so many bytes of JSON is, where it isn't compressed.
    pub(crate) fn encoded_len(&self, json_len: usize) -> usize {
        match &self.written {
            Codec::Flask(flask) => flask.encoded_len(json_len),
            #[cfg(feature = "sealed")]
            Codec::Sealed(_) => SealedCodec::encoded_len(json_len),
        }
    }

    /// Appends the cookie of a session whose tagged JSON is given, accepted for `max_age` seconds.
    #[cfg_attr(
        not(feature = "sealed"),
        expect(unused_variables, reason = "a signed cookie has no time of expiry in it")
    )]
    pub(crate) fn encode(
        &self,
        json: &[u8],
        max_age: u64,
        now: u64,
        out: &mut String,
    ) -> Result<(), Error> {
        match &self.written {
            Codec::Flask(flask) => flask.encode(json, now, out),
            #[cfg(feature = "sealed")]
            Codec::Sealed(sealed) => {
                sealed.seal_into(json, now, now.saturating_add(max_age), out)?;
            }
        }
        Ok(())
    }
}

/// Ids have a salt of their own, so that nothing else that the keys sign is taken for one.
fn id_signer(keys: &KeyRing) -> Signer {
    let options = SigningOptions::default().salt("carafe session id").digest(Digest::Sha256);
    Signer::new(keys, &options)
}

/// So have CSRF secrets.
fn csrf_signer(keys: &KeyRing) -> TimestampSigner {
    let options = SigningOptions::default().salt("carafe csrf").digest(Digest::Sha256);
    TimestampSigner::new(keys, &options)
}

impl Codec {
    fn writer(keys: &KeyRing, format: &Format, config: &Config) -> Result<Self, Error> {
        match &format.0 {
            Kind::Flask(_) => Self::reader(keys, format, config),
            #[cfg(feature = "sealed")]
            Kind::Sealed => SealedCodec::new(keys, &config.cookie_name).map(Self::Sealed),
        }
    }

    fn reader(keys: &KeyRing, format: &Format, config: &Config) -> Result<Self, Error> {
        match &format.0 {
            Kind::Flask(options) => Ok(Self::flask(keys, options, config)),
            #[cfg(feature = "sealed")]
            Kind::Sealed => SealedCodec::reader(keys, &config.cookie_name).map(Self::Sealed),
        }
    }

    fn flask(keys: &KeyRing, options: &SigningOptions, config: &Config) -> Self {
        let Config { compression, inflate_limit, clock_skew, .. } = *config;
        Self::Flask(FlaskCodec::new(keys, options, compression, inflate_limit, clock_skew))
    }

    /// The content, which is outdated if an older key of the ring authenticates it.
    #[inline]
    fn decode(&self, cookie: &[u8], max_age: u64, now: u64) -> Result<Decoded, Error> {
        match self {
            Self::Flask(flask) => flask.decode(cookie, max_age, now),
            #[cfg(feature = "sealed")]
            Self::Sealed(sealed) => unseal(sealed, cookie, max_age, now),
        }
    }
}

#[cfg(feature = "sealed")]
fn unseal(sealed: &SealedCodec, cookie: &[u8], max_age: u64, now: u64) -> Result<Decoded, Error> {
    let opened = sealed.open(cookie, now)?;
    // The lifetime may have been shortened since it was sealed.
    let age = now.saturating_sub(opened.issued);
    if age > max_age {
        return Err(Error::new(
            ErrorKind::Expired,
            format!("the sealed session is {age} s old, and {max_age} s are allowed"),
        ));
    }
    Ok(Decoded { payload: Payload::parse(opened.json)?, outdated: opened.key_index != 0 })
}

#[cfg(all(test, feature = "sealed"))]
mod tests {
    use super::*;
    use crate::SecretKey;

    const NOW: u64 = 1_700_000_000;

    fn encode(codecs: &Codecs, json: &[u8], max_age: u64) -> Result<String, Error> {
        let mut cookie = String::from("session=");
        codecs.encode(json, max_age, NOW, &mut cookie)?;
        Ok(cookie.split_off("session=".len()))
    }

    fn kind(codecs: &Codecs, cookie: &str, now: u64) -> Option<ErrorKind> {
        codecs.decode(cookie.as_bytes(), 60, now).err().map(|error| error.kind())
    }

    /// Of several refusals the one is told that says most: it decides what the log says, and whether
    /// a cookie that nobody can read is removed.
    #[test]
    fn the_refusal_that_says_most_is_told() {
        let [key, other] = [SecretKey::random().unwrap(), SecretKey::random().unwrap()];
        let sealed = Config::sealed();
        let both_formats = Config::sealed().accept(Format::default());
        let only = |config: &Config, key: &SecretKey| Codecs::new(&key.clone().into(), config);
        let flask = Codecs::flask(&key.clone().into(), &Config::flask());
        let json = br#"{"a":1}"#;
        let cookie = encode(&flask, json, 60).unwrap();
        let both = only(&both_formats, &key).unwrap();
        assert_eq!(kind(&both, &cookie, NOW + 60), None);
        // The sealed format says no more than that it isn't one.
        assert_eq!(kind(&only(&sealed, &key).unwrap(), &cookie, NOW), Some(ErrorKind::NotSigned));
        assert_eq!(kind(&both, &cookie, NOW + 61), Some(ErrorKind::Expired));
        let foreign = only(&both_formats, &other).unwrap();
        assert_eq!(kind(&foreign, &cookie, NOW), Some(ErrorKind::BadSignature));
        let unreadable = signed_payload(&key, "bm90IGpzb24");
        assert_eq!(kind(&both, &unreadable, NOW), Some(ErrorKind::BadPayload));
        // The other way round: what the written format says stays, if the other one says less.
        let written = Config::flask().accept(Format::sealed());
        let written = Codecs::new(&other.into(), &written).unwrap();
        assert_eq!(kind(&written, &cookie, NOW), Some(ErrorKind::BadSignature));
        assert_eq!(kind(&written, "nothing", NOW), Some(ErrorKind::NotSigned));
        // What is authentic isn't tried any further.
        let sealed_cookie = encode(&both, json, 60).unwrap();
        assert_eq!(kind(&both, &sealed_cookie, NOW + 61), Some(ErrorKind::Expired));
    }

    /// A payload that Flask's format signs without looking at it.
    fn signed_payload(key: &SecretKey, payload: &str) -> String {
        TimestampSigner::new(&key.clone().into(), &SigningOptions::default()).sign(payload, NOW)
    }

    /// The lifetime may have been shortened since a session was sealed.
    #[test]
    fn a_shorter_lifetime_counts_for_sealed_sessions() {
        let key = SecretKey::random().unwrap();
        let codecs = Codecs::new(&key.into(), &Config::sealed()).unwrap();
        let cookie = encode(&codecs, b"{}", 1000).unwrap();
        assert_eq!(kind(&codecs, &cookie, NOW + 60), None);
        assert_eq!(kind(&codecs, &cookie, NOW + 61), Some(ErrorKind::Expired));
    }
}
