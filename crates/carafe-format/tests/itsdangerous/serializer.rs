//! `test_serializer.py`, `test_url_safe.py` and the serializer's part of `test_timed.py`, for
//! `UrlSafeTimedSerializer`, the one that Flask uses.

use carafe_format::signing::{Digest, KeyDerivation, SigningOptions, UrlSafeTimedSerializer};
use carafe_format::{Compression, Dict, Error, ErrorKind, Value};

use super::{SERIALIZER_SALT, TS, ring, serializer, signer};

fn values() -> [Value; 8] {
    [
        Value::Null,
        Value::from(true),
        Value::from("str"),
        Value::from("text"),
        Value::from(vec![1, 2, 3]),
        Value::from(Dict::from([("id", 42)])),
        Value::from("a".repeat(1000)),
        Value::from("無限"),
    ]
}

fn load(signed: &str) -> Result<Value, Error> {
    serializer().loads(signed.as_bytes(), Some(10), TS)
}

fn other(options: &SigningOptions) -> UrlSafeTimedSerializer {
    UrlSafeTimedSerializer::new(&ring(&["secret-key"]), options)
}

fn options() -> SigningOptions {
    SigningOptions::itsdangerous(SERIALIZER_SALT)
}

#[test]
fn test_serializer() {
    for value in values() {
        assert_eq!(load(&serializer().dumps(&value, TS).unwrap()).unwrap(), value);
    }
    for (value, signed) in [
        (Value::Null, "bnVsbA.TgPVoQ.WbTGKWF3NOy-wrkCGftlu9B7RyA"),
        (Value::from(true), "dHJ1ZQ.TgPVoQ.rUULCraa64X_vGrBa4NExYb15w0"),
        (Value::from("str"), "InN0ciI.TgPVoQ.feTYhzC2dk-tfhrnNYfFrYJpRR0"),
        (Value::from(vec![1, 2, 3]), "WzEsMiwzXQ.TgPVoQ.Yuc0PCJrf4BqKozZRFD2MXEwB3I"),
        (Dict::from([("id", 42)]).into(), "eyJpZCI6NDJ9.TgPVoQ.OrMFcbcNb1bOevFzF4w643CiYnI"),
    ] {
        assert_eq!(serializer().dumps(&value, TS).unwrap(), signed);
    }
}

/// `test_url_safe.py`'s value `"a" * 1000`, as ItsDangerous compressed it.
#[test]
fn test_zlib() {
    let signed = ".eJxTShwFo2AUDHugBAD6Fns8.TgPVoQ.fRXLPUYVblkvmE1sUMSzMUJ1o1Q";
    let value = Value::from("a".repeat(1000));
    assert_eq!(load(signed).unwrap(), value);
    let plain = serializer().compression(Compression::Never).dumps(&value, TS).unwrap();
    assert!(plain.len() > 1000);
    assert_eq!(load(&plain).unwrap(), value);
    // The size of the inflated text has a limit: the text and its two quotes.
    let limited = |bytes| serializer().inflate_limit(bytes).loads(signed.as_bytes(), None, TS);
    assert_eq!(limited(1002).unwrap(), value);
    assert_eq!(limited(1001).unwrap_err().kind(), ErrorKind::BadPayload);
}

#[test]
fn test_changed_value() {
    for value in values() {
        let signed = serializer().dumps(&value, TS).unwrap();
        for changed in [
            signed.to_uppercase(),
            format!("{signed}a"),
            format!("a{}", &signed[1..]),
            signed.replace('.', ""),
        ] {
            let kind = load(&changed).unwrap_err().kind();
            assert!(matches!(kind, ErrorKind::BadSignature | ErrorKind::NotSigned), "{kind:?}");
        }
    }
}

#[test]
fn test_bad_signature_exception() {
    let signed = serializer().dumps(&Value::from(Dict::from([("id", 42)])), TS).unwrap();
    let error = load(&signed[..signed.len() - 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadSignature);
    // Unlike ItsDangerous' error, it contains no unsigned payload.
    assert!(!format!("{error:?}{error}").contains("eyJpZCI6NDJ9"));
}

#[test]
fn test_bad_payload_exception() {
    for payload in [
        "",                       // no JSON
        "eyJpZCI6ND",             // {"id":4
        ".",                      // no zlib
        ".eJxTShwFo2AU",          // half of one
        "eyIgZGkiOjF9",           // {" di":1}
        "eyIgdSI6Im5vIFVVSUQifQ", // {" u":"no UUID"}
    ] {
        let signed = signer(&options()).sign(&format!("{payload}.TgPVoQ"));
        assert_eq!(load(&signed).unwrap_err().kind(), ErrorKind::BadPayload, "{payload}");
    }
}

#[test]
fn test_alt_salt() {
    let value = Value::from(Dict::from([("id", 42)]));
    let with_salt = other(&options().salt("other"));
    let signed = with_salt.dumps(&value, TS).unwrap();
    assert_eq!(signed, "eyJpZCI6NDJ9.TgPVoQ.M_bdqGYcph4oOpkLs7vEAwexi_I");
    assert_eq!(load(&signed).unwrap_err().kind(), ErrorKind::BadSignature);
    assert_eq!(with_salt.loads(signed.as_bytes(), None, TS).unwrap(), value);
}

#[test]
fn test_signer_kwargs() {
    let value = Value::from("value");
    let other = other(&options().key_derivation(KeyDerivation::Hmac));
    let signed = other.dumps(&value, TS).unwrap();
    assert_eq!(other.loads(signed.as_bytes(), None, TS).unwrap(), value);
    assert_ne!(signed, serializer().dumps(&value, TS).unwrap());
}

/// A serializer has one set of options; what was signed with others takes another serializer.
#[test]
fn test_fallback_signers() {
    let value = Value::from(Dict::from([("id", 42)]));
    let before = other(&options().digest(Digest::Sha256));
    let signed = before.dumps(&value, TS).unwrap();
    let loaded = serializer()
        .loads(signed.as_bytes(), None, TS)
        .or_else(|_| before.loads(signed.as_bytes(), None, TS));
    assert_eq!(loaded.unwrap(), value);
}

/// `test_timed.py`
#[test]
fn test_max_age() {
    for value in values() {
        let signed = serializer().dumps(&value, TS).unwrap();
        let loads = |now| serializer().loads(signed.as_bytes(), Some(10), now);
        assert_eq!(loads(TS + 1).unwrap(), value);
        assert_eq!(loads(TS + 10).unwrap(), value);
        assert_eq!(loads(TS + 11).unwrap_err().kind(), ErrorKind::Expired);
        assert_eq!(loads(TS - 1).unwrap_err().kind(), ErrorKind::FromTheFuture);
    }
}
