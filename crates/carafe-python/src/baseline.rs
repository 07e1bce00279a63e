//! The content of a session when Python last saw it, key by key.

use std::collections::BTreeMap;

use carafe::Error;
use carafe::value::{Text, Value};
use carafe_format::value::json::{Entry, Payload};

/// The tagged JSON of each key.
#[derive(Debug, Default)]
pub(crate) struct Baseline(BTreeMap<Text, Vec<u8>>);

impl Baseline {
    /// Reads the tagged JSON of a session.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Error> {
        let mut room = Vec::with_capacity(json.len() + Payload::ROOM);
        room.extend_from_slice(json);
        let payload = Payload::parse(room)?;
        let entry = |key: &[u8]| {
            let json = match payload.entry(key)? {
                Some(Entry::Raw(json)) => json.to_vec(),
                Some(Entry::Value(value)) => value.to_tagged_json()?.into_bytes(),
                Some(Entry::Owned(value)) => value.to_tagged_json()?.into_bytes(),
                None => return Ok(None),
            };
            Ok(Some((Text::from_wtf8(key), json)))
        };
        payload.keys().filter_map(|key| entry(key).transpose()).collect::<Result<_, _>>().map(Self)
    }

    /// The tagged JSON of a key.
    pub(crate) fn get(&self, key: &Text) -> Option<&[u8]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &Text) -> Result<Option<Value>, Error> {
        Ok(self.get(key).map(Value::from_tagged_json).transpose()?)
    }

    /// Whether a key has a value that is written in this way, or means the same.
    pub(crate) fn means(&self, key: &Text, json: &[u8]) -> Result<bool, Error> {
        match self.get(key) {
            Some(old) if old == json => Ok(true),
            Some(old) => Ok(Value::from_tagged_json(old)? == Value::from_tagged_json(json)?),
            None => Ok(false),
        }
    }

    /// The keys that another content lacks.
    pub(crate) fn keys_not_in<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Text> {
        self.0.keys().filter(|key| !other.0.contains_key(*key))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Text, &[u8])> {
        self.0.iter().map(|(key, json)| (key, json.as_slice()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Text, Vec<u8>)> for Baseline {
    fn from_iter<I: IntoIterator<Item = (Text, Vec<u8>)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
