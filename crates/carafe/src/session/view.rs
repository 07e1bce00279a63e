use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::Error;
use crate::value::json::{self, Payload};
use crate::{Dict, Text, Value};

/// One request's view of its session: what came in, and what the request changed since.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// What the cookie held. Values are built when they are asked for.
    base: Payload,
    /// Whether the base counts no more.
    cleared: bool,
    /// What was written over the base: a value, or `None` where a key was removed.
    changes: BTreeMap<Text, Option<Value>>,
    modified: bool,
    /// Grows with every change.
    version: u64,
    /// The flashes that this request took out, which it may ask for again.
    pub(super) flashes: Option<Vec<Value>>,
}

impl View {
    pub(crate) fn new(base: Payload) -> Self {
        Self { base, ..Self::default() }
    }

    /// Whether the session was changed, or marked as changed.
    pub(crate) fn modified(&self) -> bool {
        self.modified
    }

    pub(crate) fn mark_modified(&mut self) {
        self.modified = true;
        self.version += 1;
    }

    /// A number that grows with every change, to notice one by another holder of the session.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The value of a key, which is borrowed where the request wrote it itself.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Cow<'_, Value>> {
        match self.changes.get(key) {
            Some(changed) => changed.as_ref().map(Cow::Borrowed),
            None if self.cleared => None,
            None => self.base_value(key).map(Cow::Owned),
        }
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        match self.changes.get(key) {
            Some(changed) => changed.is_some(),
            None => !self.cleared && self.base.contains(key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        let untouched = if self.cleared { 0 } else { self.base.len() };
        self.changes.iter().fold(untouched, |len, (key, changed)| {
            let before = !self.cleared && self.base.contains(key.as_wtf8());
            len + usize::from(changed.is_some()) - usize::from(before)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn insert(&mut self, key: Text, value: Value) {
        self.changes.insert(key, Some(value));
        self.mark_modified();
    }

    /// Removes a key. Only a key that was there makes the session modified, as in Flask.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Value> {
        let old = self.get(key)?.into_owned();
        self.changes.insert(Text::from_wtf8(key.to_vec()), None);
        self.mark_modified();
        Some(old)
    }

    pub(crate) fn clear(&mut self) {
        self.cleared = true;
        self.changes.clear();
        self.mark_modified();
    }

    /// The keys in code point order.
    pub(crate) fn keys(&self) -> Vec<Text> {
        self.sources().into_iter().map(|(key, _)| Text::from_wtf8(key.to_vec())).collect()
    }

    pub(crate) fn to_dict(&self) -> Dict {
        let mut dict = Dict::new();
        for (key, changed) in self.sources() {
            let value = changed.cloned().or_else(|| self.base_value(key));
            if let Some(value) = value {
                dict.insert(Text::from_wtf8(key.to_vec()), value);
            }
        }
        dict
    }

    /// The session as Flask would write it.
    ///
    /// Untouched values are copied as they came, where they came in Flask's spelling.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>, Error> {
        let mut entries = Vec::with_capacity(self.base.len() + self.changes.len());
        for (key, changed) in self.sources() {
            match changed {
                Some(value) => entries.push((key, json::Entry::Value(value))),
                None => entries.extend(self.base.entry(key)?.map(|entry| (key, entry))),
            }
        }
        let mut out = Vec::new();
        json::write_session(&mut out, entries)?;
        Ok(out)
    }

    /// Every key in code point order, with its value where this request wrote it.
    fn sources(&self) -> Vec<(&[u8], Option<&Value>)> {
        let mut sources = Vec::with_capacity(self.base.len() + self.changes.len());
        if !self.cleared {
            let untouched = |key: &&[u8]| !self.changes.contains_key(*key);
            sources.extend(self.base.keys().filter(untouched).map(|key| (key, None)));
        }
        for (key, changed) in &self.changes {
            if let Some(value) = changed {
                sources.push((key.as_wtf8(), Some(value)));
            }
        }
        sources.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        sources
    }

    /// A value as it came. What was validated when it came can be read now.
    fn base_value(&self, key: &[u8]) -> Option<Value> {
        self.base.get(key).unwrap_or_default()
    }
}
