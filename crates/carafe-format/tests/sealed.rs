//! Sealed sessions as bytes: the committed vectors, keys, names and times.
#![cfg(feature = "sealed")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;

use carafe_format::sealed::{CLOCK_SKEW, SealedCodec};
use carafe_format::{Error, ErrorKind, KeyRing, SecretKey};
use support::{hex, rows, text};

const NOW: u64 = 1_700_000_000;

fn key() -> SecretKey {
    SecretKey::random().unwrap()
}

fn codec(keys: impl Into<KeyRing>) -> SealedCodec {
    SealedCodec::new(&keys.into(), "session").unwrap()
}

fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn every_vector_of_version_1_opens() {
    for row in rows("sealed.jsonl") {
        let key = SecretKey::new(hex(&row["secret_hex"])).unwrap();
        let name = text(&row["cookie_name"]);
        let codec = SealedCodec::new(&key.into(), name).unwrap();
        let (issued, expires) = (row["issued"].as_u64().unwrap(), row["expires"].as_u64().unwrap());
        let opened = codec.open(text(&row["cookie"]).as_bytes(), expires).unwrap();
        assert_eq!(opened.json, hex(&row["session_hex"]));
        assert_eq!((opened.issued, opened.expires, opened.key_index), (issued, expires, 0));
    }
}

#[test]
fn what_is_sealed_opens() {
    let codec = codec(key());
    for len in [0, 1, 15, 16, 17, 20, 336, 2_600, 100_000] {
        let session = vec![b'x'; len];
        let cookie = codec.seal(&session, NOW, NOW + 10).unwrap();
        assert_eq!(cookie.len(), ((65 + len) * 4).div_ceil(3));
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        assert!(cookie.bytes().all(base64url));
        assert_eq!(codec.open(cookie.as_bytes(), NOW).unwrap().json, session);
    }
}

#[test]
fn one_session_is_never_sealed_alike() {
    let codec = codec(key());
    let nonce = |_| codec.seal(b"{}", NOW, NOW).unwrap()[12..44].to_owned();
    assert_eq!((0..1000).map(nonce).collect::<HashSet<_>>().len(), 1000);
}

#[test]
fn another_cookie_name_is_refused() {
    let keys = KeyRing::new(key());
    let sealed = SealedCodec::new(&keys, "session").unwrap().seal(b"{}", NOW, NOW).unwrap();
    for name in ["Session", "session2", "__Host-session", ""] {
        let other = SealedCodec::new(&keys, name).unwrap();
        assert_eq!(kind(other.open(sealed.as_bytes(), NOW)), Some(ErrorKind::BadSignature));
    }
}

#[test]
fn each_key_of_the_ring_opens_what_it_sealed() {
    let [old, new, foreign] = [key(), key(), key()];
    let ring = codec(KeyRing::new(new.clone()).with_fallback(old.clone()));
    for (sealing, index) in [(new, 0), (old, 1)] {
        let sealed = codec(sealing).seal(b"{}", NOW, NOW).unwrap();
        assert_eq!(ring.open(sealed.as_bytes(), NOW).unwrap().key_index, index);
    }
    let sealed = codec(foreign).seal(b"{}", NOW, NOW).unwrap();
    let error = ring.open(sealed.as_bytes(), NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadSignature);
    assert!(error.to_string().contains("none of the keys has the id"), "{error}");
}

#[test]
fn a_key_that_is_in_the_ring_twice_does_no_harm() {
    let key = key();
    let ring = codec(KeyRing::new(key.clone()).with_fallback(key));
    let sealed = ring.seal(b"{}", NOW, NOW).unwrap();
    assert_eq!(ring.open(sealed.as_bytes(), NOW).unwrap().key_index, 0);
}

#[test]
fn short_keys_seal_nothing() {
    let short = || SecretKey::new("0123456789abcdef0123456789abcde").unwrap();
    let error = SealedCodec::new(&short().into(), "session").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WeakKey);
    assert!(error.to_string().contains("has 31 bytes"), "{error}");
    assert!(error.to_string().contains("carafe keygen"), "{error}");
    let allowed = short().allow_weak_key();
    assert_eq!(kind(SealedCodec::new(&allowed.into(), "session")), Some(ErrorKind::WeakKey));
    // As a fallback it may stay, for the signed sessions of before.
    codec(KeyRing::new(key()).with_fallback(short()));
}

#[test]
fn times_are_kept_to_the_second() {
    let codec = codec(key());
    let sealed = codec.seal(b"{}", NOW, NOW + 10).unwrap();
    let at = |now| kind(codec.open(sealed.as_bytes(), now));
    assert_eq!(at(NOW + 10), None);
    assert_eq!(at(NOW + 11), Some(ErrorKind::Expired));
    assert_eq!(at(NOW - CLOCK_SKEW), None);
    assert_eq!(at(NOW - CLOCK_SKEW - 1), Some(ErrorKind::FromTheFuture));
    assert_eq!(at(0), Some(ErrorKind::FromTheFuture));
    assert_eq!(at(u64::MAX), Some(ErrorKind::Expired));
    let for_ever = codec.seal(b"{}", 0, u64::MAX).unwrap();
    assert_eq!(kind(codec.open(for_ever.as_bytes(), u64::MAX)), None);
}

#[test]
fn other_texts_are_not_sealed_sessions() {
    let codec = codec(key());
    let sealed = codec.seal(b"{}", NOW, NOW).unwrap();
    let padded = format!("{sealed}=");
    let later_version = format!("B{}", &sealed[1..]);
    let (start, end) = sealed.split_at(40);
    let broken_line = format!("{start}\n{end}");
    let texts = [
        "",
        "A",
        "AQ",
        "e30.ZVPxAA.1pJeQjtZo7U6CGxSLhPtlWWPqKw",
        &sealed[..86],
        &padded,
        &later_version,
        &broken_line,
    ];
    for text in texts {
        let result = codec.open(text.as_bytes(), NOW);
        assert_eq!(kind(result), Some(ErrorKind::NotSigned), "{text:?}");
    }
}

#[test]
fn a_text_has_one_spelling() {
    // 67 bytes leave two bits of the last character unused.
    let codec = codec(key());
    let sealed = codec.seal(b"{}", NOW, NOW).unwrap();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=";
    let (rest, _) = sealed.split_at(sealed.len() - 1);
    let accepted = alphabet.iter().filter(|&&last| {
        let text = format!("{rest}{}", char::from(last));
        codec.open(text.as_bytes(), NOW).is_ok()
    });
    assert_eq!(accepted.count(), 1);
}

#[test]
fn debug_shows_neither_keys_nor_content() {
    let codec = codec(key());
    assert_eq!(format!("{codec:?}"), "SealedCodec(1 keys)");
    let sealed = codec.seal(b"secret", NOW, NOW).unwrap();
    let opened = format!("{:?}", codec.open(sealed.as_bytes(), NOW).unwrap());
    assert!(opened.contains("key_index: 0") && !opened.contains("json"), "{opened}");
}
