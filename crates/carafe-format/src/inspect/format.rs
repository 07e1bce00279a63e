use std::fmt;

use crate::codec::payload;
use crate::signing::{DEFAULT_INFLATE_LIMIT, Digest, decode_timestamp};
use crate::value::json::{Tags, read_value};
use crate::{Error, Uuid, Value, base64};

/// The shortest sealed session: version, key id, nonce, times and tag.
const SEALED_LEN: usize = 1 + 8 + 24 + 16 + 16;
const SEALED_VERSION: u8 = 1;

/// The beginning of 2011, in Unix seconds. ItsDangerous before version 1.1 counted its seconds from
/// there. An earlier time is such a count, since there was no ItsDangerous before.
pub const SINCE_2011: u64 = 1_293_840_000;

/// The kinds of session cookies that are recognised, by their form alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CookieFormat {
    /// Flask's signed session.
    Flask,
    /// Carafe's sealed session.
    Sealed,
    /// The signed id of a session that Carafe keeps in a store.
    StoredId,
    /// The id of a session that Flask-Session keeps in a store, signed or not.
    FlaskSession,
    /// The signed session of Starlette and FastAPI.
    Starlette,
    /// The session that Django keeps in a cookie.
    Django,
    /// A JSON Web Token.
    Jwt,
}

impl CookieFormat {
    /// Returns a short name for scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flask => "flask",
            Self::Sealed => "sealed",
            Self::StoredId => "stored-id",
            Self::FlaskSession => "flask-session",
            Self::Starlette => "starlette",
            Self::Django => "django",
            Self::Jwt => "jwt",
        }
    }
}

impl fmt::Display for CookieFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Flask => "a signed session of Flask",
            Self::Sealed => "a sealed session",
            Self::StoredId => "the id of a stored session",
            Self::FlaskSession => "the id of a session of Flask-Session",
            Self::Starlette => "a signed session of Starlette",
            Self::Django => "a signed session of Django",
            Self::Jwt => "a JSON Web Token",
        })
    }
}

/// The contents of a cookie, unverified: any client can have made it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// The kind of cookie that it looks like.
    pub format: CookieFormat,
    /// Another kind that it could be as well, since the two have the same form.
    pub or: Option<CookieFormat>,
    /// Its JSON, inflated to at most 1 MiB if it was compressed, or the reason why there is none.
    /// `None` for ids and encrypted cookies.
    pub payload: Option<Result<Vec<u8>, Error>>,
    /// The header of a JSON Web Token.
    pub header: Option<Vec<u8>>,
    /// The time of the signature, in Unix seconds.
    pub signed: Option<u64>,
    /// When it was signed if a version of ItsDangerous before 1.1 signed it, which counted from the
    /// beginning of 2011. Only present if the time is too early for a later version.
    pub signed_before_1_1: Option<u64>,
    /// Whether its payload is compressed.
    pub compressed: bool,
    /// The digest of its signature, by the signature's length.
    pub digest: Option<Digest>,
    /// The id of the key that sealed it.
    pub key_id: Option<[u8; 8]>,
}

impl Inspection {
    fn new(format: CookieFormat) -> Self {
        Self {
            format,
            or: None,
            payload: None,
            header: None,
            signed: None,
            signed_before_1_1: None,
            compressed: false,
            digest: None,
            key_id: None,
        }
    }

    /// Returns the payload as a value, read by the rules of this kind of cookie: only Flask's
    /// cookies have tags. Returns `None` if there is no payload.
    ///
    /// # Errors
    /// [`ErrorKind::BadPayload`](crate::ErrorKind::BadPayload) if the payload can't be read.
    pub fn value(&self) -> Option<Result<Value, Error>> {
        let tags = match self.format {
            CookieFormat::Flask => Tags::AsRead,
            _ => Tags::Ignored,
        };
        self.payload.as_ref().map(|payload| match payload {
            Ok(json) => read_value(json, tags),
            Err(error) => Err(error.clone()),
        })
    }
}

impl fmt::Debug for Inspection {
    /// Everything but the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection")
            .field("format", &self.format)
            .field("or", &self.or)
            .field("signed", &self.signed)
            .field("compressed", &self.compressed)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Recognises a cookie by its form and reads its contents. Returns `None` if the form is unknown.
///
/// Nothing is verified: that takes a key, and a
/// [`UrlSafeTimedSerializer`](crate::signing::UrlSafeTimedSerializer).
#[must_use]
pub fn inspect(cookie: &[u8]) -> Option<Inspection> {
    json_web_token(cookie)
        .or_else(|| id(cookie))
        .or_else(|| sealed(cookie))
        .or_else(|| timed(cookie))
        .or_else(|| django(cookie))
}

/// `header.claims.signature`, where the first two are base64url of JSON objects.
fn json_web_token(cookie: &[u8]) -> Option<Inspection> {
    let [header, claims, signature] = split(cookie, b'.')?;
    if !header.starts_with(b"ey") || !claims.starts_with(b"e") || !is_base64url(signature, true) {
        return None;
    }
    let object = |part: &[u8]| {
        let json = base64::decode_url_strict(part)?;
        matches!(read_value(&json, Tags::Ignored), Ok(Value::Dict(_))).then_some(json)
    };
    let header = object(header)?;
    let Ok(Value::Dict(fields)) = read_value(&header, Tags::Ignored) else { return None };
    fields.get("alg")?;
    let claims = object(claims)?;
    Some(Inspection {
        payload: Some(Ok(claims)),
        header: Some(header),
        ..Inspection::new(CookieFormat::Jwt)
    })
}

/// A bare id, or one with its signature.
fn id(cookie: &[u8]) -> Option<Inspection> {
    if let Some([id, signature]) = split(cookie, b'.') {
        let digest = digest_of(signature).filter(|_| is_id(id) && is_base64url(signature, false));
        let format = match digest? {
            Digest::Sha1 => CookieFormat::FlaskSession,
            Digest::Sha256 => CookieFormat::StoredId,
            _ => return None,
        };
        return Some(Inspection { digest, ..Inspection::new(format) });
    }
    // Flask-Session before 0.6 had UUIDs.
    let is_uuid = |text: &str| text.len() == 36 && Uuid::parse_python(text).is_some();
    let is_id = is_id(cookie) || std::str::from_utf8(cookie).is_ok_and(is_uuid);
    is_id.then(|| Inspection::new(CookieFormat::FlaskSession))
}

/// Whether this is the unpadded base64url of an id's 32 bytes.
fn is_id(text: &[u8]) -> bool {
    base64::decode_exact::<32>(text).is_some()
}

fn sealed(cookie: &[u8]) -> Option<Inspection> {
    // The first character holds the first six bits, so a long text need not be decoded whole.
    if cookie.first() != Some(&b'A') {
        return None;
    }
    let bytes = base64::decode_url_strict(cookie)?;
    let key_id = *bytes.get(1..)?.first_chunk()?;
    let is_sealed = bytes.len() >= SEALED_LEN && bytes[0] == SEALED_VERSION;
    is_sealed.then(|| Inspection { key_id: Some(key_id), ..Inspection::new(CookieFormat::Sealed) })
}

/// `payload.time.signature`: Flask's and Starlette's, which differ in their base64.
fn timed(cookie: &[u8]) -> Option<Inspection> {
    let compressed = cookie.starts_with(b".");
    let [body, time, signature] = split(&cookie[usize::from(compressed)..], b'.')?;
    let signed = decode_timestamp(time).filter(|_| is_base64url(time, true))?;
    if body.is_empty() || !is_base64url(signature, false) {
        return None;
    }
    let format = if is_base64url(body, false) {
        CookieFormat::Flask
    } else if !compressed && is_padded_base64(body) {
        CookieFormat::Starlette
    } else {
        return None;
    };
    let whole = &cookie[..usize::from(compressed) + body.len()];
    // Base64 without padding and without the characters in which the two alphabets differ.
    let alike = !compressed && body.len().is_multiple_of(4) && is_padded_base64(body);
    Some(Inspection {
        or: (alike && format == CookieFormat::Flask).then_some(CookieFormat::Starlette),
        payload: Some(payload::decode_unverified(whole, DEFAULT_INFLATE_LIMIT)),
        signed: Some(signed),
        signed_before_1_1: (signed < SINCE_2011).then(|| signed + SINCE_2011),
        compressed,
        digest: digest_of(signature),
        ..Inspection::new(format)
    })
}

/// `payload:time:signature`, the time in base 62.
fn django(cookie: &[u8]) -> Option<Inspection> {
    let compressed = cookie.starts_with(b".");
    let [body, time, signature] = split(&cookie[usize::from(compressed)..], b':')?;
    let signed = base62(time)?;
    let digest = digest_of(signature).filter(|_| is_base64url(signature, false))?;
    if !is_base64url(body, false) {
        return None;
    }
    let whole = &cookie[..usize::from(compressed) + body.len()];
    Some(Inspection {
        payload: Some(payload::decode_unverified(whole, DEFAULT_INFLATE_LIMIT)),
        signed: Some(signed),
        compressed,
        digest: Some(digest),
        ..Inspection::new(CookieFormat::Django)
    })
}

/// The digest whose signatures have this length.
pub(super) fn digest_of(signature: &[u8]) -> Option<Digest> {
    match signature.len() {
        27 => Some(Digest::Sha1),
        43 => Some(Digest::Sha256),
        64 => Some(Digest::Sha384),
        86 => Some(Digest::Sha512),
        _ => None,
    }
}

/// Splits text into exactly `N` parts.
fn split<const N: usize>(text: &[u8], separator: u8) -> Option<[&[u8]; N]> {
    let mut parts = text.split(|&byte| byte == separator);
    let mut out = [&text[..0]; N];
    for part in &mut out {
        *part = parts.next()?;
    }
    parts.next().is_none().then_some(out)
}

fn is_base64url(text: &[u8], or_empty: bool) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (or_empty || !text.is_empty()) && text.iter().all(allowed)
}

fn is_padded_base64(text: &[u8]) -> bool {
    let pads = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len().is_multiple_of(4) && pads <= 2 && text[..text.len() - pads].iter().all(allowed)
}

fn base62(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, &byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::CookieFormat::{self, Django, Flask, FlaskSession, Jwt, Starlette, StoredId};
    use super::*;

    fn format(cookie: &str) -> Option<CookieFormat> {
        inspect(cookie.as_bytes()).map(|seen| seen.format)
    }

    #[test]
    fn recognises_what_others_wrote() {
        let rows = include_str!("../../tests/vectors/flask-extensions.jsonl").lines();
        let mut seen = 0;
        for row in rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()) {
            let (field, expected) = match row["kind"].as_str().unwrap() {
                "starlette" => ("cookie", Starlette),
                "django_signed_cookies" => ("cookie", Django),
                "flask_session_signed_sid" => ("cookie_value", FlaskSession),
                "flask_wtf_csrf" => ("token", Flask),
                _ => continue,
            };
            let cookie = row[field].as_str().unwrap();
            let found = inspect(cookie.as_bytes()).unwrap();
            assert!(found.format == expected || found.or == Some(expected), "{cookie}");
            if expected == Starlette || expected == Django {
                assert_eq!(found.signed, row["timestamp"].as_u64(), "{cookie}");
                assert!(found.value().unwrap().is_ok(), "{cookie}");
            }
            seen += 1;
        }
        assert!(seen > 8, "{seen}");
    }

    #[test]
    fn recognises_every_cookie_of_flask() {
        let rows = include_str!("../../tests/vectors/flask.jsonl").lines();
        for row in rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()) {
            let found = inspect(row["cookie"].as_str().unwrap().as_bytes()).unwrap();
            assert_eq!(found.format, Flask);
            assert_eq!(found.signed, row["timestamp"].as_u64());
            assert_eq!(found.compressed, row["compressed"].as_bool().unwrap());
            assert_eq!(found.digest.unwrap().name(), row["digest"]);
            let json = found.payload.unwrap().unwrap();
            assert_eq!(json, row["tagged_json"].as_str().unwrap().as_bytes());
        }
    }

    #[cfg(feature = "sealed")]
    #[test]
    fn recognises_sealed_sessions() {
        let rows = include_str!("../../tests/vectors/sealed.jsonl").lines();
        for row in rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()) {
            let found = inspect(row["cookie"].as_str().unwrap().as_bytes()).unwrap();
            assert_eq!(found.format, CookieFormat::Sealed);
            let id: String = found.key_id.unwrap().iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(id, row["key_id_hex"]);
            assert!(found.payload.is_none() && found.value().is_none());
        }
        let key = crate::SecretKey::random().unwrap();
        let codec = crate::sealed::SealedCodec::new(&key.into(), "s").unwrap();
        assert_eq!(format(&codec.seal(b"", 0, 0).unwrap()), Some(CookieFormat::Sealed));
    }

    #[test]
    fn forms_are_told_apart() {
        let mut id = String::new();
        base64::encode_url(&[7; 32], &mut id);
        let sha256 = "a".repeat(43);
        assert_eq!(format(&id), Some(FlaskSession));
        assert_eq!(format("12345678-1234-5678-1234-567812345678"), Some(FlaskSession));
        assert_eq!(format(&format!("{id}.{sha256}")), Some(StoredId));
        assert_eq!(format(&format!("{id}.{}", &sha256[..27])), Some(FlaskSession));
        // {"alg":"HS256"}.{"sub":"1"}
        assert_eq!(format("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), Some(Jwt));
        assert_eq!(format("eyJhbGciOiJub25lIn0.e30."), Some(Jwt));
        // A session with such a key has a time in the second place.
        assert_eq!(format("eyJhbGciOiJIUzI1NiJ9.ZVPxAA.c2ln"), Some(Flask));
        for nothing in
            ["", ".", "..", "...", "a", "a.b", "a..", "a.b.c.d", "a b.ZVPxAA.c", "::", "a:b:c"]
        {
            assert_eq!(format(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_payload_that_cannot_be_read_says_why() {
        let why = |cookie: &[u8]| inspect(cookie).unwrap().payload.unwrap().unwrap_err();
        assert_eq!(why(b"eyJhI.ZVPxAA.c2ln").to_string(), "the payload isn't base64");
        assert_eq!(why(b".eyJh.ZVPxAA.c2ln").to_string(), "the payload's zlib stream is broken");
    }
}
