//! The identifiers of sessions.

mod serialize;

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, ErrorKind, base64};

/// A session's id: 32 random bytes from the operating system, a secret between the service and the
/// visitor's browser.
///
/// Stores see only its [hash](Self::hash), and its `Debug` output shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// The length of an id's text.
    pub(crate) const TEXT: usize = 43;

    /// Returns a new random id.
    ///
    /// ```
    /// use carafe::id::SessionId;
    ///
    /// assert!(SessionId::random()? != SessionId::random()?);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if the operating system gives no random bytes.
    pub fn random() -> Result<Self, Error> {
        random().map(Self)
    }

    /// Parses the 43 characters that [`to_text`](Self::to_text) returns.
    ///
    /// ```
    /// use carafe::id::SessionId;
    ///
    /// let id = SessionId::random()?;
    /// assert_eq!(SessionId::from_text(id.to_text().as_bytes()), Some(id));
    /// assert_eq!(SessionId::from_text(b"short"), None);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        base64::decode_exact(text).map(Self)
    }

    /// Returns the id as unpadded base64url: 43 characters. The text is the visitor's secret.
    ///
    /// ```
    /// use carafe::id::SessionId;
    ///
    /// assert_eq!(SessionId::random()?.to_text().len(), 43);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(Self::TEXT);
        self.append_to(&mut text);
        text
    }

    /// Appends the text that [`to_text`](Self::to_text) returns.
    pub(crate) fn append_to(&self, text: &mut String) {
        base64::encode_url(&self.0, text);
    }

    /// Returns the SHA-256 hash of the id's bytes, under which stores keep the session.
    ///
    /// ```
    /// use carafe::id::SessionId;
    ///
    /// let id = SessionId::random()?;
    /// assert_eq!(id.hash(), id.clone().hash());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn hash(&self) -> SessionIdHash {
        SessionIdHash(Sha256::digest(self.0).into())
    }
}

impl Drop for SessionId {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Returns an id and a public id for a new session. The random bytes of both come from one system
/// call.
pub(crate) fn of_new_session() -> Result<(SessionId, PublicId), Error> {
    let mut id = SessionId([0; 32]);
    let bytes: Zeroizing<[u8; 48]> = Zeroizing::new(random()?);
    let (secret, public) = bytes.split_at(32);
    id.0.copy_from_slice(secret);
    let mut public_id = [0; 16];
    public_id.copy_from_slice(public);
    Ok((id, PublicId(public_id)))
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// The SHA-256 hash of a [`SessionId`], under which a store keeps the session. A reader of the
/// store can't turn it into a cookie.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionIdHash([u8; 32]);

impl SessionIdHash {
    /// Returns the hash with these bytes, as a store kept them.
    ///
    /// ```
    /// use carafe::id::SessionIdHash;
    ///
    /// let hash = SessionIdHash::from_bytes([7; 32]);
    /// assert_eq!(hash.as_bytes(), &[7; 32]);
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the hash.
    ///
    /// ```
    /// use carafe::id::SessionIdHash;
    ///
    /// assert_eq!(SessionIdHash::from_bytes([7; 32]).as_bytes(), &[7; 32]);
    /// ```
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the key under which a store remembers that the visitor got a new cookie in place of
    /// this session's.
    pub(crate) fn of_replacement(&self) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(b"replaced").finalize().into())
    }
}

impl SessionIdHash {
    /// Returns the key under which a store remembers that this session was ended a moment ago.
    pub(crate) fn of_ending(&self) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(b"ended").finalize().into())
    }
}

impl fmt::Debug for SessionIdHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionIdHash(…)")
    }
}

/// The name of a session that may be shown: on the page that lists a user's sessions, and to an
/// administrator. It stays the same while the id is renewed, and opens nothing.
///
/// Its text has 22 characters, which may stand in a path or a form. `Display` and serde write it; `parse` and
/// serde, and so `axum::extract::Path<PublicId>`, read it.
///
/// ```
/// use carafe::id::PublicId;
///
/// let id = PublicId::random()?;
/// let text = id.to_string();
/// assert_eq!(text.parse::<PublicId>()?, id);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicId([u8; 16]);

impl PublicId {
    /// Returns a new random public id.
    ///
    /// ```
    /// use carafe::id::PublicId;
    ///
    /// let id = PublicId::random()?;
    /// assert_eq!(id.to_string().parse::<PublicId>()?, id);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] if the operating system gives no random bytes.
    pub fn random() -> Result<Self, Error> {
        random().map(Self)
    }

    /// Returns the public id with these bytes, as a store kept them.
    ///
    /// ```
    /// use carafe::id::PublicId;
    ///
    /// assert_eq!(PublicId::from_bytes([0; 16]).to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the public id.
    ///
    /// ```
    /// use carafe::id::PublicId;
    ///
    /// assert_eq!(PublicId::from_bytes([7; 16]).as_bytes(), &[7; 16]);
    /// ```
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for PublicId {
    /// Writes the id as it is shown to users.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicId({self})")
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(22);
        base64::encode_url(&self.0, &mut text);
        f.write_str(&text)
    }
}

impl std::str::FromStr for PublicId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        base64::decode_exact(text.as_bytes()).map(Self).ok_or_else(|| {
            Error::new(
                ErrorKind::Value,
                "that is no session's public id: it must be the 22 characters that a list of \
                 sessions shows",
            )
        })
    }
}

/// Returns random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(ErrorKind::Entropy, "the operating system gave no random bytes")
            .with_source(error)
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_session_has_ids_that_share_nothing() {
        let (id, public) = of_new_session().unwrap();
        let (other, other_public) = of_new_session().unwrap();
        assert!(id != other && public != other_public);
        let mut parts: Vec<&[u8]> = id.0.chunks(8).chain(other.0.chunks(8)).collect();
        parts.extend(public.0.chunks(8).chain(other_public.0.chunks(8)));
        assert!(!parts.contains(&&[0; 8][..]));
        parts.sort_unstable();
        parts.dedup();
        assert_eq!(parts.len(), 12);
    }

    #[test]
    fn ids_round_trip_and_hide() {
        let id = SessionId::random().unwrap();
        let text = id.to_text();
        assert_eq!(text.len(), 43);
        assert_eq!(SessionId::from_text(text.as_bytes()), Some(id.clone()));
        for bad in ["", "a", &text[1..], &format!("{text}A"), &format!("{}=", &text[..42])] {
            assert_eq!(SessionId::from_text(bad.as_bytes()), None);
        }
        assert!(!format!("{id:?} {:?}", id.hash()).contains(&text[..4]));
        let public = PublicId::random().unwrap();
        assert_eq!(public.to_string().parse::<PublicId>().unwrap(), public);
    }
}
