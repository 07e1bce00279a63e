//! Tokens and keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use carafe::id::{SessionId, SessionIdHash};
use carafe::signing::{Digest, KeyDerivation, KeyStrength, SigningOptions, UrlSafeTimedSerializer};
use carafe::store::{MemoryStore, SessionStore as _};
use carafe::value::{Dict, Value};
use carafe::{Clock, ErrorKind, KeyRing, SecretKey, SessionLayer, UnixSeconds};
use sha2::Digest as _;

use crate::support::NOW;
use crate::visitor::{cookie, key, layers, stored, visitor, with_cookie};

#[test]
fn the_mac_is_checked_before_anything_is_parsed() {
    let signer = |key: &SecretKey| {
        carafe::signing::TimestampSigner::new(&key.clone().into(), &SigningOptions::default())
    };
    let serializer = UrlSafeTimedSerializer::new(&key().into(), &SigningOptions::default());
    let other = SecretKey::random().unwrap();
    // No base64, no zlib stream, a bomb, no JSON, JSON that is nested too deeply.
    let bomb = {
        use std::io::Write as _;
        let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(&vec![b'0'; 5_000_000]).unwrap();
        format!(".{}", base64_simd::URL_SAFE_NO_PAD.encode_to_string(out.finish().unwrap()))
    };
    let deep = base64_simd::URL_SAFE_NO_PAD.encode_to_string("[".repeat(100_000));
    for payload in ["a", ".", ".AAAA", &bomb, "e30x", &deep] {
        let unreadable = signer(&key()).sign(payload, NOW);
        let error = serializer.loads(unreadable.as_bytes(), Some(0), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadPayload);
        let forged = signer(&other).sign(payload, NOW);
        let error = serializer.loads(forged.as_bytes(), Some(0), NOW).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadSignature);
        // Nor is its time looked at.
        let error = serializer.loads(forged.as_bytes(), Some(0), NOW + 9).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadSignature);
    }
}

#[test]
fn there_is_no_algorithm_that_does_not_sign() {
    for name in ["none", "None", "NONE", "", "null", "md5", "sha-1", "HS256", "plain"] {
        assert!(name.parse::<Digest>().is_err(), "{name}");
    }
    // ItsDangerous' key derivation of that name takes the secret as it is: it signs all the same.
    let value = Value::from(Dict::from([("user", "ada")]));
    for derivation in KeyDerivation::ALL {
        for digest in Digest::ALL {
            let options = SigningOptions::default().digest(digest).key_derivation(derivation);
            let serializer = UrlSafeTimedSerializer::new(&key().into(), &options);
            let cookie = serializer.dumps(&value, NOW).unwrap();
            serializer.loads(cookie.as_bytes(), None, NOW).unwrap();
            let (signed, signature) = cookie.rsplit_once('.').unwrap();
            let bits = [("sha1", 160), ("sha256", 256), ("sha384", 384), ("sha512", 512)];
            let bits = bits.into_iter().find(|(name, _)| *name == digest.name()).unwrap().1;
            assert_eq!(signature.len(), usize::div_ceil(bits, 6), "the whole of it");
            for forged in [
                signed.to_owned(),
                format!("{signed}."),
                format!("{signed}.{}", "A".repeat(signature.len())),
                signed.split('.').next().unwrap().to_owned(),
                format!("{}..", signed.split('.').next().unwrap()),
            ] {
                let error = serializer.loads(forged.as_bytes(), None, NOW).unwrap_err();
                let kinds = [ErrorKind::BadSignature, ErrorKind::NotSigned];
                assert!(kinds.contains(&error.kind().into()), "{error}");
            }
            // Nor is one algorithm taken for another.
            for other in Digest::ALL.into_iter().filter(|other| *other != digest) {
                let options = options.clone().digest(other);
                let serializer = UrlSafeTimedSerializer::new(&key().into(), &options);
                serializer.loads(cookie.as_bytes(), None, NOW).unwrap_err();
            }
        }
    }
}

#[tokio::test]
async fn no_change_to_the_cookie_of_a_stored_session_is_accepted() {
    let mut client = visitor(stored());
    client.post("/login", "").await;
    let (name, value) = cookie(&client);
    assert_eq!(client.get("/who").await.text, "ada");
    let mut changed: Vec<String> = (0..value.len())
        .flat_map(|at| [value[..at].to_owned(), value[at + 1..].to_owned()])
        .chain(["A", "=", "."].map(|end| format!("{value}{end}")))
        .collect();
    for bit in 0..value.len() * 8 {
        let mut bytes = value.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // Bytes that no header can have, and bytes that end a cookie, aren't sent.
        let text = String::from_utf8(bytes).ok();
        changed.extend(
            text.filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';')),
        );
    }
    for value in changed {
        assert_eq!(with_cookie(&client, &name, &value).get("/who").await.text, "-", "{value}");
    }
    // An id alone, without the signature.
    let id = value.split('.').next().unwrap();
    assert_eq!(with_cookie(&client, &name, id).get("/who").await.text, "-");
}

#[tokio::test]
async fn no_kind_of_session_is_taken_for_another() {
    // All under one name and one key.
    let named = |layer: SessionLayer| {
        layer.configure(|config| config.cookie_name("s").secure(true)).unwrap()
    };
    let layers: Vec<_> = layers().into_iter().map(named).collect();
    for (made, layer) in layers.iter().cloned().enumerate() {
        let mut client = visitor(layer);
        client.post("/login", "").await;
        let (name, value) = cookie(&client);
        for (read, layer) in layers.iter().cloned().enumerate() {
            let mut other = with_cookie(&visitor(layer), &name, &value);
            let expected = if made == read { "ada" } else { "-" };
            assert_eq!(other.get("/who").await.text, expected, "{made} read as {read}");
        }
    }
}

#[tokio::test]
async fn a_store_is_given_the_sha_256_of_an_id() {
    let store = Arc::new(MemoryStore::new());
    let layer = SessionLayer::stored(Arc::clone(&store), key()).unwrap();
    let mut client = visitor(layer.with_clock(Clock::fixed(NOW)));
    let mut ids = BTreeSet::new();
    for path in ["/login", "/login", "/rotate"] {
        client.post(path, "").await;
        let (_, cookie) = cookie(&client);
        let text = cookie.split('.').next().unwrap();
        let id = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap();
        assert_eq!(id.len(), 32);
        let hash = <[u8; 32]>::from(sha2::Sha256::digest(&id));
        let hash = SessionIdHash::from_bytes(hash);
        assert_eq!(SessionId::from_text(text.as_bytes()).unwrap().hash(), hash);
        // The record is under the hash, and holds no part of the id.
        let record = store.load(&hash, UnixSeconds(NOW)).await.unwrap().unwrap().record.to_bytes();
        let holds = |part: &[u8]| record.windows(part.len()).any(|window| window == part);
        assert!(!holds(&id[..8]) && !holds(&text.as_bytes()[..8]));
        assert!(ids.insert(id), "an id came twice");
    }
}

#[test]
fn ids_are_random() {
    let decode = |id: SessionId| base64_simd::URL_SAFE_NO_PAD.decode_to_vec(id.to_text()).unwrap();
    let ids: BTreeSet<_> = (0..4096).map(|_| decode(SessionId::random().unwrap())).collect();
    assert_eq!(ids.len(), 4096);
    // Each of the 256 bits is set in about half of them: within eight standard deviations.
    for bit in 0..256 {
        let set = ids.iter().filter(|id| id[bit / 8] >> (bit % 8) & 1 == 1).count();
        assert!((1792..=2304).contains(&set), "bit {bit} is set in {set}");
    }
}

#[test]
fn an_empty_key_is_refused_everywhere() {
    assert_eq!(SecretKey::new("").unwrap_err().kind(), ErrorKind::MissingSecretKey);
    for text in ["", "\n\n", "# nothing\n"] {
        assert_eq!(KeyRing::from_lines(text).unwrap_err().kind(), ErrorKind::MissingSecretKey);
    }
    assert_eq!(
        SecretKey::from_env("CARAFE_TEST_NO_SUCH_KEY").unwrap_err().kind(),
        ErrorKind::MissingSecretKey
    );
}

#[tokio::test]
async fn a_key_that_left_the_ring_opens_nothing() {
    for layer in layers() {
        let keys = layer.keys();
        let mut client = visitor(layer.with_clock(Clock::fixed(NOW)));
        client.post("/login", "").await;
        keys.replace(KeyRing::new(SecretKey::random().unwrap()).with_fallback(key())).unwrap();
        assert_eq!(client.get("/who").await.text, "ada");
        keys.replace(SecretKey::random().unwrap()).unwrap();
        assert_eq!(client.get("/who").await.text, "-");
    }
}

#[test]
fn every_profile_but_flasks_refuses_a_published_key() {
    // Flask's documentation prints the last three.
    let published: [&[u8]; 6] = [
        b"secret",
        b"changeme",
        b"dev",
        b"any random string",
        b"_5#y2L\"F4Q8z\n\xec]/",
        b"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    ];
    for bytes in published {
        let published = || SecretKey::new(bytes).unwrap();
        assert_eq!(published().strength(), KeyStrength::Published, "{}", bytes.escape_ascii());
        let _ = SessionLayer::flask(published());
        let errors = [
            SessionLayer::signed(published()).unwrap_err(),
            SessionLayer::sealed(published()).unwrap_err(),
            SessionLayer::stored(MemoryStore::new(), published()).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::WeakKey);
            assert!(error.to_string().contains("is published in"), "{error}");
        }
    }
}
