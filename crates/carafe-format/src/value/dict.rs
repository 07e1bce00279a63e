//! Dictionaries.

use std::fmt;

use super::{AsText, Text, Value};

/// A dictionary from text to values, ordered by key as Flask writes it.
///
/// Looking up a key takes a time that grows with the logarithm of the number of keys. Inserting one
/// key moves those behind it, so that many are added in one go with [`Extend`] or `collect`.
///
/// The `Debug` form shows only the size, so that a session's contents stay out of logs.
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
pub struct Dict(Vec<(Text, Value)>);

impl Dict {
    /// The dictionary of entries that are sorted by key, each key once.
    pub(super) fn from_sorted(members: Vec<(Text, Value)>) -> Self {
        Self(members)
    }

    /// Creates an empty dictionary.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// assert!(Dict::new().is_empty());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The index of a key, or the index at which it would be inserted.
    fn place(&self, key: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_wtf8().cmp(key))
    }

    /// Returns the value of a key.
    ///
    /// ```
    /// use carafe::value::{Dict, Value};
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// assert_eq!(cart.get("pear").and_then(Value::as_i64), Some(2));
    /// assert_eq!(cart.get("plum"), None);
    /// ```
    pub fn get(&self, key: impl AsText) -> Option<&Value> {
        self.get_wtf8(key.as_wtf8())
    }

    pub(super) fn get_wtf8(&self, key: &[u8]) -> Option<&Value> {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    /// Returns the value of a key, which the caller may change.
    ///
    /// ```
    /// use carafe::value::{Dict, Value};
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// if let Some(count) = cart.get_mut("pear") {
    ///     *count = Value::from(3);
    /// }
    /// assert_eq!(cart.get("pear"), Some(&Value::from(3)));
    /// ```
    pub fn get_mut(&mut self, key: impl AsText) -> Option<&mut Value> {
        self.place(key.as_wtf8()).ok().map(|place| &mut self.0[place].1)
    }

    /// Returns whether the dictionary has the key.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// assert!(cart.contains_key("pear"));
    /// ```
    pub fn contains_key(&self, key: impl AsText) -> bool {
        self.place(key.as_wtf8()).is_ok()
    }

    /// Sets a key's value, and returns its previous value.
    ///
    /// ```
    /// use carafe::value::{Dict, Value};
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// assert_eq!(cart.insert("pear", 3), Some(Value::from(2)));
    /// assert_eq!(cart.insert("plum", 1), None);
    /// ```
    pub fn insert(&mut self, key: impl AsText, value: impl Into<Value>) -> Option<Value> {
        match self.place(key.as_wtf8()) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value.into())),
            Err(place) => {
                self.0.insert(place, (key.into_text(), value.into()));
                None
            }
        }
    }

    /// Removes a key, and returns its value.
    ///
    /// ```
    /// use carafe::value::{Dict, Value};
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// assert_eq!(cart.remove("pear"), Some(Value::from(2)));
    /// assert!(cart.is_empty());
    /// ```
    pub fn remove(&mut self, key: impl AsText) -> Option<Value> {
        self.place(key.as_wtf8()).ok().map(|place| self.0.remove(place).1)
    }

    /// Returns the number of keys.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// assert_eq!(cart.len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no keys.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// assert!(!cart.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes all keys.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// cart.clear();
    /// assert!(cart.is_empty());
    /// ```
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Iterates over the keys, in order.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// cart.insert("apple", 1);
    /// let keys: Vec<_> = cart.keys().map(ToString::to_string).collect();
    /// assert_eq!(keys, ["apple", "pear"]);
    /// ```
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Text> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(key, _)| key)
    }

    /// Iterates over the keys and values, in the order of the keys.
    ///
    /// ```
    /// use carafe::value::Dict;
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// for (name, count) in cart.iter() {
    ///     println!("{name}: {count:?}");
    /// }
    /// # assert_eq!(cart.iter().count(), 1);
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Iterates over the keys and values, in the order of the keys; the caller may change the
    /// values.
    ///
    /// ```
    /// use carafe::value::{Dict, Value};
    ///
    /// let mut cart = Dict::new();
    /// cart.insert("pear", 2);
    /// for (_, count) in cart.iter_mut() {
    ///     *count = Value::from(0);
    /// }
    /// assert_eq!(cart.get("pear"), Some(&Value::from(0)));
    /// ```
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Text, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }
}

/// An iterator over the keys and values of a [`Dict`], in the order of the keys.
#[derive(Clone)]
pub struct Iter<'a>(std::slice::Iter<'a, (Text, Value)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Text, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iter({} keys)", self.len())
    }
}

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dict({} keys)", self.len())
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut dict = Self::new();
        dict.extend(pairs);
        dict
    }
}

impl<K: Into<Text>, V: Into<Value>> Extend<(K, V)> for Dict {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs.into_iter().map(|(key, value)| (key.into(), value.into())));
        if !self.0.is_sorted_by(|(a, _), (b, _)| a < b) {
            // The last value of a key counts: of equal keys, it stands first after this.
            self.0.reverse();
            self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.0.dedup_by(|(a, _), (b, _)| a == b);
        }
    }
}

impl<K: Into<Text>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Dict {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl IntoIterator for Dict {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Dict {
    type Item = (&'a Text, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
