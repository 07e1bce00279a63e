//! Dictionaries.

use std::collections::{BTreeMap, btree_map};
use std::fmt;

use super::{AsText, Text, Value};

/// A dictionary from text to values, ordered by key as Flask writes it.
///
/// Its `Debug` form shows only the size, so that a session's contents stay out of logs.
///
/// ```
/// use carafe::value::{Dict, Value};
///
/// let mut dict = Dict::new();
/// dict.insert("b", 2);
/// dict.insert("a", "one");
/// assert_eq!(dict.get("a"), Some(&Value::from("one")));
/// assert_eq!(Value::from(dict).to_tagged_json()?, r#"{"a":"one","b":2}"#);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Dict(BTreeMap<Text, Value>);

impl Dict {
    /// An empty dictionary.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsText) -> Option<&Value> {
        self.0.get(key.as_wtf8())
    }

    pub(super) fn get_wtf8(&self, key: &[u8]) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: impl AsText) -> Option<&mut Value> {
        self.0.get_mut(key.as_wtf8())
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: impl AsText) -> bool {
        self.0.contains_key(key.as_wtf8())
    }

    /// Sets a key's value, and returns the one that it had.
    pub fn insert(&mut self, key: impl AsText, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into_text(), value.into())
    }

    /// Removes a key, and returns the value that it had.
    pub fn remove(&mut self, key: impl AsText) -> Option<Value> {
        self.0.remove(key.as_wtf8())
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all keys.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The keys, in order.
    pub fn keys(&self) -> btree_map::Keys<'_, Text, Value> {
        self.0.keys()
    }

    /// The keys and values, in the order of the keys.
    pub fn iter(&self) -> btree_map::Iter<'_, Text, Value> {
        self.0.iter()
    }

    /// The keys and values, the values to be changed.
    pub fn iter_mut(&mut self) -> btree_map::IterMut<'_, Text, Value> {
        self.0.iter_mut()
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dict({} keys)", self.len())
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<K: Into<Text>, V: Into<Value>> Extend<(K, V)> for Dict {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
}

impl<K: Into<Text>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Dict {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl IntoIterator for Dict {
    type Item = (Text, Value);
    type IntoIter = btree_map::IntoIter<Text, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Dict {
    type Item = (&'a Text, &'a Value);
    type IntoIter = btree_map::Iter<'a, Text, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
