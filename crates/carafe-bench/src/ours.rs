//! Carafe.

use std::sync::Arc;
use std::time::SystemTime;

use carafe::config::Compression;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
use carafe::value::Value;
use carafe::{Config, KeyRing, SecretKey, SessionLayer};
use carafe_format::codec::{CodecOptions, Codecs};
use carafe_format::cookie::Finder;
use http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::KEY;
use crate::payload::Payload;

/// Flask's lifetime of a permanent session, in seconds.
const MAX_AGE: u64 = 31 * 24 * 3600;

/// The other cookies that a browser sends: of an analytics tool and of a consent banner.
pub const OTHER_COOKIES: &str = "_ga=GA1.1.1234567890.1700000000; consent=accepted; theme=dark";

/// A ring of one key and so many older ones.
///
/// # Panics
/// Never: no key is empty.
#[must_use]
pub fn ring(fallbacks: usize) -> KeyRing {
    let key = |text: String| SecretKey::new(text).expect("the key isn't empty");
    let current = KeyRing::new(key(if fallbacks == 0 { KEY.to_owned() } else { KEY.repeat(2) }));
    (1..=fallbacks).fold(current, |ring, n| {
        // The oldest is the one that signs the cookies.
        ring.with_fallback(key(if n == fallbacks { KEY.to_owned() } else { format!("{KEY}{n}") }))
    })
}

/// Signs and verifies as Flask's sessions are.
#[must_use]
pub fn serializer(compression: Compression) -> UrlSafeTimedSerializer {
    UrlSafeTimedSerializer::new(&ring(0), &SigningOptions::default()).compression(compression)
}

/// Flask's layer with so many older keys.
///
/// # Panics
/// Never: the settings are Flask's, but for the compression.
#[must_use]
pub fn layer(fallbacks: usize, compression: Compression) -> SessionLayer {
    let config = Config::flask().compression(compression);
    SessionLayer::new(ring(fallbacks), config).expect("the settings are allowed")
}

/// Now, in Unix seconds.
#[must_use]
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs())
}

/// The session's value.
///
/// # Panics
/// If the payload isn't tagged JSON.
#[must_use]
pub fn value(payload: &Payload) -> Value {
    Value::from_tagged_json(payload.json.as_bytes()).expect("a payload is tagged JSON")
}

/// The session's cookie.
///
/// # Panics
/// If the payload isn't tagged JSON.
#[must_use]
pub fn cookie(payload: &Payload, compression: Compression) -> String {
    serializer(compression).dumps(&value(payload), now()).expect("the value can be written")
}

/// The headers of a request with this cookie among others.
///
/// # Panics
/// If the cookie can't stand in a header.
#[must_use]
pub fn headers(cookie: &str) -> HeaderMap {
    let header = format!("{OTHER_COOKIES}; session={cookie}");
    let header = HeaderValue::try_from(header).expect("cookies are printable ASCII");
    HeaderMap::from_iter([(COOKIE, header)])
}

/// The parts with which the layer opens a request's session.
#[derive(Clone, Debug)]
pub struct Reader {
    finder: Finder,
    codecs: Arc<Codecs>,
}

impl Reader {
    /// A reader of Flask's sessions with so many older keys.
    ///
    /// # Panics
    /// Never: the options are Flask's, but for the compression.
    #[must_use]
    pub fn new(fallbacks: usize, compression: Compression) -> Self {
        let options = CodecOptions { compression, ..CodecOptions::new("session") };
        let codecs = Codecs::new(&ring(fallbacks), &options).expect("the options are allowed");
        Self { finder: Finder::new("session"), codecs: Arc::new(codecs) }
    }

    /// Finds the cookie in the headers, verifies and decodes it, and reads a key.
    #[must_use]
    pub fn read(&self, headers: &HeaderMap, key: &str) -> Option<String> {
        let found = self.finder.find(headers.get_all(COOKIE).iter())?;
        self.decode(&found.value, key)
    }

    /// Verifies and decodes a cookie's value, and reads a key.
    #[must_use]
    pub fn read_value(&self, cookie: &str, key: &str) -> Option<String> {
        self.decode(cookie.as_bytes(), key)
    }

    fn decode(&self, cookie: &[u8], key: &str) -> Option<String> {
        let decoded = self.codecs.decode(cookie, MAX_AGE, now()).ok()?;
        decoded.payload.stored(key.as_bytes())?.deserialize().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_key_reads() {
        let payload = Payload::p2();
        let cookie = cookie(&payload, Compression::Flask);
        let headers = headers(&cookie);
        for fallbacks in [0, 1, 2, 100] {
            let reader = Reader::new(fallbacks, Compression::Flask);
            assert_eq!(reader.read(&headers, payload.key).as_deref(), Some("104217"));
            assert_eq!(reader.read_value(&cookie, payload.key).as_deref(), Some("104217"));
            assert_eq!(ring(fallbacks).len(), fallbacks + 1);
        }
    }
}
