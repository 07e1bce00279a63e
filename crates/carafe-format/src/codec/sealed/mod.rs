//! Sealed sessions: encrypted, so that only the service reads them, and authenticated.
//!
//! The cipher is XAES-256-GCM, and `docs/sealed-format.md` gives the format to the byte.
//! [`SealedCodec`] works on bytes and takes the time as an argument; the `SessionLayer` of the
//! crate `carafe` uses it for whole requests.

mod key;
mod nonce;
#[cfg(test)]
mod xaes;

use std::fmt;

use xaes_256_gcm::aead::AeadInOut as _;
use xaes_256_gcm::aead::inout::InOutBuf;

use self::key::SealingKey;
pub use crate::signing::CLOCK_SKEW;
use crate::{Error, ErrorKind, KeyRing, SecretKey, base64};

/// The first byte of every sealed session of this version.
const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 8;
/// Version and key id, which are authenticated and not encrypted.
const HEADER_LEN: usize = 1 + KEY_ID_LEN;
const NONCE_LEN: usize = 24;
/// The times of issue and expiry, at the beginning of the plaintext.
const TIMES_LEN: usize = 16;
const TAG_LEN: usize = 16;
const MIN_LEN: usize = HEADER_LEN + NONCE_LEN + TIMES_LEN + TAG_LEN;

/// The shortest secret key that seals, in bytes.
pub const MIN_KEY_LEN: usize = 32;

/// Seals and opens the sessions of one cookie name.
///
/// The first key of the ring seals; each opens what it sealed. The ring's keys are derived once.
///
/// ```
/// use carafe::{ErrorKind, KeyRing, SecretKey, sealed::SealedCodec};
///
/// let keys = KeyRing::new(SecretKey::random()?);
/// let codec = SealedCodec::new(&keys, "__Host-session")?;
/// let now = 1_700_000_000;
/// let cookie = codec.seal(br#"{"user":"ada"}"#, now, now + 3600)?;
/// let opened = codec.open(cookie.as_bytes(), now + 60)?;
/// assert_eq!(opened.json, br#"{"user":"ada"}"#);
///
/// let late = codec.open(cookie.as_bytes(), now + 3601).unwrap_err();
/// assert_eq!(late.kind(), ErrorKind::Expired);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone)]
pub struct SealedCodec {
    /// In the ring's order; never empty.
    keys: Vec<SealingKey>,
}

/// The contents of a sealed session.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The session's content, as it was sealed.
    pub json: Vec<u8>,
    /// The time when it was sealed, in Unix seconds.
    pub issued: u64,
    /// The last second in which it is accepted, in Unix seconds.
    pub expires: u64,
    /// The index in the ring of the key that opened it: 0 is the current key.
    pub key_index: usize,
}

impl SealedCodec {
    /// Derives the keys for the sessions in a cookie of this name.
    ///
    /// Fallbacks of fewer than 32 bytes can't have sealed anything and are passed over, so that a
    /// ring may still hold the shorter key of signed sessions.
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`] if the current key has fewer than 32 bytes.
    pub fn new(keys: &KeyRing, cookie_name: &str) -> Result<Self, Error> {
        match keys.iter().next() {
            Some(current) if current.expose().len() >= MIN_KEY_LEN => {
                Self::reader(keys, cookie_name)
            }
            current => Err(too_short(current)),
        }
    }

    /// Derives the keys of a codec that only opens sessions: the current key may be shorter, if
    /// another key of the ring is long enough.
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`] if none of the keys has 32 bytes.
    pub fn reader(keys: &KeyRing, cookie_name: &str) -> Result<Self, Error> {
        let mut sealing: Vec<SealingKey> = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            if key.expose().len() < MIN_KEY_LEN {
                continue;
            }
            let key = SealingKey::derive(index, key, cookie_name)?;
            // A key that is in the ring twice: an id stands for one key.
            if sealing.iter().all(|earlier| earlier.id != key.id) {
                sealing.push(key);
            }
        }
        if sealing.is_empty() {
            return Err(too_short(keys.iter().next()));
        }
        Ok(Self { keys: sealing })
    }

    /// Seals a session's JSON under the ring's current key. Both times are Unix seconds; the
    /// session is accepted up to and including the second `expires`.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if the operating system gives no random bytes for a nonce.
    pub fn seal(&self, json: &[u8], issued: u64, expires: u64) -> Result<String, Error> {
        let mut text = String::with_capacity(Self::encoded_len(json.len()));
        self.seal_into(json, issued, expires, &mut text)?;
        Ok(text)
    }

    /// Seals like [`seal`](Self::seal), and appends the text to `out`.
    pub(crate) fn seal_into(
        &self,
        json: &[u8],
        issued: u64,
        expires: u64,
        out: &mut String,
    ) -> Result<(), Error> {
        self.seal_with_nonce(json, issued, expires, &nonce::fresh()?, out)
    }

    /// The length of the sealed form of `json_len` bytes of JSON.
    pub(crate) fn encoded_len(json_len: usize) -> usize {
        base64::encoded_len(MIN_LEN + json_len)
    }

    /// A nonce must never be used twice.
    fn seal_with_nonce(
        &self,
        json: &[u8],
        issued: u64,
        expires: u64,
        nonce: &[u8; NONCE_LEN],
        out: &mut String,
    ) -> Result<(), Error> {
        let cannot = || Error::new(ErrorKind::Value, "the session can't be sealed");
        let key = self.keys.first().ok_or_else(cannot)?;
        let mut bytes = Vec::with_capacity(MIN_LEN + json.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&key.id);
        bytes.extend_from_slice(nonce);
        bytes.extend_from_slice(&issued.to_be_bytes());
        bytes.extend_from_slice(&expires.to_be_bytes());
        bytes.extend_from_slice(json);
        let plaintext = InOutBuf::from(&mut bytes[HEADER_LEN + NONCE_LEN..]);
        let tag = key
            .cipher
            .encrypt_inout_detached(nonce.into(), &key.associated_data, plaintext)
            .map_err(|_| cannot())?;
        bytes.extend_from_slice(&tag);
        base64::encode_url(&bytes, out);
        Ok(())
    }

    /// The place in the ring of the key that a sealed session names, which says nothing of its
    /// authenticity.
    pub(crate) fn key_of(&self, cookie: &[u8]) -> Option<usize> {
        let bytes = base64::decode_url_strict(cookie)?;
        let id = bytes.get(1..HEADER_LEN).filter(|_| bytes[0] == VERSION)?;
        self.keys.iter().find(|key| key.id == id).map(|key| key.index)
    }

    /// Opens a sealed session, and returns its content.
    ///
    /// Nothing in it is looked at before it is authenticated, except which key it names.
    ///
    /// # Errors
    /// [`ErrorKind::NotSigned`] if the text has not the form of a sealed session,
    /// [`ErrorKind::BadSignature`] if none of the keys sealed it for this cookie name or it was
    /// changed, and [`ErrorKind::Expired`] and [`ErrorKind::FromTheFuture`] by its times.
    pub fn open(&self, cookie: &[u8], now: u64) -> Result<Opened, Error> {
        let opened = self.open_at_any_time(cookie)?;
        check_times(opened.issued, opened.expires, now)?;
        Ok(opened)
    }

    /// Opens a sealed session like [`open`](Self::open), but ignores its times, so that a tool can
    /// look into an expired session. A server must not accept such a session.
    ///
    /// # Errors
    /// [`ErrorKind::NotSigned`] and [`ErrorKind::BadSignature`] as for [`open`](Self::open).
    pub fn open_at_any_time(&self, cookie: &[u8]) -> Result<Opened, Error> {
        let mut bytes = base64::decode_url_strict(cookie)
            .filter(|bytes| bytes.len() >= MIN_LEN && bytes[0] == VERSION)
            .ok_or_else(|| Error::new(ErrorKind::NotSigned, "this is not a sealed session"))?;
        let ciphertext_end = bytes.len() - TAG_LEN;
        let (sealed, tag) = bytes.split_at_mut(ciphertext_end);
        let (header, sealed) = sealed.split_at_mut(HEADER_LEN);
        let (nonce, ciphertext) = sealed.split_at_mut(NONCE_LEN);
        let key = self.keys.iter().find(|key| key.id == header[1..]).ok_or_else(|| {
            Error::new(
                ErrorKind::BadSignature,
                "none of the keys has the id that the sealed session names: it was sealed with a \
                 key that is no longer in the ring, or elsewhere",
            )
        })?;
        let refused = || {
            Error::new(
                ErrorKind::BadSignature,
                "the sealed session is not authentic: it was changed, or sealed for another cookie",
            )
        };
        let nonce = (&*nonce).try_into().map_err(|_| refused())?;
        let tag = (&*tag).try_into().map_err(|_| refused())?;
        key.cipher
            .decrypt_inout_detached(
                nonce,
                &key.associated_data,
                InOutBuf::from(&mut *ciphertext),
                tag,
            )
            .map_err(|_| refused())?;
        let issued = big_endian(&ciphertext[..8]);
        let expires = big_endian(&ciphertext[8..TIMES_LEN]);
        bytes.truncate(ciphertext_end);
        bytes.drain(..HEADER_LEN + NONCE_LEN + TIMES_LEN);
        Ok(Opened { json: bytes, issued, expires, key_index: key.index })
    }
}

fn check_times(issued: u64, expires: u64, now: u64) -> Result<(), Error> {
    if now > expires {
        return Err(Error::new(
            ErrorKind::Expired,
            format!("the sealed session expired {} s ago", now - expires),
        ));
    }
    if issued > now.saturating_add(CLOCK_SKEW) {
        return Err(Error::new(
            ErrorKind::FromTheFuture,
            format!(
                "the sealed session is from the future, by {} s: is a clock wrong?",
                issued - now
            ),
        ));
    }
    Ok(())
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

fn too_short(key: Option<&SecretKey>) -> Error {
    let len = key.map_or(0, |key| key.expose().len());
    Error::new(
        ErrorKind::WeakKey,
        format!(
            "the secret key has {len} bytes, and sealed sessions need {MIN_KEY_LEN} or more: make \
             one with `carafe keygen` or `openssl rand -hex 32`"
        ),
    )
}

impl fmt::Debug for SealedCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedCodec({} keys)", self.keys.len())
    }
}

impl fmt::Debug for Opened {
    /// Everything but the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("issued", &self.issued)
            .field("expires", &self.expires)
            .field("key_index", &self.key_index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(value: &serde_json::Value) -> Vec<u8> {
        let digits = value.as_str().unwrap();
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(byte).collect()
    }

    /// Under the nonces of the vectors, which another implementation made.
    #[test]
    fn sealing_gives_the_bytes_of_the_vectors() {
        let rows = include_str!("../../../tests/vectors/sealed.jsonl").lines();
        for row in rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap()) {
            let key = SecretKey::new(unhex(&row["secret_hex"])).unwrap();
            let name = row["cookie_name"].as_str().unwrap();
            let codec = SealedCodec::new(&key.into(), name).unwrap();
            assert_eq!(codec.keys[0].id[..], unhex(&row["key_id_hex"]));
            let mut sealed = String::new();
            let done = codec.seal_with_nonce(
                &unhex(&row["session_hex"]),
                row["issued"].as_u64().unwrap(),
                row["expires"].as_u64().unwrap(),
                unhex(&row["nonce_hex"]).as_slice().try_into().unwrap(),
                &mut sealed,
            );
            done.unwrap();
            assert_eq!(sealed, row["cookie"].as_str().unwrap());
        }
    }
}
