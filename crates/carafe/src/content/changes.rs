//! A request's changes of its session's keys.

use std::collections::{BTreeMap, btree_map};
use std::slice;

use crate::value::{Text, Value};

/// The greatest number of changes in a list: with more, searching it would take too long.
const FEW: usize = 16;

/// New values by their keys, in code point order; `None` stands for a removed key.
#[derive(Clone, Debug)]
pub(super) struct Changes(Sorted);

/// A list or a tree. Most requests write one key or two, for which a list is quicker.
#[derive(Clone, Debug)]
enum Sorted {
    Few(Vec<(Text, Option<Value>)>),
    Many(BTreeMap<Text, Option<Value>>),
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

impl Changes {
    #[inline]
    pub(super) const fn new() -> Self {
        Self(Sorted::Few(Vec::new()))
    }

    /// Returns the number of keys that were written or removed.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Sorted::Few(list) => list.len(),
            Sorted::Many(tree) => tree.len(),
        }
    }

    /// Returns the change of a key, given by its WTF-8 bytes; `None` if it is unchanged.
    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<&Option<Value>> {
        match &self.0 {
            Sorted::Few(list) => place(list, key).ok().and_then(|at| Some(&list.get(at)?.1)),
            Sorted::Many(tree) => tree.get(key),
        }
    }

    /// Returns a written value for changing it; `None` if the key is unchanged or removed.
    pub(super) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        let changed = match &mut self.0 {
            Sorted::Few(list) => {
                place(list, key).ok().and_then(|at| Some(&mut list.get_mut(at)?.1))
            }
            Sorted::Many(tree) => tree.get_mut(key),
        };
        changed?.as_mut()
    }

    #[inline]
    pub(super) fn contains_key(&self, key: &[u8]) -> bool {
        self.get(key).is_some()
    }

    /// Writes a key, or removes it.
    pub(super) fn insert(&mut self, key: Text, value: Option<Value>) {
        match &mut self.0 {
            Sorted::Many(tree) => {
                tree.insert(key, value);
            }
            Sorted::Few(list) => match place(list, key.as_wtf8()) {
                Ok(at) => list[at].1 = value,
                Err(_) if list.len() >= FEW => {
                    let mut tree: BTreeMap<_, _> = std::mem::take(list).into_iter().collect();
                    tree.insert(key, value);
                    self.0 = Sorted::Many(tree);
                }
                Err(at) => {
                    if list.is_empty() {
                        list.reserve_exact(1);
                    }
                    list.insert(at, (key, value));
                }
            },
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Returns all changes, in the order of their keys.
    #[inline]
    pub(super) fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Sorted::Few(list) => Iter::Few(list.iter()),
            Sorted::Many(tree) => Iter::Many(tree.iter()),
        }
    }
}

/// The iterator of [`Changes::iter`].
pub(super) enum Iter<'a> {
    Few(slice::Iter<'a, (Text, Option<Value>)>),
    Many(btree_map::Iter<'a, Text, Option<Value>>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Text, &'a Option<Value>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Few(list) => list.next().map(|(key, value)| (key, value)),
            Self::Many(tree) => tree.next(),
        }
    }
}

/// Returns the position of a key in a list, or the position to insert it at.
#[inline]
fn place(list: &[(Text, Option<Value>)], key: &[u8]) -> Result<usize, usize> {
    list.binary_search_by(|(other, _)| other.as_wtf8().cmp(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_as_few() {
        let mut changes = Changes::default();
        let mut tree = BTreeMap::new();
        // The keys come unsorted, some of them twice, and some are removed.
        for step in 0..6 * FEW {
            let key = Text::from(format!("key {}", step * 37 % (3 * FEW)));
            let value = (step % 5 != 0).then(|| Value::from(step as u64));
            assert_eq!(changes.contains_key(key.as_wtf8()), tree.contains_key(&key));
            changes.insert(key.clone(), value.clone());
            tree.insert(key.clone(), value);
            assert_eq!(changes.len(), tree.len());
            assert_eq!(changes.get(key.as_wtf8()), tree.get(&key));
            assert_eq!(changes.get_mut(key.as_wtf8()), tree.get_mut(&key).and_then(Option::as_mut));
            assert!(changes.iter().eq(tree.iter()), "after {step}");
        }
        assert_eq!(changes.get(b"key"), None);
        changes.clear();
        assert_eq!((changes.len(), changes.iter().count()), (0, 0));
    }
}
