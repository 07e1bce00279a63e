//! A struct whose fields are looked up one by one, each under its own name.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::vec;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::deserialize::{ValueDeserializer, has_form};
use super::empty::EmptyDeserializer;
use super::error::SerdeError;
use super::key::KeyDeserializer;
use super::{Stored, direct};
use crate::{Error, Text};

/// The fields of a struct that is read from a session.
pub trait Fields {
    /// Returns the value of a field; `None` if there is no field of that name.
    fn field(&mut self, name: &[u8]) -> Option<Stored<'_>>;

    /// Returns the names of all possible fields.
    fn names(&mut self) -> Vec<Text>;

    /// Returns whether the struct itself names this field.
    fn is_named(&self, name: &Text) -> bool;
}

/// Reads a struct. Only the fields that it names are looked at, unless it asks for any (with
/// serde's `flatten`).
///
/// - A field that is nowhere and has no default is read as an empty value, since serde leaves such
///   values out with `skip_serializing_if`.
/// - If the struct asks for any field, and reading fails, the fields that it doesn't name and that
///   serde has no form for are left out.
///
/// # Errors
/// [`Type`](crate::ErrorKind::Type) if the struct can't be read. The error names the field.
pub fn read_fields<T: DeserializeOwned>(fields: &mut dyn Fields) -> Result<T, Error> {
    let mut reading = Reading {
        fields,
        empty: BTreeSet::new(),
        asks_for_any: false,
        leaves_out: false,
        gave_up: Cell::new(false),
        is_direct: true,
    };
    loop {
        let read = T::deserialize(FieldsDeserializer(&mut reading));
        let gave_up = reading.gave_up.take();
        let error = match read {
            Ok(read) if !gave_up => return Ok(read),
            Ok(_) => {
                reading.is_direct = false;
                continue;
            }
            Err(error) => error,
        };
        let is_other_now = match error.missing {
            Some(field) => reading.empty.insert(Text::from(field)),
            None if reading.is_direct => std::mem::replace(&mut reading.is_direct, false),
            None => reading.asks_for_any && !std::mem::replace(&mut reading.leaves_out, true),
        };
        if !is_other_now {
            return Err(error.into_type());
        }
    }
}

struct Reading<'a> {
    fields: &'a mut dyn Fields,
    /// Fields that are nowhere and are read as empty.
    empty: BTreeSet<Text>,
    /// Whether the struct asked for any field.
    asks_for_any: bool,
    /// Whether values that serde has no form for are left out.
    leaves_out: bool,
    /// Whether fields are read straight from their JSON.
    is_direct: bool,
    /// Whether a field could not be read straight from its JSON.
    gave_up: Cell<bool>,
}

impl Reading<'_> {
    /// Returns every field.
    fn any(&mut self) -> Vec<Text> {
        self.asks_for_any = true;
        let mut names = self.fields.names();
        names.extend(self.empty.iter().cloned());
        if self.leaves_out {
            let fields = &mut *self.fields;
            names.retain(|name| {
                fields.is_named(name)
                    || name.as_str().is_some()
                        && fields.field(name.as_wtf8()).is_none_or(stored_has_form)
            });
        }
        names
    }
}

fn stored_has_form(stored: Stored<'_>) -> bool {
    stored.into_value().is_ok_and(|value| has_form(&value, 0))
}

struct FieldsDeserializer<'a, 'f>(&'a mut Reading<'f>);

impl<'a, 'f> FieldsDeserializer<'a, 'f> {
    fn visit<'de, V: Visitor<'de>>(
        self,
        names: Vec<Text>,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_map(Lookup { reading: self.0, names: names.into_iter(), found: None })
    }
}

impl<'de> Deserializer<'de> for FieldsDeserializer<'_, '_> {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let names = self.0.any();
        self.visit(names, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        let names = fields.iter().map(|name| Text::from(*name)).collect();
        self.visit(names, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The fields that are there, in the order of their names.
struct Lookup<'a, 'f> {
    reading: &'a mut Reading<'f>,
    names: vec::IntoIter<Text>,
    found: Option<Text>,
}

impl<'de> MapAccess<'de> for Lookup<'_, '_> {
    type Error = SerdeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, SerdeError> {
        for name in self.names.by_ref() {
            let is_there = self.reading.fields.field(name.as_wtf8()).is_some();
            if !is_there && !self.reading.empty.contains(&name) {
                continue;
            }
            let key = match name.as_str() {
                Some(name) => seed.deserialize(StrDeserializer::new(name)),
                None => seed.deserialize(KeyDeserializer(name.clone())),
            };
            self.found = Some(name);
            return key.map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, SerdeError> {
        let Some(name) = self.found.take() else {
            return Err(SerdeError::new("a value was asked for before its key"));
        };
        let Reading { fields, is_direct, gave_up, .. } = &mut *self.reading;
        let read = match fields.field(name.as_wtf8()) {
            Some(Stored::Json(json)) if *is_direct => direct::read_seed(&json, gave_up, seed),
            Some(stored) => {
                let value = stored.into_value().map_err(|_| SerdeError::new("it is unreadable"))?;
                seed.deserialize(ValueDeserializer::new(value))
            }
            None => seed.deserialize(EmptyDeserializer),
        };
        read.map_err(|error| {
            SerdeError::new(format!("the session's key {:?}: {error}", name.to_string()))
        })
    }
}
