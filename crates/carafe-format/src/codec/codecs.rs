//! The formats of one layer: the one that it writes, and all that it reads.

use super::FlaskCodec;
use super::format::{Format, Kind};
use super::payload::Compression;
#[cfg(feature = "sealed")]
use super::sealed::SealedCodec;
use crate::signing::{CLOCK_SKEW, DEFAULT_INFLATE_LIMIT};
use crate::signing::{Digest, Signer, SigningOptions, TimestampSigner, Unsigned};
use crate::value::json::Payload;
use crate::{Error, ErrorKind, KeyRing};

/// The name of the session's cookie in Flask.
const FLASKS_COOKIE: &str = "session";

/// One format under the keys of one ring.
#[derive(Debug)]
enum Codec {
    Flask(FlaskCodec),
    #[cfg(feature = "sealed")]
    Sealed(SealedCodec),
}

/// The settings that [`Codecs`] are made of: the format that is written, and the formats that are
/// read.
#[derive(Clone, Debug, PartialEq)]
pub struct CodecOptions<'a> {
    /// The name of the cookie, to which sealed sessions are bound.
    pub cookie_name: &'a str,
    /// The format that is written.
    pub written: Format,
    /// The formats that are read besides the one that is written.
    pub accepted: &'a [Format],
    /// The rule by which the payload of a signed session is compressed.
    pub compression: Compression,
    /// The number of bytes that a compressed payload may inflate to.
    pub inflate_limit: usize,
    /// How far ahead the clock of the machine that signed a session may be, in seconds: zero in
    /// Flask, and [`CLOCK_SKEW`] elsewhere.
    pub clock_skew: u64,
}

impl<'a> CodecOptions<'a> {
    /// Returns the options for Flask's signed sessions, in a cookie of this name.
    #[must_use]
    pub fn new(cookie_name: &'a str) -> Self {
        Self {
            cookie_name,
            written: Format::default(),
            accepted: &[],
            compression: Compression::Flask,
            inflate_limit: DEFAULT_INFLATE_LIMIT,
            clock_skew: 0,
        }
    }
}

/// All formats of one cookie, under the keys of one ring.
#[derive(Debug)]
pub struct Codecs {
    written: Codec,
    accepted: Vec<Codec>,
    /// Signs the ids of sessions in a store.
    ids: Signer,
    /// Signs the CSRF secrets of visitors without a session.
    csrf: TimestampSigner,
    /// The signers of ids and CSRF secrets without the name of the cookie, if the layer reads such
    /// cookies.
    unnamed: Option<(Signer, TimestampSigner)>,
}

/// The contents of a cookie that is authentic and not too old.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decoded {
    /// The session's content.
    pub payload: Payload,
    /// Whether a new cookie would have another format or key.
    pub outdated: bool,
    /// The time when the cookie was written, in Unix seconds.
    pub issued: u64,
}

impl Codecs {
    /// Derives the keys of all formats.
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`] if sealed sessions are written and the current key has fewer than 32
    /// bytes, or if they are only read and none of the keys has as many.
    pub fn new(keys: &KeyRing, options: &CodecOptions<'_>) -> Result<Self, Error> {
        let unnamed = Format::unnamed();
        let is_other = |format: &&Format| **format != options.written && **format != unnamed;
        let accepted = options.accepted.iter().filter(is_other);
        let reads_unnamed = options.accepted.contains(&unnamed);
        Ok(Self {
            written: Codec::writer(keys, options)?,
            accepted: accepted
                .map(|format| Codec::reader(keys, format, options))
                .collect::<Result<_, _>>()?,
            ids: Signer::new(keys, &ids().for_cookie(options.cookie_name)),
            csrf: TimestampSigner::new(keys, &csrf().for_cookie(options.cookie_name)),
            unnamed: reads_unnamed
                .then(|| (Signer::new(keys, &ids()), TimestampSigner::new(keys, &csrf()))),
        })
    }

    /// Returns codecs of Flask's format with Flask's own settings and the cookie `session`, and no
    /// other format: this can't fail.
    #[must_use]
    pub fn flask(keys: &KeyRing) -> Self {
        let options = SigningOptions::default();
        let codec = FlaskCodec::new(keys, &options, Compression::Flask, DEFAULT_INFLATE_LIMIT, 0);
        Self {
            written: Codec::Flask(codec),
            accepted: Vec::new(),
            ids: Signer::new(keys, &ids().for_cookie(FLASKS_COOKIE)),
            csrf: TimestampSigner::new(keys, &csrf().for_cookie(FLASKS_COOKIE)),
            unnamed: None,
        }
    }

    /// Returns the content of a cookie, in the first of the formats whose key authenticates it.
    ///
    /// Each format checks its own MAC, before it looks at anything else. `max_age` and `now` are in
    /// seconds.
    ///
    /// # Errors
    /// [`ErrorKind::NotSigned`], [`ErrorKind::BadSignature`], [`ErrorKind::Expired`],
    /// [`ErrorKind::FromTheFuture`] or [`ErrorKind::BadPayload`], whichever says most of the reasons
    /// that the formats give.
    #[inline]
    pub fn decode(&self, cookie: &[u8], max_age: u64, now: u64) -> Result<Decoded, Error> {
        let mut refused = match self.written.decode(cookie, max_age, now) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => error,
        };
        for codec in &self.accepted {
            match refused.kind() {
                ErrorKind::NotSigned | ErrorKind::BadSignature => {}
                // The cookie is authentic and refused for another reason. No other format is tried.
                _ => return Err(refused),
            }
            match codec.decode(cookie, max_age, now) {
                Ok(decoded) => return Ok(Decoded { outdated: true, ..decoded }),
                // A cookie in another form says less about the failure than a wrong signature does.
                Err(error) if error.kind() == ErrorKind::NotSigned => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Returns the signer of the ids of sessions in a store.
    #[must_use]
    pub fn ids(&self) -> &Signer {
        &self.ids
    }

    /// Returns the text of a session's id in its cookie, and whether a new cookie would have
    /// another signature.
    ///
    /// # Errors
    /// [`ErrorKind::NotSigned`] or [`ErrorKind::BadSignature`].
    pub fn unsign_id<'a>(&self, cookie: &'a [u8]) -> Result<(&'a [u8], bool), Error> {
        match (self.ids.unsign_with_key(cookie), &self.unnamed) {
            (Ok((text, key)), _) => Ok((text, key != 0)),
            (Err(_), Some((ids, _))) => Ok((ids.unsign(cookie)?, true)),
            (Err(error), None) => Err(error),
        }
    }

    /// Returns the secret in a CSRF cookie that isn't older than `max_age` seconds. The clock of
    /// the machine that signed it may be ahead by [`CLOCK_SKEW`].
    ///
    /// # Errors
    /// The errors of [`TimestampSigner::unsign`].
    pub fn unsign_csrf<'a>(
        &self,
        cookie: &'a [u8],
        max_age: u64,
        now: u64,
    ) -> Result<Unsigned<'a>, Error> {
        let unsign =
            |csrf: &TimestampSigner| csrf.unsign_with_skew(cookie, max_age, now, CLOCK_SKEW);
        match (unsign(&self.csrf), &self.unnamed) {
            (Err(_), Some((_, csrf))) => unsign(csrf),
            (unsigned, _) => unsigned,
        }
    }

    /// Returns the signer of the CSRF secrets of visitors without a session.
    #[must_use]
    pub fn csrf(&self) -> &TimestampSigner {
        &self.csrf
    }

    /// Returns the length of a session's cookie whose uncompressed JSON has `json_len` bytes.
    #[must_use]
    pub fn encoded_len(&self, json_len: usize) -> usize {
        match &self.written {
            Codec::Flask(flask) => flask.encoded_len(json_len),
            #[cfg(feature = "sealed")]
            Codec::Sealed(_) => SealedCodec::encoded_len(json_len),
        }
    }

    /// Appends the cookie of a session whose tagged JSON is given, accepted for `max_age` seconds.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if sealed sessions are written and the operating system gives no random
    /// bytes.
    #[cfg_attr(
        not(feature = "sealed"),
        expect(unused_variables, reason = "a signed cookie has no time of expiry in it")
    )]
    pub fn encode(
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
fn ids() -> SigningOptions {
    SigningOptions::default().salt("carafe session id").digest(Digest::Sha256)
}

/// CSRF secrets have a salt of their own, too.
fn csrf() -> SigningOptions {
    SigningOptions::default().salt("carafe csrf").digest(Digest::Sha256)
}

fn unnamed_is_read_only() -> Error {
    Error::new(
        ErrorKind::Setting,
        "no session is written in the format Format::unnamed: it is for the cookies of before",
    )
}

impl Codec {
    fn writer(keys: &KeyRing, options: &CodecOptions<'_>) -> Result<Self, Error> {
        match &options.written.0 {
            Kind::Flask(_) | Kind::Signed(_) => Self::reader(keys, &options.written, options),
            #[cfg(feature = "sealed")]
            Kind::Sealed => SealedCodec::new(keys, options.cookie_name).map(Self::Sealed),
            Kind::Unnamed => Err(unnamed_is_read_only()),
        }
    }

    fn reader(keys: &KeyRing, format: &Format, options: &CodecOptions<'_>) -> Result<Self, Error> {
        match &format.0 {
            Kind::Flask(signing) => Ok(Self::flask(keys, signing, options)),
            Kind::Signed(signing) => {
                let signing = signing.clone().for_cookie(options.cookie_name);
                Ok(Self::flask(keys, &signing, options))
            }
            #[cfg(feature = "sealed")]
            Kind::Sealed => SealedCodec::reader(keys, options.cookie_name).map(Self::Sealed),
            Kind::Unnamed => Err(unnamed_is_read_only()),
        }
    }

    fn flask(keys: &KeyRing, signing: &SigningOptions, options: &CodecOptions<'_>) -> Self {
        let (compression, inflate_limit) = (options.compression, options.inflate_limit);
        let skew = options.clock_skew;
        Self::Flask(FlaskCodec::new(keys, signing, compression, inflate_limit, skew))
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
    let payload = Payload::parse(opened.json)?;
    Ok(Decoded { payload, outdated: opened.key_index != 0, issued: opened.issued })
}

#[cfg(all(test, feature = "sealed"))]
mod tests {
    use super::*;

    /// A signature for one cookie is invalid for every other.
    #[test]
    fn ids_and_csrf_secrets_are_bound_to_their_cookie() {
        let key: KeyRing = SecretKey::random().unwrap().into();
        let of = |name| Codecs::new(&key, &CodecOptions::new(name)).unwrap();
        let (customer, staff) = (of("customer"), of("staff"));
        let (id, secret) = (customer.ids().sign("id"), customer.csrf().sign("secret", NOW));
        assert_eq!(customer.unsign_id(id.as_bytes()).unwrap(), (&b"id"[..], false));
        assert!(customer.unsign_csrf(secret.as_bytes(), 60, NOW).is_ok());
        assert!(staff.unsign_id(id.as_bytes()).is_err());
        assert!(staff.unsign_csrf(secret.as_bytes(), 60, NOW).is_err());
        // Ids and secrets without the name of the cookie are accepted.
        let accepted = [Format::unnamed()];
        let options = CodecOptions { accepted: &accepted, ..CodecOptions::new("staff") };
        let accepting = Codecs::new(&key, &options).unwrap();
        let before = Signer::new(&key, &ids()).sign("id");
        assert!(staff.unsign_id(before.as_bytes()).is_err());
        assert_eq!(accepting.unsign_id(before.as_bytes()).unwrap(), (&b"id"[..], true));
        let before = TimestampSigner::new(&key, &csrf()).sign("secret", NOW);
        assert!(staff.unsign_csrf(before.as_bytes(), 60, NOW).is_err());
        assert!(accepting.unsign_csrf(before.as_bytes(), 60, NOW).is_ok());
        assert!(accepting.unsign_id(id.as_bytes()).is_err(), "of another layer");
    }
    use crate::SecretKey;

    const NOW: u64 = 1_700_000_000;

    fn sealed() -> CodecOptions<'static> {
        CodecOptions { written: Format::sealed(), ..CodecOptions::new("__Host-session") }
    }

    fn encode(codecs: &Codecs, json: &[u8], max_age: u64) -> Result<String, Error> {
        let mut cookie = String::from("session=");
        codecs.encode(json, max_age, NOW, &mut cookie)?;
        Ok(cookie.split_off("session=".len()))
    }

    fn kind(codecs: &Codecs, cookie: &str, now: u64) -> Option<ErrorKind> {
        codecs.decode(cookie.as_bytes(), 60, now).err().map(|error| error.kind())
    }

    /// Of several refusals the most specific one is returned: it decides the log line, and whether
    /// an unreadable cookie is removed.
    #[test]
    fn the_refusal_that_says_most_is_told() {
        let [key, other] = [SecretKey::random().unwrap(), SecretKey::random().unwrap()];
        let sealed = sealed();
        let flask_too = [Format::default()];
        let both_formats = CodecOptions { accepted: &flask_too, ..sealed.clone() };
        let only =
            |options: &CodecOptions<'_>, key: &SecretKey| Codecs::new(&key.clone().into(), options);
        let flask = Codecs::flask(&key.clone().into());
        let json = br#"{"a":1}"#;
        let cookie = encode(&flask, json, 60).unwrap();
        let both = only(&both_formats, &key).unwrap();
        assert_eq!(kind(&both, &cookie, NOW + 60), None);
        // The sealed format only says that the cookie isn't sealed.
        assert_eq!(kind(&only(&sealed, &key).unwrap(), &cookie, NOW), Some(ErrorKind::NotSigned));
        assert_eq!(kind(&both, &cookie, NOW + 61), Some(ErrorKind::Expired));
        let foreign = only(&both_formats, &other).unwrap();
        assert_eq!(kind(&foreign, &cookie, NOW), Some(ErrorKind::BadSignature));
        let unreadable = signed_payload(&key, "bm90IGpzb24");
        assert_eq!(kind(&both, &unreadable, NOW), Some(ErrorKind::BadPayload));
        // The other way round: the refusal of the written format stays if the other one is less
        // specific.
        let sealed_too = [Format::sealed()];
        let written = CodecOptions { accepted: &sealed_too, ..CodecOptions::new("session") };
        let written = Codecs::new(&other.into(), &written).unwrap();
        assert_eq!(kind(&written, &cookie, NOW), Some(ErrorKind::BadSignature));
        assert_eq!(kind(&written, "nothing", NOW), Some(ErrorKind::NotSigned));
        // No other format is tried for an authentic cookie.
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
        let codecs = Codecs::new(&key.into(), &sealed()).unwrap();
        let cookie = encode(&codecs, b"{}", 1000).unwrap();
        assert_eq!(kind(&codecs, &cookie, NOW + 60), None);
        assert_eq!(kind(&codecs, &cookie, NOW + 61), Some(ErrorKind::Expired));
    }
}
