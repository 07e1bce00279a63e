//! The value of a field that serde leaves out both of a session and of the type's default.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::super::{Int, Text, Value};
use super::deserialize::ValueDeserializer;
use super::error::SerdeError;
use super::marked;

/// The empty value of the type that asks: no text, no items, no `Option`, zero, `false`.
///
/// It is what `skip_serializing_if` leaves out as a rule. What reads it checks that serde leaves it
/// out.
#[derive(Clone, Copy)]
pub(super) struct EmptyDeserializer;

macro_rules! empty {
    ($($method:ident $visit:ident($value:expr))*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for EmptyDeserializer {
    type Error = SerdeError;

    empty! {
        deserialize_bool visit_bool(false)
        deserialize_i8 visit_i8(0)
        deserialize_i16 visit_i16(0)
        deserialize_i32 visit_i32(0)
        deserialize_i64 visit_i64(0)
        deserialize_i128 visit_i128(0)
        deserialize_u8 visit_u8(0)
        deserialize_u16 visit_u16(0)
        deserialize_u32 visit_u32(0)
        deserialize_u64 visit_u64(0)
        deserialize_u128 visit_u128(0)
        deserialize_f32 visit_f32(0.0)
        deserialize_f64 visit_f64(0.0)
        deserialize_str visit_str("")
        deserialize_string visit_str("")
        deserialize_bytes visit_bytes(&[])
        deserialize_byte_buf visit_bytes(&[])
        deserialize_seq visit_seq(SeqDeserializer::new(std::iter::empty::<Self>()))
        deserialize_map visit_map(MapDeserializer::new(std::iter::empty::<(Self, Self)>()))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_none()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        visitor.visit_map(MapDeserializer::new(fields.iter().map(|field| (*field, self))))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        let value = match name {
            marked::INT => Value::Int(Int::from(0)),
            marked::TEXT => Value::Text(Text::new()),
            marked::MARKUP => Value::Markup(Text::new()),
            _ => return visitor.visit_newtype_struct(self),
        };
        ValueDeserializer::new(value).deserialize_newtype_struct(name, visitor)
    }

    forward_to_deserialize_any! {
        char unit unit_struct tuple tuple_struct enum identifier ignored_any
    }
}

impl IntoDeserializer<'_, SerdeError> for EmptyDeserializer {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
