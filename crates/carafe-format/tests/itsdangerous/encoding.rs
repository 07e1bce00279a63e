//! `test_encoding.py`, through what uses the encodings: they aren't public here.

use carafe_format::signing::{Signer, SigningOptions};
use carafe_format::{ErrorKind, KeyRing, SecretKey, Value};

use super::{SALT, SERIALIZER_SALT, TS, serializer, signer, timestamp_signer};

/// Text stands for its UTF-8.
#[test]
fn test_want_bytes() {
    let options = SigningOptions::itsdangerous(SALT);
    let text = SecretKey::new("mañana").unwrap();
    let bytes = SecretKey::new(b"ma\xc3\xb1ana".to_vec()).unwrap();
    for key in [text, bytes] {
        let signed = Signer::new(&KeyRing::new(key), &options).sign("x");
        assert_eq!(signed, "x.B7Kt25jzd4lIXn2cyyM1fJHdAlg");
    }
    let salt_of_bytes = SigningOptions::itsdangerous(SALT.as_bytes());
    assert_eq!(signer(&salt_of_bytes).sign("x"), signer(&options).sign("x"));
}

#[test]
fn test_base64() {
    for (value, payload) in [("無限", "IueEoemZkCI"), ("infinite", "ImluZmluaXRlIg")] {
        // ItsDangerous' own JSON leaves text as it is; the tagged JSON would escape it.
        let options = SigningOptions::itsdangerous(SERIALIZER_SALT);
        let signed = signer(&options).sign(&format!("{payload}.TgPVoQ"));
        let loaded = serializer().loads(signed.as_bytes(), None, TS).unwrap();
        assert_eq!(loaded, Value::from(value));
    }
}

#[test]
fn test_base64_bad() {
    // ItsDangerous' base64 skips what isn't base64, and so does ours where the signature is good.
    for payload in ["12345", ".12345"] {
        let options = SigningOptions::itsdangerous(SERIALIZER_SALT);
        let signed = signer(&options).sign(&format!("{payload}.TgPVoQ"));
        let error = serializer().loads(signed.as_bytes(), None, TS).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadPayload);
    }
}

#[test]
fn test_int_bytes() {
    for (time, signed) in [
        (0, "value..4Po_VIOIeLmyD0b4u-53Wj90ZOI"),
        (192, "value.wA.euNzJPHcNdEKjh4-zBhMHsJVgCE"),
        (u64::MAX, "value.__________8.2zbPcyiDXOaml2-eEQYWo7r2NDc"),
    ] {
        assert_eq!(timestamp_signer().sign("value", time), signed);
        let unsigned = timestamp_signer().unsign(signed.as_bytes(), None, 0).unwrap();
        assert_eq!(unsigned.timestamp, time);
    }
}
