use std::sync::LazyLock;

use base64_simd::URL_SAFE_NO_PAD;
use carafe::sealed::SealedCodec;
use carafe::{ErrorKind, SecretKey};

use super::visit::NOW;

static CODECS: LazyLock<[SealedCodec; 2]> = LazyLock::new(|| {
    let key = SecretKey::new([7; 32]).expect("not empty");
    ["__Host-session", "__Host-other"]
        .map(|name| SealedCodec::new(&key.clone().into(), name).expect("long enough"))
});

/// Sealed cookies. The first byte says what the others are: a whole cookie, the bytes of one, or the
/// content of one that is sealed here.
pub fn sealed_codec(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    match kind % 3 {
        0 => forged(data),
        1 => forged(URL_SAFE_NO_PAD.encode_to_string(data).as_bytes()),
        _ => content(data),
    }
}

/// A cookie can't be made without the key.
fn forged(text: &[u8]) {
    let [codec, _] = &*CODECS;
    if let Ok(opened) = codec.open(text, NOW) {
        // From the corpus, which was sealed with the key.
        assert!(opened.issued <= NOW + carafe::sealed::CLOCK_SKEW && opened.expires >= NOW);
    }
}

/// A sealed session is opened by its own name, for its own time, and unchanged.
fn content(data: &[u8]) {
    let [codec, other] = &*CODECS;
    let cookie = codec.seal(data, NOW, NOW + 10).expect("random bytes");
    let opened = codec.open(cookie.as_bytes(), NOW + 10).expect("it was sealed");
    assert_eq!((opened.json.as_slice(), opened.issued, opened.expires), (data, NOW, NOW + 10));
    assert!(
        URL_SAFE_NO_PAD.decode_to_vec(&cookie).is_ok_and(|bytes| bytes.len() == data.len() + 65)
    );

    let kind = |result: Result<_, carafe::format::Error>| {
        result.map(|_: carafe::sealed::Opened| ()).unwrap_err().kind()
    };
    assert_eq!(kind(codec.open(cookie.as_bytes(), NOW + 11)), ErrorKind::Expired);
    assert_eq!(kind(codec.open(cookie.as_bytes(), NOW - 61)), ErrorKind::FromTheFuture);
    kind(other.open(cookie.as_bytes(), NOW));
    let at = data.iter().fold(0, |sum, &byte| (sum * 31 + usize::from(byte)) % (cookie.len() * 8));
    let mut changed = cookie.into_bytes();
    changed[at / 8] ^= 1 << (at % 8);
    kind(codec.open(&changed, NOW));
    changed.truncate(at / 8);
    kind(codec.open(&changed, NOW));
}
