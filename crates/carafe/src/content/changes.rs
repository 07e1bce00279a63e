//! What a request wrote over its session.

use std::collections::{BTreeMap, btree_map};
use std::slice;

use crate::value::{Text, Value};

/// Up to how many changes are kept in a list: beyond, finding the place of each would take too long.
const FEW: usize = 16;

/// Values by their keys, in code point order: a value, or `None` where the key was removed.
#[derive(Clone, Debug)]
pub(super) struct Changes(Sorted);

/// Most requests write one key or two, for which a list is quicker than a tree.
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

    /// How many keys were written or removed.
    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Sorted::Few(list) => list.len(),
            Sorted::Many(tree) => tree.len(),
        }
    }

    /// What became of a key, given by its WTF-8 bytes; `None` if nothing did.
    #[inline]
    pub(super) fn get(&self, key: &[u8]) -> Option<&Option<Value>> {
        match &self.0 {
            Sorted::Few(list) => place(list, key).ok().and_then(|at| Some(&list.get(at)?.1)),
            Sorted::Many(tree) => tree.get(key),
        }
    }

    /// What was written under a key, to be changed; `None` if nothing was, or if the key was removed.
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

    /// All of them, in the order of their keys.
    #[inline]
    pub(super) fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Sorted::Few(list) => Iter::Few(list.iter()),
            Sorted::Many(tree) => Iter::Many(tree.iter()),
        }
    }
}

/// What [`Changes::iter`] gives.
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

/// Where a key is in a list, or would be.
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
        // In an order that is none, some of them twice, some removed.
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
