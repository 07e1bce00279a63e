use std::fmt;

use serde::de::DeserializeOwned;

use super::{KeyRing, SigningOptions, TimestampSigner};
use crate::codec::{Compression, payload};
use crate::value::{from_tagged_json, json};
use crate::{Error, Value};

/// The default limit on the size of an inflated payload: 1 MiB.
pub const DEFAULT_INFLATE_LIMIT: usize = 1 << 20;

/// Turns values into signed text that fits into a URL or a cookie, as ItsDangerous'
/// `URLSafeTimedSerializer` with Flask's tagged JSON does.
///
/// ```
/// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
/// use carafe::value::Value;
/// use carafe::SecretKey;
///
/// let key = SecretKey::new("a key, long and random")?;
/// let serializer = UrlSafeTimedSerializer::new(&key.into(), &SigningOptions::itsdangerous("invite"));
/// let token = serializer.dumps(&Value::from("user@example.com"), 1_700_000_000)?;
/// let value = serializer.loads(token.as_bytes(), Some(3600), 1_700_000_060)?;
/// assert_eq!(value, Value::from("user@example.com"));
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct UrlSafeTimedSerializer {
    signer: TimestampSigner,
    compression: Compression,
    inflate_limit: usize,
}

impl UrlSafeTimedSerializer {
    /// Creates a serializer that compresses by Flask's rule and inflates to at most 1 MiB.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let options = SigningOptions::itsdangerous("invite");
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &options);
    /// assert!(serializer.loads(b"forged", None, 1_700_000_000).is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn new(keys: &KeyRing, options: &SigningOptions) -> Self {
        Self {
            signer: TimestampSigner::new(keys, options),
            compression: Compression::Flask,
            inflate_limit: DEFAULT_INFLATE_LIMIT,
        }
    }

    /// Sets when payloads are compressed.
    ///
    /// ```
    /// use carafe::config::Compression;
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let options = SigningOptions::itsdangerous("invite");
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &options)
    ///     .compression(Compression::Never);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the limit on the size of an inflated payload, in bytes.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let options = SigningOptions::itsdangerous("invite");
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &options).inflate_limit(4096);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn inflate_limit(mut self, bytes: usize) -> Self {
        self.inflate_limit = bytes;
        self
    }

    /// Signs a value at the time `now`, in Unix seconds.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    /// use carafe::value::Value;
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let options = SigningOptions::itsdangerous("invite");
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &options);
    /// let token = serializer.dumps(&Value::from("ada@example.com"), 1_700_000_000)?;
    /// assert!(serializer.loads(token.as_bytes(), Some(60), 1_700_000_030).is_ok());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Value`](crate::ErrorKind::Value) if the value is nested too deeply to be read
    /// again.
    pub fn dumps(&self, value: &Value, now: u64) -> Result<String, Error> {
        let mut json = Vec::with_capacity(512);
        json::write_value(&mut json, value)?;
        Ok(self.dumps_json(&json, now))
    }

    /// Signs JSON as it stands, unchecked: [`inspect::respell`](crate::inspect::respell) makes it
    /// what Flask would write.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    /// use carafe::value::Value;
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let options = SigningOptions::itsdangerous("invite");
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &options);
    /// let token = serializer.dumps_json(br#"{"team":7}"#, 1_700_000_000);
    /// let value = serializer.loads(token.as_bytes(), Some(60), 1_700_000_030)?;
    /// assert_eq!(value.as_dict().unwrap().get("team"), Some(&Value::from(7)));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn dumps_json(&self, json: &[u8], now: u64) -> String {
        let mut text = String::with_capacity(json.len() * 4 / 3 + 48);
        payload::encode(json, self.compression, &mut text);
        self.signer.append_signature(&mut text, 0, now);
        text
    }

    /// Returns the value of a text that is at most `max_age` seconds old; `None` accepts every age.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
    /// use carafe::value::Value;
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let options = SigningOptions::itsdangerous("invite");
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &options);
    /// let token = serializer.dumps(&Value::from("ada@example.com"), 1_700_000_000)?;
    /// let value = serializer.loads(token.as_bytes(), Some(60), 1_700_000_030)?;
    /// assert_eq!(value.as_str(), Some("ada@example.com"));
    /// assert!(serializer.loads(token.as_bytes(), Some(60), 1_700_000_090).is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`TimestampSigner::unsign`], and
    /// [`ErrorKind::BadPayload`](crate::ErrorKind::BadPayload) if the signature is good and the
    /// payload can't be read.
    pub fn loads(&self, text: &[u8], max_age: Option<u64>, now: u64) -> Result<Value, Error> {
        Value::from_tagged_json(&self.loads_json(text, max_age, now)?.json)
    }

    /// Reads the value of a text as anything that serde deserialises: [`loads`](Self::loads) and
    /// [`Value::deserialize_into`] in one step, which is faster.
    ///
    /// ```
    /// use carafe::{SecretKey, signing::{SigningOptions, UrlSafeTimedSerializer}};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Invitation {
    ///     team: u32,
    ///     role: String,
    /// }
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let serializer = UrlSafeTimedSerializer::new(&key.into(), &SigningOptions::itsdangerous("invite"));
    /// let token = serializer.dumps_json(br#"{"role":"editor","team":7}"#, 1_700_000_000);
    /// let invitation: Invitation = serializer.loads_as(token.as_bytes(), Some(3600), 1_700_000_060)?;
    /// assert_eq!((invitation.team, invitation.role.as_str()), (7, "editor"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`loads`](Self::loads), and [`ErrorKind::Type`](crate::ErrorKind::Type) if the
    /// type can't be read from the value.
    pub fn loads_as<T: DeserializeOwned>(
        &self,
        text: &[u8],
        max_age: Option<u64>,
        now: u64,
    ) -> Result<T, Error> {
        from_tagged_json(&self.loads_json(text, max_age, now)?.json)
    }

    /// Returns the payload of a text as it stands, and the facts in its signature. Whether the
    /// payload is JSON at all isn't looked at.
    ///
    /// ```
    /// use carafe::{SecretKey, signing::{SigningOptions, UrlSafeTimedSerializer}};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let sessions = UrlSafeTimedSerializer::new(&key.into(), &SigningOptions::default());
    /// let cookie = sessions.dumps_json(br#"{"user_id": 42}"#, 1_700_000_000);
    /// let signed = sessions.loads_json(cookie.as_bytes(), Some(3600), 1_700_000_060)?;
    /// assert_eq!(signed.json, br#"{"user_id": 42}"#);
    /// assert_eq!((signed.timestamp, signed.key, signed.compressed), (1_700_000_000, 0, false));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`TimestampSigner::unsign`], and
    /// [`ErrorKind::BadPayload`](crate::ErrorKind::BadPayload) if the signature is good and the
    /// payload isn't base64 or doesn't inflate.
    pub fn loads_json(
        &self,
        text: &[u8],
        max_age: Option<u64>,
        now: u64,
    ) -> Result<SignedJson, Error> {
        let unsigned = self.signer.unsign(text, max_age, now)?;
        Ok(SignedJson {
            json: payload::decode(unsigned.value, self.inflate_limit)?,
            timestamp: unsigned.timestamp,
            key: unsigned.key,
            compressed: unsigned.value.starts_with(b"."),
        })
    }
}

/// A payload whose signature was good, as it stands in the signed text.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedJson {
    /// The payload, inflated if it was compressed.
    pub json: Vec<u8>,
    /// The time of the signature, in Unix seconds.
    pub timestamp: u64,
    /// The index in the ring of the key that signed it: 0 is the current key.
    pub key: usize,
    /// Whether the payload was compressed.
    pub compressed: bool,
}

impl fmt::Debug for SignedJson {
    /// Everything but the content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedJson")
            .field("json", &format_args!("{} bytes", self.json.len()))
            .field("timestamp", &self.timestamp)
            .field("key", &self.key)
            .field("compressed", &self.compressed)
            .finish()
    }
}
