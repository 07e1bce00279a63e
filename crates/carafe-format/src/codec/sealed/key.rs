use hkdf::Hkdf;
use sha2::Sha256;
use xaes_256_gcm::Xaes256Gcm;
use xaes_256_gcm::aead::KeyInit as _;
use zeroize::Zeroizing;

use super::{HEADER_LEN, KEY_ID_LEN, VERSION};
use crate::{Error, ErrorKind, SecretKey};

/// HKDF's `info`, a label for each use of a secret key.
const KEY_LABEL: &[u8] = b"carafe sealed session v1";
const KEY_ID_LABEL: &[u8] = b"carafe sealed session v1 key id";
/// The purpose of a sealed text, so that one kind is never taken for another.
const PURPOSE: &[u8] = b"session";

/// All that comes from one secret key for one cookie name.
///
/// The cipher wipes its keys when it is dropped.
#[derive(Clone)]
pub(super) struct SealingKey {
    /// The key's place in the ring.
    pub(super) index: usize,
    pub(super) id: [u8; KEY_ID_LEN],
    pub(super) cipher: Xaes256Gcm,
    /// The associated data is the same for every message of a key, since only the key id changes in
    /// it.
    pub(super) associated_data: Vec<u8>,
}

impl SealingKey {
    /// Derives key and id, each under a label of its own, so that the id says nothing of the key.
    pub(super) fn derive(
        index: usize,
        secret: &SecretKey,
        cookie_name: &str,
    ) -> Result<Self, Error> {
        let hkdf = Hkdf::<Sha256>::new(None, secret.expose());
        let mut key = Zeroizing::new([0; 32]);
        let mut id = [0; KEY_ID_LEN];
        let too_long = |_| Error::new(ErrorKind::Setting, "HKDF gives no key of this length");
        hkdf.expand(KEY_LABEL, &mut *key).map_err(too_long)?;
        hkdf.expand(KEY_ID_LABEL, &mut id).map_err(too_long)?;
        let mut header = [VERSION; HEADER_LEN];
        header[1..].copy_from_slice(&id);
        Ok(Self {
            index,
            id,
            cipher: Xaes256Gcm::new((&*key).into()),
            associated_data: associated_data(&[&header, PURPOSE, cookie_name.as_bytes()]),
        })
    }
}

/// Each field after its length, so that no two lists of fields give the same bytes.
fn associated_data(fields: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        out.extend_from_slice(&(field.len() as u64).to_be_bytes());
        out.extend_from_slice(field);
    }
    out
}
