//! Flask's types through serde.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::super::{DateTime, Int, Markup, Text, Uuid, Value};
use super::error::SerdeError;

pub(super) const VALUE: &str = "$carafe::value::Value";
pub(super) const DATETIME: &str = "$carafe::value::DateTime";
pub(super) const UUID: &str = "$carafe::value::Uuid";
pub(super) const MARKUP: &str = "$carafe::value::Markup";
pub(super) const TEXT: &str = "$carafe::value::Text";
pub(super) const INT: &str = "$carafe::value::Int";

pub(super) fn is_mark(name: &str) -> bool {
    name.starts_with("$carafe::")
}

/// Restores the type of a newtype's name from its serialised contents.
pub(super) fn restore(name: &str, contents: Value) -> Result<Value, SerdeError> {
    let restored = match (name, contents) {
        (DATETIME, Value::Text(text)) => {
            text.as_str().and_then(DateTime::from_rfc3339).map(Value::DateTime)
        }
        (UUID, Value::Text(text)) => text.as_str().and_then(Uuid::parse_python).map(Value::Uuid),
        (MARKUP, Value::Text(text)) => Some(Value::Markup(text)),
        (TEXT, Value::List(units)) => units
            .iter()
            .map(|unit| unit.as_i64().and_then(|unit| u16::try_from(unit).ok()))
            .collect::<Option<Vec<u16>>>()
            .map(|units| Value::Text(Text::from_utf16(&units))),
        (INT, Value::Text(text)) => {
            text.as_str().and_then(|text| text.parse().ok()).map(Value::Int)
        }
        (_, contents) => Some(contents),
    };
    restored.ok_or_else(|| SerdeError::new("a type of carafe was serialised by other code"))
}

/// The form in which the contents of a newtype of this name travel, or the value itself if it is
/// of another type.
pub(super) fn expose(name: &str, value: Value) -> Result<Value, Value> {
    match (name, value) {
        (DATETIME, Value::DateTime(time)) => Ok(Value::from(time.to_rfc3339())),
        (UUID, Value::Uuid(uuid)) => Ok(Value::from(uuid.to_string())),
        (MARKUP, Value::Markup(text)) => Ok(Value::Text(text)),
        (TEXT, Value::Text(text) | Value::Markup(text)) => match text.as_str() {
            Some(_) => Ok(Value::Text(text)),
            None => Ok(Value::from(utf16(&text))),
        },
        (INT, Value::Int(int)) => match int.as_i64() {
            Some(_) => Ok(Value::Int(int)),
            None => Ok(Value::from(int.to_string())),
        },
        (name, other) if is_mark(name) => Err(other),
        (_, value) => Ok(value),
    }
}

fn utf16(text: &Text) -> Vec<u16> {
    let mut units = Vec::new();
    for c in text.code_points() {
        match char::from_u32(c) {
            Some(c) => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
            None => units.extend(u16::try_from(c)),
        }
    }
    units
}

impl Serialize for DateTime {
    /// In other formats, RFC 3339 text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(DATETIME, &self.to_rfc3339())
    }
}

impl Serialize for Uuid {
    /// In other formats, text with hyphens.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(UUID, &self.to_string())
    }
}

impl Serialize for Markup {
    /// In other formats, text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(MARKUP, self.as_text())
    }
}

impl Serialize for Text {
    /// In other formats, text, or UTF-16 code units if it has lone surrogates.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(valid) => serializer.serialize_str(valid),
            None => serializer.serialize_newtype_struct(TEXT, &utf16(self)),
        }
    }
}

impl Serialize for Int {
    /// In other formats, a number, or text beyond 64 bits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_i64() {
            Some(small) => serializer.serialize_i64(small),
            None => serializer.serialize_newtype_struct(INT, &self.to_string()),
        }
    }
}

/// Reads a type whose contents travel as another type of serde's.
struct Newtype<T, C> {
    expected: &'static str,
    read: fn(C) -> Option<T>,
}

impl<'de, T, C: Deserialize<'de>> Visitor<'de> for Newtype<T, C> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        (self.read)(C::deserialize(inner)?)
            .ok_or_else(|| D::Error::custom(format_args!("expected {}", self.expected)))
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: String| Self::from_rfc3339(&text);
        deserializer.deserialize_newtype_struct(DATETIME, Newtype { expected: "datetime", read })
    }
}

impl<'de> Deserialize<'de> for Uuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: String| Self::parse_python(&text);
        deserializer.deserialize_newtype_struct(UUID, Newtype { expected: "UUID", read })
    }
}

impl<'de> Deserialize<'de> for Markup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: Text| Some(Self::from(text));
        deserializer.deserialize_newtype_struct(MARKUP, Newtype { expected: "Markup", read })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(TEXT, TextVisitor)
    }
}

pub(super) struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("str")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Text, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::from(text))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Text, E> {
        Ok(Text::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        let mut units = Vec::new();
        while let Some(unit) = seq.next_element()? {
            units.push(unit);
        }
        Ok(Text::from_utf16(&units))
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(INT, IntVisitor)
    }
}

pub(super) struct IntVisitor;

impl<'de> Visitor<'de> for IntVisitor {
    type Value = Int;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("int")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Int, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_i64<E: serde::de::Error>(self, int: i64) -> Result<Int, E> {
        Ok(Int::from(int))
    }

    fn visit_u64<E: serde::de::Error>(self, int: u64) -> Result<Int, E> {
        Ok(Int::from(int))
    }

    fn visit_i128<E: serde::de::Error>(self, int: i128) -> Result<Int, E> {
        Ok(Int::from(int))
    }

    fn visit_u128<E: serde::de::Error>(self, int: u128) -> Result<Int, E> {
        Ok(Int::from(int))
    }

    fn visit_str<E: serde::de::Error>(self, digits: &str) -> Result<Int, E> {
        digits.parse().map_err(|_| E::invalid_type(Unexpected::Str(digits), &self))
    }
}

/// `#[serde(with = "carafe::value::as_uuid")]`: a field that converts from and into
/// [`Uuid`](crate::Uuid), such as a `uuid::Uuid`, is a `UUID` for Python.
///
/// ```
/// use carafe::value::Value;
///
/// # #[cfg(feature = "uuid")] {
/// #[derive(serde::Serialize)]
/// struct Visit {
///     #[serde(with = "carafe::value::as_uuid")]
///     id: uuid::Uuid,
/// }
///
/// let visit = Value::from_serialize(&Visit { id: uuid::Uuid::nil() }).unwrap();
/// assert_eq!(visit.as_dict().unwrap().get("id").unwrap().type_name(), "UUID");
/// # }
/// ```
pub mod as_uuid {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Uuid};

    /// Serialises the field as a UUID.
    ///
    /// # Errors
    ///
    /// The error of the serializer.
    pub fn serialize<T: Clone + Into<Uuid>, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.clone().into().serialize(serializer)
    }

    /// Deserialises the field from a UUID.
    ///
    /// # Errors
    ///
    /// The error of the deserializer if it finds no UUID.
    pub fn deserialize<'de, T: From<Uuid>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Uuid::deserialize(deserializer).map(T::from)
    }
}

/// `#[serde(with = "carafe::value::as_datetime")]`: a field that converts from and into
/// [`DateTime`](crate::DateTime), such as a [`SystemTime`](std::time::SystemTime) or a time of
/// jiff, chrono or time, is a `datetime` for Python.
///
/// ```
/// use carafe::value::Value;
/// use std::time::SystemTime;
///
/// #[derive(serde::Serialize)]
/// struct Visit {
///     #[serde(with = "carafe::value::as_datetime")]
///     at: SystemTime,
/// }
///
/// let visit = Value::from_serialize(&Visit { at: SystemTime::now() })?;
/// assert_eq!(visit.as_dict().unwrap().get("at").unwrap().type_name(), "datetime");
/// # Ok::<(), carafe::Error>(())
/// ```
pub mod as_datetime {
    use super::{DateTime, Deserialize, Deserializer, Serialize, Serializer};

    /// Serialises the field as a datetime.
    ///
    /// # Errors
    ///
    /// The error of the serializer.
    pub fn serialize<T: Clone + Into<DateTime>, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.clone().into().serialize(serializer)
    }

    /// Deserialises the field from a datetime.
    ///
    /// # Errors
    ///
    /// The error of the deserializer if it finds no datetime.
    pub fn deserialize<'de, T: From<DateTime>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        DateTime::deserialize(deserializer).map(T::from)
    }
}
