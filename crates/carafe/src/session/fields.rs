//! Reads the keys of a session as the fields of a struct, and finds the keys that a change writes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::login::check_key;
use crate::content::{RESERVED, View};
use crate::value::{Dict, Fields, Stored, Text, Value, read_fields};
use crate::{Error, ErrorKind};

/// Fields with their new values; `None` removes the field.
pub(super) type Written = Vec<(Text, Option<Value>)>;

/// The fields of a session before and during a change.
pub(super) struct Editing<T> {
    pub(super) fields: T,
    before: Dict,
    /// The fields that the session doesn't hold yet.
    missing: Vec<Text>,
}

/// The keys that a change of fields writes.
#[derive(Default)]
pub(super) struct Changes {
    /// The defaults of missing fields that the change left alone. They are saved because
    /// `T::default()` may return other values next time.
    pub(super) defaults: Vec<(Text, Value)>,
    pub(super) changed: Written,
    /// The fields that serde writes.
    names: BTreeSet<Text>,
}

impl<T: Serialize + DeserializeOwned + Default> Editing<T> {
    pub(super) fn begin(view: &mut View) -> Result<Self, Error> {
        let fields: T = read(view)?;
        let before = to_dict(&fields)?;
        let missing = before.keys().filter(|key| !view.contains(key.as_wtf8())).cloned().collect();
        Ok(Self { fields, before, missing })
    }

    /// Returns the keys to write after the change.
    pub(super) fn changes(&self) -> Result<Changes, Error> {
        let (after, defaults) = (to_dict(&self.fields)?, to_dict(&T::default())?);
        let mut changed = Written::new();
        for (key, value) in &after {
            if self.before.get(key) != Some(value) {
                let removed = value.is_null() && defaults.get(key).is_none_or(Value::is_null);
                changed.push((key.clone(), (!removed).then(|| value.clone())));
            }
        }
        // serde can skip fields. A skipped field would come back with its default.
        for (key, old) in self.before.iter().filter(|(key, _)| !after.contains_key(*key)) {
            changed.push((key.clone(), defaults.contains_key(key).then(|| empty_like(old))));
        }
        if changed.is_empty() {
            return Ok(Changes::default());
        }
        let is_unchanged = |key: &&Text| !changed.iter().any(|(other, _)| other == *key);
        let defaults = self.missing.iter().filter(is_unchanged).filter_map(|key| {
            let value = self.before.get(key).filter(|value| !value.is_null())?;
            Some((key.clone(), value.clone()))
        });
        let changes = Changes {
            defaults: defaults.collect(),
            names: after.keys().cloned().collect(),
            changed,
        };
        changes.keys().try_for_each(|key| check_key(key.as_wtf8()))?;
        Ok(changes)
    }
}

impl Changes {
    fn keys(&self) -> impl Iterator<Item = &Text> {
        self.defaults.iter().map(|(key, _)| key).chain(self.changed.iter().map(|(key, _)| key))
    }

    /// Returns all keys to write, for a caller that holds the session's lock.
    pub(super) fn into_written(self) -> Written {
        let defaults = self.defaults.into_iter().map(|(key, value)| (key, Some(value)));
        defaults.chain(self.changed).collect()
    }

    /// Checks that a session with these changes reads back as the intended fields.
    pub(super) fn check<T>(&self, view: &mut View) -> Result<(), Error>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        if self.changed.is_empty() {
            return Ok(());
        }
        let defaults = self.defaults.iter().map(|(key, value)| (key, Some(value)));
        let changed = self.changed.iter().map(|(key, value)| (key, value.as_ref()));
        let written = defaults.chain(changed).collect();
        let refused = |error: &str| {
            let message = format!("the fields can't be read again as they would be saved: {error}");
            Error::new(ErrorKind::Value, message)
        };
        let read: T = read_over(view, written).map_err(|error| refused(&error.to_string()))?;
        let read = to_dict(&read)?;
        let names: BTreeSet<&Text> = read.keys().collect();
        match names.symmetric_difference(&self.names.iter().collect()).next() {
            None => Ok(()),
            Some(name) => Err(refused(&format!(
                "serde skips {:?} for a value that isn't its default",
                name.to_string()
            ))),
        }
    }
}

/// Returns the empty value of a type, which serde attributes usually skip.
fn empty_like(value: &Value) -> Value {
    match value {
        Value::List(_) | Value::Tuple(_) => Value::List(Vec::new()),
        Value::Dict(_) => Value::Dict(Dict::new()),
        Value::Text(_) | Value::Markup(_) => Value::Text(Text::new()),
        Value::Bool(_) => Value::Bool(false),
        Value::Int(_) => Value::from(0),
        Value::Float(_) => Value::Float(0.0),
        Value::Bytes(_) => Value::Bytes(Vec::new()),
        _ => Value::Null,
    }
}

fn to_dict<T: Serialize>(fields: &T) -> Result<Dict, Error> {
    match Value::from_serialize(fields)? {
        Value::Dict(dict) => Ok(dict),
        other => Err(Error::new(
            ErrorKind::Value,
            format!(
                "a typed session must be a struct with named fields, and this type is written as {}",
                other.type_name()
            ),
        )),
    }
}

/// Reads all fields: from the view, or from the type's default if the view lacks them.
pub(super) fn read<T: Serialize + DeserializeOwned + Default>(view: &mut View) -> Result<T, Error> {
    read_over(view, Vec::new())
}

/// Reads all fields as [`read`] does, with some fields replaced.
fn read_over<T: Serialize + DeserializeOwned + Default>(
    view: &mut View,
    written: Vec<(&Text, Option<&Value>)>,
) -> Result<T, Error> {
    Ok(read_fields(&mut ViewFields { view, written, defaults: to_dict(&T::default())? })?)
}

/// The fields of a view, and the defaults of a new session.
struct ViewFields<'a> {
    view: &'a mut View,
    written: Vec<(&'a Text, Option<&'a Value>)>,
    defaults: Dict,
}

impl Fields for ViewFields<'_> {
    fn field(&mut self, name: &[u8]) -> Option<Stored<'_>> {
        if name.starts_with(RESERVED) {
            return None;
        }
        self.view.note_read(name);
        let stored = match self.written.iter().find(|(key, _)| key.as_wtf8() == name) {
            Some((_, value)) => value.map(|value| Stored::Value(Cow::Borrowed(value))),
            None => self.view.stored(name),
        };
        stored.or_else(|| {
            let default = self.defaults.get(Text::from_wtf8(name))?;
            Some(Stored::Value(Cow::Borrowed(default)))
        })
    }

    fn names(&mut self) -> Vec<Text> {
        let mut names: BTreeSet<Text> = self.view.keys().into_iter().collect();
        names.extend(self.written.iter().map(|(key, _)| (*key).clone()));
        names.extend(self.defaults.keys().cloned());
        names.into_iter().collect()
    }

    fn is_named(&self, name: &Text) -> bool {
        self.defaults.contains_key(name)
    }
}

/// Returns the names of a type's fields.
pub(super) fn names<T>() -> Result<BTreeSet<Text>, Error>
where
    T: Serialize + DeserializeOwned + Default,
{
    let defaults = to_dict(&T::default())?;
    let mut asked = AskedFor(defaults.keys().cloned().collect());
    // Only the names are of interest, not the value or the error.
    drop(read_fields::<T>(&mut asked));
    Ok(asked.0)
}

/// A deserializer's map that records the names of the fields it is asked for.
struct AskedFor(BTreeSet<Text>);

impl Fields for AskedFor {
    fn field(&mut self, name: &[u8]) -> Option<Stored<'_>> {
        self.0.insert(Text::from_wtf8(name));
        None
    }

    fn names(&mut self) -> Vec<Text> {
        Vec::new()
    }

    fn is_named(&self, _name: &Text) -> bool {
        true
    }
}
