//! A struct whose fields are looked up one by one, each under its own name.

use std::vec;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::deserialize::ValueDeserializer;
use super::error::SerdeError;
use super::key::KeyDeserializer;
use crate::{Error, Text, Value};

/// Where the fields of a struct are.
pub trait Fields {
    /// The value of a field; `None` if there is none of that name.
    fn field(&mut self, name: &[u8]) -> Option<Value>;

    /// The names of all that could be a field.
    fn names(&mut self) -> Vec<Text>;
}

/// Reads a struct. Only the fields that it names are looked at, unless it asks for any (with
/// serde's `flatten`).
///
/// # Errors
/// [`Type`](crate::ErrorKind::Type) if the struct can't be read. The error names the field.
pub fn read_fields<T: DeserializeOwned>(fields: &mut dyn Fields) -> Result<T, Error> {
    T::deserialize(FieldsDeserializer(fields)).map_err(SerdeError::into_type)
}

struct FieldsDeserializer<'a>(&'a mut dyn Fields);

impl<'a> FieldsDeserializer<'a> {
    fn visit<'de, V: Visitor<'de>>(
        self,
        names: Vec<Text>,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_map(Lookup { fields: self.0, names: names.into_iter(), found: None })
    }
}

impl<'de> Deserializer<'de> for FieldsDeserializer<'_> {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let names = self.0.names();
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
struct Lookup<'a> {
    fields: &'a mut dyn Fields,
    names: vec::IntoIter<Text>,
    found: Option<(Text, Value)>,
}

impl<'de> MapAccess<'de> for Lookup<'_> {
    type Error = SerdeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, SerdeError> {
        for name in self.names.by_ref() {
            let Some(value) = self.fields.field(name.as_wtf8()) else { continue };
            let key = match name.as_str() {
                Some(name) => seed.deserialize(StrDeserializer::new(name)),
                None => seed.deserialize(KeyDeserializer(name.clone())),
            };
            self.found = Some((name, value));
            return key.map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, SerdeError> {
        let Some((name, value)) = self.found.take() else {
            return Err(SerdeError::new("a value was asked for before its key"));
        };
        seed.deserialize(ValueDeserializer::new(value)).map_err(|error| {
            SerdeError::new(format!("the session's key {:?}: {error}", name.to_string()))
        })
    }
}
