//! Cookies that were changed in any bit are refused, in every format.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use carafe_format::sealed::SealedCodec;
use carafe_format::signing::{SigningOptions, UrlSafeTimedSerializer};
use carafe_format::{Dict, ErrorKind, KeyRing, SecretKey, Value};

const NOW: u64 = 1_700_000_000;
const NAME: &str = "__Host-session";

fn ring() -> KeyRing {
    KeyRing::new(SecretKey::random().unwrap()).with_fallback(SecretKey::random().unwrap())
}

/// Sessions of every length from an empty one on.
fn sessions() -> impl Iterator<Item = Value> {
    (0..100).map(|n| Value::from(Dict::from([("k", "v".repeat(n))])))
}

/// Each text that differs from this one by a bit, by a missing end or beginning, or by one byte more
/// at either end.
fn changed(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flips = (0..text.len() * 8).map(|bit| {
        let mut text = text.to_vec();
        text[bit / 8] ^= 1 << (bit % 8);
        text
    });
    let cuts =
        (0..text.len()).flat_map(move |cut| [text[..cut].to_vec(), text[cut + 1..].to_vec()]);
    let longer =
        (0..=u8::MAX).flat_map(move |byte| [[text, &[byte]].concat(), [&[byte], text].concat()]);
    flips.chain(cuts).chain(longer)
}

/// The sealed bytes of a text, changed in one bit and encoded again.
fn changed_inside(text: &[u8]) -> impl Iterator<Item = String> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
    (0..bytes.len() * 8).map(move |bit| {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    })
}

#[test]
fn no_change_to_a_sealed_session_is_accepted() {
    let codec = SealedCodec::new(&ring(), NAME).unwrap();
    for session in sessions() {
        let json = session.to_tagged_json().unwrap();
        let cookie = codec.seal(json.as_bytes(), NOW, NOW).unwrap();
        assert_eq!(codec.open(cookie.as_bytes(), NOW).unwrap().json, json.as_bytes());
        for text in changed(cookie.as_bytes()) {
            let error = codec.open(&text, NOW).unwrap_err();
            let kinds = [ErrorKind::NotSigned, ErrorKind::BadSignature];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
        for text in changed_inside(cookie.as_bytes()) {
            codec.open(text.as_bytes(), NOW).unwrap_err();
        }
    }
}

#[test]
fn no_change_to_a_signed_session_is_accepted() {
    let serializer = UrlSafeTimedSerializer::new(&ring(), &SigningOptions::default());
    for session in sessions() {
        let cookie = serializer.dumps(&session, NOW).unwrap();
        assert_eq!(serializer.loads(cookie.as_bytes(), Some(0), NOW).unwrap(), session);
        for text in changed(cookie.as_bytes()) {
            let error = serializer.loads(&text, Some(0), NOW).unwrap_err();
            let kinds = [ErrorKind::NotSigned, ErrorKind::BadSignature];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
    }
}

#[test]
fn a_signed_session_is_no_sealed_one_and_the_other_way_round() {
    let keys = ring();
    let codec = SealedCodec::new(&keys, NAME).unwrap();
    let serializer = UrlSafeTimedSerializer::new(&keys, &SigningOptions::default());
    for session in sessions() {
        let json = session.to_tagged_json().unwrap();
        let sealed = codec.seal(json.as_bytes(), NOW, NOW).unwrap();
        let signed = serializer.dumps(&session, NOW).unwrap();
        let error = serializer.loads(sealed.as_bytes(), Some(0), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSigned);
        let error = codec.open(signed.as_bytes(), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSigned);
        // Nor a sealed text that was signed, nor the parts of it.
        let nested = serializer.dumps(&Value::from(sealed.as_str()), NOW).unwrap();
        codec.open(nested.as_bytes(), NOW).unwrap_err();
        for part in nested.split('.').chain(signed.split('.')) {
            codec.open(part.as_bytes(), NOW).unwrap_err();
        }
    }
}
