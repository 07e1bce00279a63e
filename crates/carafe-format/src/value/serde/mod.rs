//! Values from and into whatever serde knows.
//!
//! serde has no dates, UUIDs or markup, so [`DateTime`](crate::DateTime), [`Uuid`](crate::Uuid)
//! and [`Markup`](crate::Markup) travel as newtypes of a name that only this module knows. Other
//! formats see through it.

#[cfg(test)]
mod both_ways;
mod deserialize;
mod direct;
mod empty;
mod error;
mod fields;
mod key;
mod marked;
mod serialize;
mod stored;
#[cfg(test)]
mod tests;
mod value;
mod whole;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Value;
use crate::Error;

pub use fields::{Fields, read_fields};
pub use marked::{as_datetime, as_uuid};
pub use stored::Stored;

/// Levels of nesting that go through serde, whose functions take much of the stack for each.
const MAX_DEPTH: usize = 128;

impl Value {
    /// Returns the value of anything that serde serialises.
    ///
    /// Sequences become lists, serde's tuples (which Rust's arrays are too) become tuples, structs
    /// and maps dictionaries, `None` and `()` null. Enums take the form that they have in JSON.
    /// The keys of a map may be text, numbers, `bool`s or variants, all of which become text.
    ///
    /// A type of another crate becomes what it tells serde: a `uuid::Uuid` or a time becomes text.
    /// To keep it a `UUID` or `datetime` for Python, let the field be of type
    /// [`Uuid`](crate::Uuid) or [`DateTime`](crate::DateTime), or annotate it with [`as_uuid`] or
    /// [`as_datetime`].
    ///
    /// # Errors
    ///
    /// [`Value`](crate::ErrorKind::Value) if the type refuses to be serialised, has a key that is
    /// none of the above, or is nested more than 128 levels.
    ///
    /// ```
    /// use carafe::value::{DateTime, Value};
    ///
    /// #[derive(serde::Serialize)]
    /// struct Cart {
    ///     items: Vec<(u32, String)>,
    ///     opened: DateTime,
    /// }
    ///
    /// let opened = DateTime::from_unix(0).unwrap();
    /// let cart = Cart { items: vec![(2, "pear".into())], opened };
    /// assert_eq!(
    ///     Value::from_serialize(&cart)?.to_tagged_json()?,
    ///     r#"{"items":[{" t":[2,"pear"]}],"opened":{" d":"Thu, 01 Jan 1970 00:00:00 GMT"}}"#,
    /// );
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn from_serialize<T: Serialize + ?Sized>(source: &T) -> Result<Self, Error> {
        source
            .serialize(serialize::ValueSerializer { depth: 0 })
            .map_err(error::SerdeError::into_value)
    }

    /// Reads the value as anything that serde deserialises.
    ///
    /// Lists and tuples are alike. A `UUID` is read as the text with hyphens, and a `datetime` as
    /// RFC 3339 text, where the type asks for text. Bytes are never read as text.
    ///
    /// # Errors
    ///
    /// [`Type`](crate::ErrorKind::Type) if the type can't be read from the value, or is nested
    /// more than 128 levels. The error names types and fields, but shows no value; what the type's
    /// own code says about the value is left out for the same reason.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// let value = Value::from_tagged_json(br#"{" t":[1,"a"]}"#)?;
    /// let (number, text): (u8, String) = value.deserialize_into()?;
    /// assert_eq!((number, text.as_str()), (1, "a"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn deserialize_into<T: DeserializeOwned>(self) -> Result<T, Error> {
        T::deserialize(deserialize::ValueDeserializer::new(self))
            .map_err(error::SerdeError::into_type)
    }
}

/// Reads Flask's tagged JSON as anything that serde deserialises: the same as
/// [`Value::from_tagged_json`] and [`Value::deserialize_into`], in one step for what most sessions
/// hold.
///
/// # Errors
///
/// [`BadPayload`](crate::ErrorKind::BadPayload) if Flask could not read the JSON, and
/// [`Type`](crate::ErrorKind::Type) if the type can't be read from it.
pub fn from_tagged_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, Error> {
    match direct::read(json) {
        Some(read) => Ok(read),
        None => Value::from_tagged_json(json)?.deserialize_into(),
    }
}
