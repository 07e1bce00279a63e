//! The cipher against the vectors of its specification, <https://c2sp.org/XAES-256-GCM>.

use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};
use xaes_256_gcm::Xaes256Gcm;
use xaes_256_gcm::aead::inout::InOutBuf;
use xaes_256_gcm::aead::{AeadInOut as _, KeyInit as _};

const NONCE: &[u8; 24] = b"ABCDEFGHIJKLMNOPQRSTUVWX";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Ciphertext and tag, after a check that they open again.
fn encrypt(key: &[u8; 32], nonce: &[u8; 24], plaintext: &[u8], associated_data: &[u8]) -> Vec<u8> {
    let cipher = Xaes256Gcm::new(key.into());
    let mut text = plaintext.to_vec();
    let tag = cipher
        .encrypt_inout_detached(nonce.into(), associated_data, InOutBuf::from(&mut text[..]))
        .unwrap();
    let mut opened = text.clone();
    cipher
        .decrypt_inout_detached(
            nonce.into(),
            associated_data,
            InOutBuf::from(&mut opened[..]),
            &tag,
        )
        .unwrap();
    assert_eq!(opened, plaintext);
    text.extend_from_slice(&tag);
    text
}

#[test]
fn single_vectors() {
    assert_eq!(
        hex(&encrypt(&[1; 32], NONCE, b"XAES-256-GCM", b"")),
        "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"
    );
    assert_eq!(
        hex(&encrypt(&[3; 32], NONCE, b"XAES-256-GCM", b"c2sp.org/XAES-256-GCM")),
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"
    );
}

#[test]
fn ten_thousand_accumulated_vectors() {
    let mut random = Shake128::default().finalize_xof();
    let mut hash = Shake128::default();
    for _ in 0..10_000 {
        let (mut key, mut nonce) = ([0; 32], [0; 24]);
        random.read(&mut key);
        random.read(&mut nonce);
        let plaintext = counted(&mut random);
        let associated_data = counted(&mut random);
        hash.update(&encrypt(&key, &nonce, &plaintext, &associated_data));
    }
    let mut accumulated = [0; 32];
    hash.finalize_xof().read(&mut accumulated);
    assert_eq!(
        hex(&accumulated),
        "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"
    );
}

/// A byte, and as many bytes as it says.
fn counted(random: &mut impl XofReader) -> Vec<u8> {
    let mut len = [0];
    random.read(&mut len);
    let mut bytes = vec![0; usize::from(len[0])];
    random.read(&mut bytes);
    bytes
}
