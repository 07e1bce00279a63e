//! Values into whatever serde deserialises.

use serde::de::value::{MapDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::{Int, Text, Value};
use super::error::SerdeError;
use super::key::KeyDeserializer;
use super::{MAX_DEPTH, marked, whole};

pub(super) struct ValueDeserializer {
    value: Value,
    depth: usize,
}

impl ValueDeserializer {
    pub(super) fn new(value: Value) -> Self {
        Self { value, depth: 0 }
    }

    fn check_depth(&self) -> Result<usize, SerdeError> {
        if self.depth == MAX_DEPTH {
            return Err(SerdeError::too_deep());
        }
        Ok(self.depth + 1)
    }
}

pub(super) fn wrong(value: &Value, expected: &dyn Expected) -> SerdeError {
    SerdeError::new(format!("expected {expected}, found {}", value.type_name()))
}

/// Shows an integer to a type that asked for one.
fn visit_int<'de, V: Visitor<'de>>(int: &Int, visitor: V) -> Result<V::Value, SerdeError> {
    if let Some(small) = int.as_i64() {
        visitor.visit_i64(small)
    } else if let Ok(large) = u64::try_from(int) {
        visitor.visit_u64(large)
    } else if let Ok(large) = i128::try_from(int) {
        visitor.visit_i128(large)
    } else if let Ok(large) = u128::try_from(int) {
        visitor.visit_u128(large)
    } else {
        Err(SerdeError::new("the int is larger than any that serde knows"))
    }
}

/// Whether serde has a form for the value where the type asks for any value: it has none for
/// integers beyond 64 bits, for lone surrogates, and for very deep nesting.
pub(super) fn has_form(value: &Value, depth: usize) -> bool {
    match value {
        Value::Int(int) => int.as_i64().is_some() || u64::try_from(int).is_ok(),
        Value::Text(text) | Value::Markup(text) => text.as_str().is_some(),
        Value::List(items) | Value::Tuple(items) => {
            depth < MAX_DEPTH && items.iter().all(|item| has_form(item, depth + 1))
        }
        Value::Dict(dict) => {
            let has_form =
                |(key, item): (&Text, &Value)| key.as_str().is_some() && has_form(item, depth + 1);
            depth < MAX_DEPTH && dict.iter().all(has_form)
        }
        _ => true,
    }
}

/// Shows a value that serde has no form for: what a mark of this name contains, in a newtype within
/// another.
///
/// `Int`, `Text` and `Value` read it, also from the copy that serde makes of the fields of flattened
/// structs and of tagged enums.
struct Wrapped {
    name: &'static str,
    value: Value,
}

impl<'de> Deserializer<'de> for Wrapped {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let value =
            marked::expose(self.name, self.value).map_err(|other| wrong(&other, &visitor))?;
        visitor.visit_newtype_struct(ValueDeserializer::new(value))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
            match &self.value {
                Value::Int(int) => visit_int(int, visitor),
                _ => self.deserialize_any(visitor),
            }
        }
    )*};
}

pub(super) fn visit_text<'de, V: Visitor<'de>>(
    text: Text,
    visitor: V,
) -> Result<V::Value, SerdeError> {
    match text.into_string() {
        Ok(valid) => visitor.visit_string(valid),
        Err(_) => Err(SerdeError::new("the str has lone surrogates, which Rust's text can't hold")),
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer {
    type Error = SerdeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Int(ref int) if has_form(&self.value, 0) => visit_int(int, visitor),
            value @ Value::Int(_) => {
                visitor.visit_newtype_struct(Wrapped { name: marked::INT, value })
            }
            Value::Float(float) => visitor.visit_f64(float),
            Value::Text(text) | Value::Markup(text) => match text.into_string() {
                Ok(valid) => visitor.visit_string(valid),
                Err(text) => {
                    let value = Value::Text(text);
                    visitor.visit_newtype_struct(Wrapped { name: marked::TEXT, value })
                }
            },
            // They are not shown as bytes, which serde's visitors for text would take.
            Value::Bytes(bytes) => {
                let mut items = SeqDeserializer::new(bytes.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }
            Value::List(_) | Value::Tuple(_) => self.visit_items(visitor),
            Value::Dict(_) => self.visit_members(&[], visitor),
            Value::Uuid(uuid) => visitor.visit_string(uuid.to_string()),
            Value::DateTime(time) => visitor.visit_string(time.to_rfc3339()),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.value.as_f64() {
            Some(float) => visitor.visit_f64(float),
            None => Err(wrong(&self.value, &visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.value {
            Value::Bytes(_) => Err(wrong(&self.value, &visitor)),
            Value::Text(text) | Value::Markup(text) => visit_text(text, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        match self.value {
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::List(_) | Value::Tuple(_) => self.visit_items(visitor),
            other => Err(wrong(&other, &visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        if name == marked::VALUE {
            return whole::hand_over(self.value, visitor);
        }
        let value = marked::expose(name, self.value).map_err(|other| wrong(&other, &visitor))?;
        visitor.visit_newtype_struct(Self { value, depth: self.depth })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        let depth = self.check_depth()?;
        match self.value {
            Value::Text(variant) => visitor.visit_enum(Enum { variant, content: None }),
            Value::Dict(dict) if dict.len() == 1 => match dict.into_iter().next() {
                Some((variant, value)) => {
                    visitor.visit_enum(Enum { variant, content: Some(Self { value, depth }) })
                }
                None => Err(SerdeError::new("the enum has no variant")),
            },
            other => Err(wrong(&other, &visitor)),
        }
    }

    /// Shows the fields that the type names in the order in which it names them, so that an enum with
    /// a tag and a content finds its tag first, and needs no copy of the content.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        match self.value {
            Value::Dict(_) => self.visit_members(fields, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool char unit unit_struct seq tuple tuple_struct map identifier
    }
}

impl ValueDeserializer {
    fn visit_items<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SerdeError> {
        let depth = self.check_depth()?;
        let values = match self.value {
            Value::List(values) | Value::Tuple(values) => values,
            other => return Err(wrong(&other, &visitor)),
        };
        let mut items = SeqDeserializer::new(values.into_iter().map(|value| Self { value, depth }));
        let value = visitor.visit_seq(&mut items)?;
        items.end().map(|()| value)
    }

    fn visit_members<'de, V: Visitor<'de>>(
        self,
        first: &[&str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        let depth = self.check_depth()?;
        let mut dict = match self.value {
            Value::Dict(dict) => dict,
            other => return Err(wrong(&other, &visitor)),
        };
        let named: Vec<(Text, Value)> = first
            .iter()
            .filter_map(|name| Some((Text::from(*name), dict.remove(*name)?)))
            .collect();
        let members = named.into_iter().chain(dict);
        let members = members.map(|(key, value)| (KeyDeserializer(key), Self { value, depth }));
        let mut members = MapDeserializer::new(members);
        let value = visitor.visit_map(&mut members)?;
        members.end().map(|()| value)
    }
}

impl IntoDeserializer<'_, SerdeError> for ValueDeserializer {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// An enum's variant, and its contents if it has any.
pub(super) struct Enum {
    pub(super) variant: Text,
    pub(super) content: Option<ValueDeserializer>,
}

impl<'de> EnumAccess<'de> for Enum {
    type Error = SerdeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(
        mut self,
        seed: S,
    ) -> Result<(S::Value, Self), SerdeError> {
        let name = std::mem::take(&mut self.variant).to_string();
        let name: StringDeserializer<SerdeError> = name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Enum {
    type Error = SerdeError;

    fn unit_variant(self) -> Result<(), SerdeError> {
        match self.content.map(|content| content.value) {
            None | Some(Value::Null) => Ok(()),
            Some(other) => Err(wrong(&other, &"a variant without contents")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, SerdeError> {
        seed.deserialize(self.content.ok_or_else(no_contents)?)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.content.ok_or_else(no_contents)?.visit_items(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SerdeError> {
        self.content.ok_or_else(no_contents)?.visit_members(fields, visitor)
    }
}

fn no_contents() -> SerdeError {
    SerdeError::new("the variant lacks its contents")
}
