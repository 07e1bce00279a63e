//! A session's payload: validated as a whole; its values are built on demand.

use std::borrow::Cow;

use super::super::{Dict, Stored, Text, Value};
use super::index::Index;
use super::place::Spelling;
use super::reader::read_value;
use super::tag::Tags;
use super::top::read_session;
use super::validate::Unindexed;
use super::writer::Entry;
use crate::Error;

/// Checks that Flask can read the JSON of a session.
pub(crate) fn check_session(json: &[u8]) -> Result<(), Error> {
    Payload::parse(json.to_vec()).map(drop)
}

/// The content of a session as a cookie or a store held it.
#[derive(Clone)]
pub struct Payload(Content);

#[derive(Clone)]
enum Content {
    Indexed(Index),
    /// A payload that Flask reads but never writes is read into values at once.
    Built(Dict),
}

impl Default for Payload {
    /// The content of a session without keys.
    fn default() -> Self {
        Self(Content::Built(Dict::new()))
    }
}

impl Payload {
    /// The room behind the JSON in its buffer that [`parse`](Self::parse) can use.
    pub const ROOM: usize = Index::ROOM;

    /// Reads and validates the JSON of a session.
    ///
    /// # Errors
    ///
    /// [`BadPayload`](crate::ErrorKind::BadPayload) where Flask can't read it.
    #[inline]
    pub fn parse(mut json: Vec<u8>) -> Result<Self, Error> {
        let len = json.len();
        match Index::build(&mut json) {
            Ok(summary) => Ok(Self(Content::Indexed(Index::new(json, summary)))),
            Err(Unindexed::Unusual) => {
                read_session(&json[..len]).map(|dict| Self(Content::Built(dict)))
            }
            Err(Unindexed::Invalid(error)) => Err(error),
        }
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Content::Indexed(index) => index.len(),
            Content::Built(dict) => dict.len(),
        }
    }

    /// Returns whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether there is a key, given by its WTF-8 bytes.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        match &self.0 {
            Content::Indexed(index) => index.find(key).is_some(),
            Content::Built(dict) => dict.get_wtf8(key).is_some(),
        }
    }

    /// Returns the index of a key among the others, if it is known.
    #[must_use]
    pub fn position(&self, key: &[u8]) -> Option<usize> {
        match &self.0 {
            Content::Indexed(index) => index.position(key),
            Content::Built(_) => None,
        }
    }

    /// Returns the value of a key.
    ///
    /// # Errors
    ///
    /// None in practice: what [`parse`](Self::parse) let pass can be read.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Result<Option<Value>, Error> {
        match &self.0 {
            Content::Indexed(index) => match index.find(key) {
                Some((json, Spelling::PlainText)) => {
                    let text = Text::from_known_wtf8(between_quotes(json));
                    Ok(Some(Value::Text(text)))
                }
                Some((json, _)) => read_value(json, Tags::AsRead).map(Some),
                None => Ok(None),
            },
            Content::Built(dict) => Ok(dict.get_wtf8(key).cloned()),
        }
    }

    /// Returns the value of a key, unread.
    #[must_use]
    pub fn stored(&self, key: &[u8]) -> Option<Stored<'_>> {
        match &self.0 {
            Content::Indexed(index) => {
                index.find(key).map(|(json, _)| Stored::Json(Cow::Borrowed(json)))
            }
            Content::Built(dict) => {
                dict.get_wtf8(key).map(|value| Stored::Value(Cow::Borrowed(value)))
            }
        }
    }

    /// Iterates over the keys, as WTF-8 bytes, in the order of their code points.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let (indexed, built) = match &self.0 {
            Content::Indexed(index) => (Some(index.keys()), None),
            Content::Built(dict) => (None, Some(dict.keys().map(Text::as_wtf8))),
        };
        indexed.into_iter().flatten().chain(built.into_iter().flatten())
    }

    /// Returns the entry to write for a key that did not change.
    ///
    /// # Errors
    ///
    /// None in practice, as [`get`](Self::get).
    pub fn entry(&self, key: &[u8]) -> Result<Option<Entry<'_>>, Error> {
        match &self.0 {
            Content::Indexed(index) => match index.find(key) {
                Some((json, Spelling::Other)) => {
                    Ok(Some(Entry::Owned(read_value(json, Tags::AsRead)?)))
                }
                Some((json, _)) => Ok(Some(Entry::Raw(json))),
                None => Ok(None),
            },
            Content::Built(dict) => Ok(dict.get_wtf8(key).map(Entry::Value)),
        }
    }
}

fn between_quotes(json: &[u8]) -> &[u8] {
    json.get(1..json.len() - 1).unwrap_or_default()
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Payload({} keys)", self.len())
    }
}
