use std::io::Read as _;
use std::sync::LazyLock;

use base64_simd::URL_SAFE_NO_PAD;
use carafe::ErrorKind;
use carafe::signing::{SigningOptions, TimestampSigner, UrlSafeTimedSerializer};
use carafe::value::Value;

use super::visit::{NOW, ring, signed};

/// The limit on the size of an inflated payload.
const LIMIT: usize = 1 << 16;

static SERIALIZER: LazyLock<UrlSafeTimedSerializer> = LazyLock::new(|| {
    UrlSafeTimedSerializer::new(&ring(), &SigningOptions::default()).inflate_limit(LIMIT)
});

static SIGNER: LazyLock<TimestampSigner> =
    LazyLock::new(|| TimestampSigner::new(&ring(), &SigningOptions::default()));

/// Signed cookies. The first byte says what the others are: a whole cookie, the payload of one that
/// is signed here, the zlib stream in such a payload, or a value.
pub fn flask_codec(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 4 {
        0 => cookie(data),
        1 => payload(data),
        2 => stream(data),
        _ => value(data),
    }
}

/// An accepted cookie is, to the byte, the cookie that would be signed here.
fn cookie(text: &[u8]) {
    if let Ok(unsigned) = SIGNER.unsign(text, None, NOW) {
        let value = std::str::from_utf8(unsigned.value);
        // Leading zeros of the time are accepted, as in Flask.
        let written = value.map(|value| SIGNER.sign(value, unsigned.timestamp));
        let time_len = |text: &[u8]| text.split(|&byte| byte == b'.').nth_back(1).map(<[u8]>::len);
        if let Ok(written) = written
            && time_len(text) == time_len(written.as_bytes())
        {
            assert_eq!(written.as_bytes(), text, "another spelling of the same cookie");
        }
    }
    if let Ok(value) = SERIALIZER.loads(text, Some(u64::MAX), NOW) {
        again(&value);
    }
}

fn payload(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match SERIALIZER.loads(signed(text).as_bytes(), Some(0), NOW) {
        Ok(value) => again(&value),
        Err(error) => assert_eq!(error.kind(), ErrorKind::BadPayload),
    }
}

/// As another reader of zlib inflates it, and not beyond the limit.
fn stream(data: &[u8]) {
    let cookie = signed(&format!(".{}", URL_SAFE_NO_PAD.encode_to_string(data)));
    let value = SERIALIZER.loads(cookie.as_bytes(), Some(0), NOW);
    let mut inflated = Vec::new();
    let limit = LIMIT as u64 + 1;
    let expected = match flate2::read::ZlibDecoder::new(data).take(limit).read_to_end(&mut inflated)
    {
        Ok(_) if inflated.len() <= LIMIT => Value::from_tagged_json(&inflated).ok(),
        _ => None,
    };
    assert_eq!(value.ok().as_ref().map(json), expected.as_ref().map(json));
}

/// A value comes back, and no changed cookie is accepted.
fn value(data: &[u8]) {
    let original = match std::str::from_utf8(data) {
        Ok(text) => Value::from(text),
        Err(_) => Value::bytes(data),
    };
    let cookie = SERIALIZER.dumps(&original, NOW).expect("it is not nested");
    match SERIALIZER.loads(cookie.as_bytes(), Some(0), NOW) {
        Ok(value) => assert_eq!(value, original),
        // The payload inflates to more than is allowed.
        Err(error) => assert!(error.kind() == ErrorKind::BadPayload && data.len() > LIMIT / 6),
    }
    let at = data.iter().fold(0, |sum, &byte| (sum * 31 + usize::from(byte)) % (cookie.len() * 8));
    let mut changed = cookie.into_bytes();
    changed[at / 8] ^= 1 << (at % 8);
    SERIALIZER.loads(&changed, Some(0), NOW).expect_err("a bit was changed");
    changed.truncate(at / 8);
    SERIALIZER.loads(&changed, Some(0), NOW).expect_err("the end was cut off");
}

fn again(value: &Value) {
    // A value that is nested deeper than Flask reads isn't written.
    let Ok(cookie) = SERIALIZER.dumps(value, NOW) else { return };
    if let Ok(read) = SERIALIZER.loads(cookie.as_bytes(), Some(0), NOW) {
        assert_eq!(json(&read), json(value));
    }
}

/// The JSON of a value, since NaN is never equal to itself.
fn json(value: &Value) -> Option<String> {
    value.to_tagged_json().ok()
}
