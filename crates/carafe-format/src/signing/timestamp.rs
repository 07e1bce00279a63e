use std::fmt;

use super::{KeyRing, Signer, SigningOptions};
use crate::{Error, ErrorKind, base64};

/// The last second of the year 9999, where Python's `datetime` ends.
const MAX_TIMESTAMP: u64 = 253_402_300_799;

/// How far the clocks of a service's machines may differ, in seconds, so that what one of them signed
/// or sealed is accepted by the others at once.
///
/// It holds for sealed sessions, for CSRF cookies, and for signed sessions in every profile but
/// Flask's: Flask refuses a signature from the future by any second, and there Carafe does so, too.
pub const CLOCK_SKEW: u64 = 60;

/// A value whose signature was good.
///
/// Its `Debug` form shows only the size of the value.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsigned<'a> {
    /// The bytes that were signed.
    pub value: &'a [u8],
    /// The time of the signature, in Unix seconds.
    pub timestamp: u64,
    /// The index in the ring of the key that signed it: 0 is the current key.
    pub key: usize,
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, timestamp, key } = self;
        write!(f, "Unsigned({} bytes, timestamp {timestamp}, key {key})", value.len())
    }
}

/// Signs bytes together with the time, as ItsDangerous' `TimestampSigner` does.
///
/// The signed form is `value.time.signature`; the time is the base64url of the big-endian Unix
/// seconds without leading zero bytes. Times are given by the caller, in Unix seconds.
///
/// ```
/// use carafe::{SecretKey, signing::{SigningOptions, TimestampSigner}};
///
/// let key = SecretKey::new("a key, long and random")?;
/// let signer = TimestampSigner::new(&key.into(), &SigningOptions::itsdangerous("reset-password"));
/// let token = signer.sign("42", 1_700_000_000);
/// assert_eq!(signer.unsign(token.as_bytes(), Some(3600), 1_700_003_600)?.value, b"42");
/// assert!(signer.unsign(token.as_bytes(), Some(3600), 1_700_003_601).is_err());
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TimestampSigner {
    signer: Signer,
}

impl TimestampSigner {
    /// Creates a signer. It derives the keys once, for every later signature.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, TimestampSigner};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = TimestampSigner::new(&key.into(), &SigningOptions::itsdangerous("reset"));
    /// assert!(signer.unsign(b"forged", None, 1_700_000_000).is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn new(keys: &KeyRing, options: &SigningOptions) -> Self {
        Self { signer: Signer::new(keys, options) }
    }

    /// Returns the value, the time and the signature of both.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, TimestampSigner};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = TimestampSigner::new(&key.into(), &SigningOptions::itsdangerous("reset"));
    /// let token = signer.sign("42", 1_700_000_000);
    /// assert!(token.starts_with("42."));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn sign(&self, value: &str, now: u64) -> String {
        let mut text = String::with_capacity(value.len() + 99);
        text.push_str(value);
        self.append_signature(&mut text, 0, now);
        text
    }

    /// Appends the time, and the signature of all that is in `text` from `start` on.
    pub(crate) fn append_signature(&self, text: &mut String, start: usize, now: u64) {
        text.push('.');
        let leading_zeros = (now.leading_zeros() / 8) as usize;
        base64::encode_url(&now.to_be_bytes()[leading_zeros..], text);
        self.signer.append_signature(text, start);
    }

    /// The length of time and signature in bytes, for times from 1970 to 2106.
    pub(crate) fn signature_len(&self) -> usize {
        1 + base64::encoded_len(4) + self.signer.signature_len()
    }

    /// Returns the value, if the signature is good and not older than `max_age` seconds. An age of
    /// exactly `max_age` passes, as in Flask; `None` accepts every age.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, TimestampSigner};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let signer = TimestampSigner::new(&key.into(), &SigningOptions::itsdangerous("reset"));
    /// let token = signer.sign("42", 1_700_000_000);
    /// let unsigned = signer.unsign(token.as_bytes(), Some(3600), 1_700_000_060)?;
    /// assert_eq!((unsigned.value, unsigned.timestamp), (&b"42"[..], 1_700_000_000));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotSigned`] if the text has not the form of a timed signature,
    /// [`ErrorKind::BadSignature`] if no key makes it, [`ErrorKind::Expired`] and
    /// [`ErrorKind::FromTheFuture`] by its time, and [`ErrorKind::BadPayload`] if its time is beyond
    /// the year 9999.
    pub fn unsign<'a>(
        &self,
        signed: &'a [u8],
        max_age: Option<u64>,
        now: u64,
    ) -> Result<Unsigned<'a>, Error> {
        let (result, key) = self.signer.unsign_with_key(signed)?;
        let (value, encoded) = self.signer.split(result)?;
        let timestamp = decode_timestamp(encoded).ok_or_else(|| {
            Error::new(ErrorKind::NotSigned, "the signature is good, but its time can't be read")
        })?;
        if let Some(max_age) = max_age {
            if timestamp > now && timestamp > MAX_TIMESTAMP {
                return Err(Error::new(
                    ErrorKind::BadPayload,
                    "the signature is good, but its time is beyond the year 9999",
                ));
            }
            match now.checked_sub(timestamp) {
                None => {
                    return Err(Error::new(
                        ErrorKind::FromTheFuture,
                        format!(
                            "the signature is from the future, by {} s: is a clock wrong?",
                            timestamp - now
                        ),
                    ));
                }
                Some(age) if age > max_age => {
                    return Err(Error::new(
                        ErrorKind::Expired,
                        format!("the signature is {age} s old, and {max_age} s are allowed"),
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(Unsigned { value, timestamp, key })
    }

    /// Verifies like [`unsign`](Self::unsign), where the signer's clock may be ahead by `skew`
    /// seconds.
    pub(crate) fn unsign_with_skew<'a>(
        &self,
        signed: &'a [u8],
        max_age: u64,
        now: u64,
        skew: u64,
    ) -> Result<Unsigned<'a>, Error> {
        match self.unsign(signed, Some(max_age), now) {
            Err(error) if skew > 0 && error.kind() == ErrorKind::FromTheFuture => {
                // A text that was signed only now can't be too old.
                let (max_age, then) = (max_age.saturating_add(skew), now.saturating_add(skew));
                self.unsign(signed, Some(max_age), then).map_err(|_| error)
            }
            unsigned => unsigned,
        }
    }
}

/// Reads a time as ItsDangerous does: base64 of at most 8 bytes, leading zeros allowed.
pub(crate) fn decode_timestamp(encoded: &[u8]) -> Option<u64> {
    if let Some(timestamp) = encoded.try_into().ok().and_then(decode_usual_timestamp) {
        return Some(timestamp);
    }
    let bytes = base64::decode_url(encoded)?;
    (bytes.len() <= 8).then(|| big_endian(&bytes))
}

/// Reads a time as it is written from 1970 to 2106, which is four bytes.
#[inline]
fn decode_usual_timestamp(encoded: &[u8; 6]) -> Option<u64> {
    let sextets = encoded.map(base64::url_sextet);
    let bits = sextets.iter().fold(0, |bits, &sextet| (bits << 6) | u64::from(sextet));
    let unused = bits & 0xf;
    (unused == 0 && sextets.iter().all(|&sextet| sextet < 64)).then_some(bits >> 4)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    fn signer() -> TimestampSigner {
        TimestampSigner::new(&SecretKey::new("dev").unwrap().into(), &SigningOptions::default())
    }

    #[test]
    fn second_zero_gives_an_empty_time() {
        let signed = signer().sign("v", 0);
        assert!(signed.starts_with("v.."));
        assert_eq!(signer().unsign(signed.as_bytes(), Some(0), 0).unwrap().timestamp, 0);
    }

    #[test]
    fn age_limits_are_flasks() {
        let signed = signer().sign("v", 100);
        let kind = |max_age, now| {
            signer().unsign(signed.as_bytes(), Some(max_age), now).err().map(|e| e.kind())
        };
        assert_eq!(kind(10, 110), None);
        assert_eq!(kind(10, 111), Some(ErrorKind::Expired));
        assert_eq!(kind(10, 99), Some(ErrorKind::FromTheFuture));
        assert_eq!(kind(0, 100), None);
        assert!(signer().unsign(signed.as_bytes(), None, 0).is_ok());
    }

    #[test]
    fn a_clock_that_is_ahead_is_tolerated_if_that_is_asked_for() {
        let signed = signer().sign("v", 100);
        let kind = |max_age, now, skew| {
            let unsigned = signer().unsign_with_skew(signed.as_bytes(), max_age, now, skew);
            unsigned.err().map(|error| error.kind())
        };
        for max_age in [0, 10, 1_000] {
            assert_eq!(kind(max_age, 99, 0), Some(ErrorKind::FromTheFuture));
            assert_eq!(kind(max_age, 40, 60), None);
            assert_eq!(kind(max_age, 39, 60), Some(ErrorKind::FromTheFuture));
            // The tolerance changes nothing for times in the past.
            assert_eq!(kind(max_age, 100 + max_age, 60), None);
            assert_eq!(kind(max_age, 101 + max_age, 60), Some(ErrorKind::Expired));
        }
        let error = signer().unsign_with_skew(signed.as_bytes(), 10, 30, 60).unwrap_err();
        assert!(error.to_string().contains("by 70 s"), "{error}");
    }

    #[test]
    fn times_beyond_the_year_9999_are_no_times() {
        let kind = |time, max_age, now| {
            let signed = signer().sign("v", time);
            signer().unsign(signed.as_bytes(), max_age, now).err().map(|error| error.kind())
        };
        assert_eq!(kind(MAX_TIMESTAMP, Some(10), 100), Some(ErrorKind::FromTheFuture));
        assert_eq!(kind(MAX_TIMESTAMP + 1, Some(10), 100), Some(ErrorKind::BadPayload));
        assert_eq!(kind(MAX_TIMESTAMP + 1, None, 100), None);
        // A machine whose clock says the same time accepts it.
        assert_eq!(kind(MAX_TIMESTAMP + 1, Some(10), MAX_TIMESTAMP + 11), None);
        assert_eq!(kind(MAX_TIMESTAMP + 1, Some(10), MAX_TIMESTAMP + 1), None);
        assert_eq!(kind(100, Some(10), 50), Some(ErrorKind::FromTheFuture));
    }

    #[test]
    fn times_of_more_than_eight_bytes_are_refused() {
        assert_eq!(decode_timestamp(b"AAAAAGVT8QA"), Some(1_700_000_000));
        assert_eq!(decode_timestamp(b"AAAAAAAAAAAA"), None);
        assert_eq!(decode_timestamp(b"ZVPxAA"), Some(1_700_000_000));
        assert_eq!(decode_timestamp(b"_____w"), Some(u64::from(u32::MAX)));
        // Spellings that Python reads: other unused bits, the other alphabet, another character.
        assert_eq!(decode_timestamp(b"ZVPxAB"), Some(1_700_000_000));
        assert_eq!(decode_timestamp(b"/////w"), Some(u64::from(u32::MAX)));
        assert_eq!(decode_timestamp(b"ZVPx.A"), None);
        assert_eq!(decode_timestamp(b"ZVPx\xffA"), None);
        assert_eq!(decode_timestamp(b"__________8"), Some(u64::MAX));
    }
}
