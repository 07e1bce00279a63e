//! The lower limits: the least that each task costs, written by hand.

use std::cell::RefCell;
use std::time::SystemTime;

use base64_simd::URL_SAFE_NO_PAD;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha1::Sha1;

use crate::KEY;

/// HMAC-SHA-1 that starts from a saved state of the key.
#[derive(Clone)]
pub struct SavedMac(Hmac<Sha1>);

impl std::fmt::Debug for SavedMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SavedMac")
    }
}

impl Default for SavedMac {
    fn default() -> Self {
        let keyed = |key: &[u8]| Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes every key");
        let mut derive = keyed(KEY.as_bytes());
        derive.update(b"cookie-session");
        Self(keyed(&derive.finalize().into_bytes()))
    }
}

impl SavedMac {
    /// The MAC of a message.
    #[must_use]
    pub fn tag(&self, message: &[u8]) -> [u8; 20] {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Checks the signature at the end of a cookie, and returns what it signs. Nothing is parsed.
    #[must_use]
    pub fn verify<'a>(&self, cookie: &'a str) -> Option<&'a str> {
        let (message, signature) = cookie.rsplit_once('.')?;
        let mut given = [0; 20];
        let out = base64_simd::Out::from_slice(&mut given);
        let given = URL_SAFE_NO_PAD.decode(signature.as_bytes(), out).ok()?;
        (*given == self.tag(message.as_bytes())).then_some(message)
    }

    /// [`verify`](Self::verify), and decodes the payload.
    #[must_use]
    pub fn verify_and_decode(&self, cookie: &str) -> Option<Vec<u8>> {
        let (payload, _time) = self.verify(cookie)?.rsplit_once('.')?;
        URL_SAFE_NO_PAD.decode_to_vec(payload).ok()
    }

    /// [`verify`](Self::verify), decodes the payload and finds where its top-level keys and values
    /// are, without looking into the values or checking anything.
    #[must_use]
    pub fn verify_and_index(&self, cookie: &str) -> Option<(Vec<u8>, Vec<Span>)> {
        let (payload, _time) = self.verify(cookie)?.rsplit_once('.')?;
        let json = URL_SAFE_NO_PAD.decode_to_vec(payload).ok()?;
        let spans = shallow_index(&json)?;
        Some((json, spans))
    }

    /// The limit for a compressed payload.
    #[must_use]
    pub fn verify_inflate_and_index(&self, cookie: &str) -> Option<(Vec<u8>, Vec<Span>)> {
        let (payload, _time) = self.verify(cookie)?.rsplit_once('.')?;
        let stream = URL_SAFE_NO_PAD.decode_to_vec(payload.strip_prefix('.')?).ok()?;
        let json = inflate(&stream)?;
        let spans = shallow_index(&json)?;
        Some((json, spans))
    }

    /// Serialises, encodes and signs, uncompressed.
    #[must_use]
    pub fn sign(&self, session: &Map<String, Value>) -> Option<String> {
        let json = serde_json::to_vec(session).ok()?;
        let mut cookie = String::with_capacity(json.len() * 4 / 3 + 40);
        URL_SAFE_NO_PAD.encode_append(&json, &mut cookie);
        let now = SystemTime::UNIX_EPOCH.elapsed().ok()?.as_secs() as u32;
        cookie.push('.');
        URL_SAFE_NO_PAD.encode_append(now.to_be_bytes(), &mut cookie);
        let tag = self.tag(cookie.as_bytes());
        cookie.push('.');
        URL_SAFE_NO_PAD.encode_append(tag, &mut cookie);
        Some(cookie)
    }
}

/// The place of a key and its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The key without its quotes.
    pub key: (u32, u32),
    /// The value as it is written.
    pub value: (u32, u32),
}

/// Finds the top-level keys and values of a JSON object. What is no JSON is found or not.
#[must_use]
pub fn shallow_index(json: &[u8]) -> Option<Vec<Span>> {
    let mut spans = Vec::with_capacity(8);
    let mut at = 1;
    while json.get(at)? == &b'"' {
        let key_end = string_end(json, at + 1)?;
        let start = key_end + 2;
        let end = value_end(json, start)?;
        spans
            .push(Span { key: (at as u32 + 1, key_end as u32), value: (start as u32, end as u32) });
        if json.get(end)? == &b'}' {
            break;
        }
        at = end + 1;
    }
    Some(spans)
}

/// Returns the place of the quote that ends the string.
fn string_end(json: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', json.get(at..)?)?;
        if json[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Returns the place of the comma or brace that follows the value.
fn value_end(json: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0;
    loop {
        match *json.get(at)? {
            b'"' => at = string_end(json, at + 1)?,
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// One call of zlib-rs at the level whose output is nearest to Flask's, with a reused state.
#[must_use]
pub fn deflate(json: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static STATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(9), true));
    }
    STATE.with_borrow_mut(|state| {
        state.reset();
        let mut out = Vec::with_capacity(json.len() + 64);
        state.compress_vec(json, &mut out, FlushCompress::Finish).ok()?;
        Some(out)
    })
}

/// One call of zlib-rs with a reused state.
#[must_use]
pub fn inflate(stream: &[u8]) -> Option<Vec<u8>> {
    thread_local! {
        static STATE: RefCell<Decompress> = RefCell::new(Decompress::new(true));
    }
    STATE.with_borrow_mut(|state| {
        state.reset(true);
        let mut out = Vec::with_capacity(stream.len() * 4);
        state.decompress_vec(stream, &mut out, FlushDecompress::Finish).ok()?;
        Some(out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ours;
    use crate::payload::Payload;

    #[test]
    fn the_index_finds_keys_and_values() {
        let json = br#"{"a":"x,}\"","b":[{"c":[1,"]"]},2],"d":null}"#;
        let found: Vec<(&[u8], &[u8])> = shallow_index(json)
            .unwrap()
            .iter()
            .map(|span| {
                let part = |(from, to): (u32, u32)| &json[from as usize..to as usize];
                (part(span.key), part(span.value))
            })
            .collect();
        let expected: [(&[u8], &[u8]); 3] =
            [(b"a", br#""x,}\"""#), (b"b", br#"[{"c":[1,"]"]},2]"#), (b"d", b"null")];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_limits_do_what_carafe_does() {
        for payload in [Payload::p1(), Payload::p2(), Payload::p3()] {
            let mac = SavedMac::default();
            let cookie = ours::cookie(&payload, carafe::config::Compression::Never);
            assert_eq!(mac.verify_and_decode(&cookie).unwrap(), payload.json.as_bytes());
            assert_eq!(mac.verify_and_index(&cookie).unwrap().0, payload.json.as_bytes());
            assert!(mac.verify(&cookie.replace('a', "b")).is_none());
            let signed = mac.sign(&payload.map()).unwrap();
            let (json, spans) = mac.verify_and_index(&signed).unwrap();
            assert_eq!(json.len(), payload.json.len());
            assert_eq!(spans.len(), payload.map().len());
        }
    }
}
