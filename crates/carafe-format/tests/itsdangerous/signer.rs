//! `test_signer.py`, for both signers.

use carafe_format::ErrorKind;
use carafe_format::signing::{Digest, KeyDerivation, Signer, SigningOptions, TimestampSigner};

use super::{SALT, SERIALIZER_SALT, Sign, derivations, ring, signer, timestamp_signer};

fn options() -> SigningOptions {
    SigningOptions::itsdangerous(SALT)
}

#[test]
fn test_signer() {
    let signed = signer(&options()).sign("my string");
    assert_eq!(signed, "my string.wh6tMHxLgJqB6oY1uT73iMlyrOA");
    assert_eq!(signer(&options()).unsign(signed.as_bytes()).unwrap(), b"my string");

    let signed = timestamp_signer().sign("value", super::TS);
    assert_eq!(signed, "value.TgPVoQ.UuTmbd1hhGp7tyOFjT0H9ILwyfg");
    assert_eq!(Sign::unsign(&timestamp_signer(), &signed), Ok(&b"value"[..]));
}

#[test]
fn test_no_separator() {
    let signed = signer(&options()).sign("my string").replacen('.', "*", 1);
    let error = signer(&options()).unsign(signed.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSigned);
    // There is another one left here, but not where it was.
    let signed = Sign::sign(&timestamp_signer(), "my string").replacen('.', "*", 1);
    assert_eq!(Sign::unsign(&timestamp_signer(), &signed), Err(ErrorKind::BadSignature));
    for nothing in ["", ".", "..", "..."] {
        assert!(Sign::unsign(&signer(&options()), nothing).is_err());
        assert!(Sign::unsign(&timestamp_signer(), nothing).is_err());
    }
}

#[test]
fn test_broken_signature() {
    fn test(signer: &impl Sign) {
        let signed = signer.sign("b");
        // Cut at any place, or longer by something.
        for cut in 0..signed.len() {
            assert!(signer.unsign(&signed[..cut]).is_err(), "{cut}");
        }
        for more in ["=", "A", ".", "\n", "\0", " "] {
            assert!(signer.unsign(&format!("{signed}{more}")).is_err(), "{more:?}");
            assert!(signer.unsign(&format!("{more}{signed}")).is_err(), "{more:?}");
        }
        let bad = &signed[..signed.len() - 1];
        assert_eq!(signer.unsign(bad), Err(ErrorKind::BadSignature));
    }
    test(&signer(&options()));
    test(&timestamp_signer());
}

#[test]
fn test_changed_value() {
    fn test(signer: &impl Sign) {
        let signed = signer.sign("my string");
        let changed = signed.replacen("my", "other", 1);
        assert_eq!(signer.unsign(&changed), Err(ErrorKind::BadSignature));
        // Every bit of it counts, those included that ItsDangerous' base64 ignores.
        for at in 0..signed.len() {
            for bit in 0..7 {
                let mut bytes = signed.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let changed = String::from_utf8(bytes).unwrap();
                assert!(signer.unsign(&changed).is_err(), "{changed:?}");
            }
        }
    }
    test(&signer(&options()));
    test(&timestamp_signer());
}

#[test]
fn test_invalid_separator() {
    for separator in ['-', '_', '=', 'a', 'Z', '7'] {
        let error = signer(&options()).with_separator(separator).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Setting);
        assert!(error.to_string().contains("neither a letter nor a digit"), "{error}");
    }
}

/// Not one of ItsDangerous' tests: a separator that is allowed.
#[test]
fn test_separator() {
    let colon = signer(&options()).with_separator(':').unwrap();
    assert_eq!(colon.sign("value"), "value:RI9crmxKpuX1wTw2mg_FHFGXRic");
    assert_eq!(colon.unsign(colon.sign("a:b.c").as_bytes()).unwrap(), b"a:b.c");
    assert!(signer(&options()).unsign(colon.sign("value").as_bytes()).is_err());
}

#[test]
fn test_key_derivation() {
    for (name, derivation) in derivations() {
        assert_eq!(derivation.name(), name);
        let options = options().key_derivation(derivation);
        let signed = signer(&options).sign("value");
        let expected = match derivation {
            KeyDerivation::Concat => "value.BWFI7CwV-UtaizSlDrdXTgFEycw",
            KeyDerivation::DjangoConcat => "value.RI9crmxKpuX1wTw2mg_FHFGXRic",
            KeyDerivation::Hmac => "value.amDFTaW4_4Q4S4WgCg8gPnw99dU",
            KeyDerivation::None => "value.KR0bPVhdBT1d8GpHRrZeO1VF_ew",
        };
        assert_eq!(signed, expected);
        assert_eq!(signer(&options).unsign(signed.as_bytes()).unwrap(), b"value");
        let timed = TimestampSigner::new(&ring(&["secret-key"]), &options);
        assert_eq!(timed.unsign(Sign::sign(&timed, "value").as_bytes(), None, 0).unwrap().key, 0);
        // None of the others takes it for its own.
        for (_, other) in derivations().filter(|(_, other)| *other != derivation) {
            let other = signer(&options.clone().key_derivation(other));
            assert!(other.unsign(signed.as_bytes()).is_err());
        }
    }
}

#[test]
fn test_invalid_key_derivation() {
    let error = "invalid".parse::<KeyDerivation>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    assert!(error.to_string().contains("\"invalid\""), "{error}");
}

/// MD5 is not among them: the set of digests is closed.
#[test]
fn test_digest_method() {
    for (digest, expected) in [
        (Digest::Sha1, "value.RI9crmxKpuX1wTw2mg_FHFGXRic"),
        (Digest::Sha256, "value.ajl-3HWEYMXc5RYUTV4APYjk3dezhO-G1t8ZyKKyjl0"),
        (Digest::Sha384, "value.JisCTnxJkryhw146aqoAid1XknKkK8zIIVvRESk9fbABsah42zIv28icBRmxVx1W"),
        (
            Digest::Sha512,
            "value.UVNOrnC1ZO72X-DimkX4HwKL06_BoWR4x2TctLv-JKLbMrSqeCURl44_jookKFU_T5RqtVkOTY2qWC-R7blYCg",
        ),
    ] {
        let signer = signer(&options().digest(digest));
        assert_eq!(signer.sign("value"), expected);
        assert_eq!(signer.unsign(expected.as_bytes()).unwrap(), b"value");
    }
    let error = "md5".parse::<Digest>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
}

#[test]
fn test_secret_keys() {
    fn test<S: Sign>() {
        let signer = |keys: &[&str]| S::with(&ring(keys), &options());
        let signed = signer(&["a"]).sign("my string");
        assert_eq!(signer(&["a", "b"]).unsign(&signed), Ok(&b"my string"[..]));
        assert_eq!(signer(&["b", "a"]).unsign(&signed), Ok(&b"my string"[..]));
        assert_eq!(signer(&["b", "c"]).unsign(&signed), Err(ErrorKind::BadSignature));
        // The last of the list signs.
        assert_eq!(signer(&["a", "b"]).sign("my string"), signer(&["b"]).sign("my string"));
    }
    test::<Signer>();
    test::<TimestampSigner>();
    let newest = Signer::new(&ring(&["a", "b"]), &options());
    assert_eq!(newest.sign("my string"), "my string.Nkff5zweY65pjFRqPBaUj97_1Lk");
}

/// Not one of ItsDangerous' tests: the index of the key.
#[test]
fn test_secret_keys_are_told_apart() {
    let timed = |keys: &[&str]| TimestampSigner::new(&ring(keys), &options());
    let signed = timed(&["a"]).sign("v", 0);
    let key = |keys: &[&str]| timed(keys).unsign(signed.as_bytes(), None, 0).unwrap().key;
    assert_eq!(key(&["a"]), 0);
    assert_eq!(key(&["a", "b"]), 1);
    assert_eq!(key(&["a", "b", "c"]), 2);
    assert_eq!(key(&["b", "a", "c"]), 1);
}

/// `test_serializer.py`, outside its class: the plain `Serializer` signs JSON as it stands.
#[test]
fn test_digests() {
    let value = |options: SigningOptions| {
        Signer::new(&ring(&["dev key"]), &options.salt("dev salt")).sign("[42]")
    };
    let default = value(SigningOptions::itsdangerous(SERIALIZER_SALT));
    assert_eq!(default, "[42].-9cNi0CxsSB3hZPNCe9a2eEs1ZM");
    assert_eq!(value(options().digest(Digest::Sha1)), default);
    assert_eq!(
        value(options().digest(Digest::Sha512)),
        "[42].MKCz_0nXQqv7wKpfHZcRtJRmpT2T5uvs9YQsJEhJimqxc9bCLxG31QzS5uC8OVBI1i6jyOLAFNoKaF5ckO9L5Q"
    );
}
