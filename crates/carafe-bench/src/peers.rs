//! Crates that do what Carafe does, used as their documentation shows.

use cookie::{Cookie, CookieJar, Key};
use http::header::{COOKIE, HeaderMap};
use itsdangerous::{
    IntoTimestampSigner as _, TimedSerializer, URLSafeEncoding, UnsignedTimedSerializerValue,
};
use serde_json::{Map, Value};

use crate::KEY;

/// A session as peers hand it out.
pub type Session = Map<String, Value>;

/// Signs and verifies with the crate `itsdangerous`.
#[must_use]
pub fn itsdangerous() -> impl TimedSerializer {
    let signer = itsdangerous::default_builder(KEY).with_salt("cookie-session").build();
    itsdangerous::timed_serializer_with_signer(signer.into_timestamp_signer(), URLSafeEncoding)
}

/// Verifies a text of `itsdangerous`, to a map, and reads a key.
#[must_use]
pub fn itsdangerous_read(
    serializer: &impl TimedSerializer,
    text: &str,
    key: &str,
) -> Option<String> {
    let unsigned: UnsignedTimedSerializerValue<Session> = serializer.unsign(text).ok()?;
    let session = unsigned.value();
    session.get(key)?.as_str().map(str::to_owned)
}

/// Verifies a text of `itsdangerous`, to a map.
#[must_use]
pub fn itsdangerous_read_whole(serializer: &impl TimedSerializer, text: &str) -> Option<Session> {
    let unsigned: UnsignedTimedSerializerValue<Session> = serializer.unsign(text).ok()?;
    Some(unsigned.value())
}

/// The key of the crate `cookie`.
#[must_use]
pub fn cookie_key() -> Key {
    Key::from(KEY.repeat(2).as_bytes())
}

/// Reads the headers' cookies into a jar, verifies the session's, to a map, and reads a key.
#[must_use]
pub fn signed_jar_read(key: &Key, headers: &HeaderMap, name: &str) -> Option<String> {
    let mut jar = CookieJar::new();
    for header in headers.get_all(COOKIE) {
        for cookie in Cookie::split_parse(header.to_str().ok()?.to_owned()) {
            jar.add_original(cookie.ok()?);
        }
    }
    let cookie = jar.signed(key).get("session")?;
    let session: Session = serde_json::from_str(cookie.value()).ok()?;
    session.get(name)?.as_str().map(str::to_owned)
}

/// Signs a session and writes the `Set-Cookie` header.
#[must_use]
pub fn signed_jar_write(key: &Key, session: &Session) -> Option<String> {
    let mut jar = CookieJar::new();
    let cookie = Cookie::build(("session", serde_json::to_string(session).ok()?));
    jar.signed_mut(key).add(cookie.path("/").http_only(true));
    Some(jar.delta().next()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ours;
    use crate::payload::Payload;

    #[test]
    fn peers_read_what_they_write() {
        for payload in [Payload::p1(), Payload::p2(), Payload::p3()] {
            let expected = payload.map()[payload.key].as_str().map(str::to_owned);
            let serializer = itsdangerous();
            let text = serializer.sign(&payload.map()).unwrap();
            assert_eq!(itsdangerous_read(&serializer, &text, payload.key), expected);
            let key = cookie_key();
            let header = signed_jar_write(&key, &payload.map()).unwrap();
            let value = header.split(';').next().unwrap().strip_prefix("session=").unwrap();
            assert_eq!(signed_jar_read(&key, &ours::headers(value), payload.key), expected);
        }
    }
}
