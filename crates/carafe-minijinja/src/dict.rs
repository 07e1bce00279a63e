//! A dict within a session.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, State, Value};

use super::mapping::{self, Mapping};
use carafe::value::Text;

/// Python's `dict`, with the methods that read.
pub(super) struct DictObject(pub(super) BTreeMap<Text, Value>);

impl Mapping for DictObject {
    fn lookup(&self, key: &str) -> Option<Value> {
        let found = self.0.get(key.as_bytes());
        let keys = || self.0.keys().cloned().collect();
        found.or_else(|| self.0.get(&mapping::unseen_key(key, keys)?)).cloned()
    }

    fn pairs(&self) -> Vec<(Value, Value)> {
        self.0.iter().map(|(key, value)| (mapping::key(key), value.clone())).collect()
    }
}

impl fmt::Debug for DictObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dict({} keys)", self.0.len())
    }
}

impl Object for DictObject {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.lookup(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.lookup(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(mapping::key).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match mapping::call(&**self, method, args)? {
            Some(result) => Ok(result),
            None => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mapping::repr(&**self))
    }
}
