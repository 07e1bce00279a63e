//! A [`Value`] passes through serde whole: with its types, however deep, and without a copy of each
//! part.
//!
//! serde's traits can't hand over a value of a type that they don't know, so that it takes a place of
//! the thread's between `Value` and this module's serializer and deserializer. Other formats never
//! look there.

use std::cell::Cell;

use serde::de::Visitor;
use serde::de::value::UnitDeserializer;
use serde::ser::{Serialize, SerializeTuple, Serializer};

use super::super::{Markup, Value};
use super::error::SerdeError;

thread_local! {
    /// Whether the next `Value` that is serialised is to be handed over.
    static IS_WANTED: Cell<bool> = const { Cell::new(false) };
    static HANDED_OVER: Cell<Option<Value>> = const { Cell::new(None) };
}

/// The serialised form of a `Value` within a newtype.
pub(super) struct Whole<'a>(pub(super) &'a Value);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if IS_WANTED.take() {
            HANDED_OVER.set(Some(self.0.clone()));
            return serializer.serialize_unit();
        }
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => int.serialize(serializer),
            Value::Float(float) => serializer.serialize_f64(*float),
            Value::Text(text) => text.serialize(serializer),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::List(items) => serializer.collect_seq(items),
            Value::Tuple(items) => {
                let mut tuple = serializer.serialize_tuple(items.len())?;
                for item in items {
                    tuple.serialize_element(item)?;
                }
                tuple.end()
            }
            Value::Dict(dict) => dict.serialize(serializer),
            Value::Markup(text) => Markup::from(text).serialize(serializer),
            Value::Uuid(uuid) => uuid.serialize(serializer),
            Value::DateTime(time) => time.serialize(serializer),
        }
    }
}

/// Serialises what a newtype contains, and returns it whole if it is a [`Value`].
pub(super) fn serialized(
    serialize: impl FnOnce() -> Result<Value, SerdeError>,
) -> Result<Value, SerdeError> {
    IS_WANTED.set(true);
    let serialized = serialize();
    IS_WANTED.set(false);
    HANDED_OVER.take().map_or(serialized, Ok)
}

/// Shows a value to a visitor that reads a `Value`, and takes it whole.
pub(super) fn hand_over<'de, V: Visitor<'de>>(
    value: Value,
    visitor: V,
) -> Result<V::Value, SerdeError> {
    HANDED_OVER.set(Some(value));
    let visited = visitor.visit_newtype_struct(UnitDeserializer::new());
    HANDED_OVER.set(None);
    visited
}

/// The value that was handed over, for a visitor that reads a `Value`.
pub(super) fn handed_over() -> Option<Value> {
    HANDED_OVER.take()
}
