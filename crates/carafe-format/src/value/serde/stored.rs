//! A value of a session, in the form in which the session holds it.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;

use super::super::json::{Tags, read_value};
use super::{Value, from_tagged_json};
use crate::Error;

/// A value of a session: its JSON from the cookie or the store, or a [`Value`] that the request
/// wrote.
#[derive(Clone)]
pub enum Stored<'a> {
    /// Flask's tagged JSON.
    Json(Cow<'a, [u8]>),
    /// A value in memory.
    Value(Cow<'a, Value>),
}

impl Stored<'_> {
    /// Returns the value as an owned one, borrowed from nothing.
    ///
    /// ```
    /// use carafe::value::{Stored, Value};
    ///
    /// let stored: Stored<'static> = Stored::from(Value::from(7)).into_owned();
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Stored<'static> {
        match self {
            Self::Json(json) => Stored::Json(Cow::Owned(json.into_owned())),
            Self::Value(value) => Stored::Value(Cow::Owned(value.into_owned())),
        }
    }

    /// Reads the value as anything that serde deserialises.
    ///
    /// ```
    /// use carafe::value::{Stored, Value};
    ///
    /// assert_eq!(Stored::from(Value::from(7)).deserialize::<u8>()?, 7);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`Value::deserialize_into`], and [`BadPayload`](crate::ErrorKind::BadPayload)
    /// for JSON that Flask could not read.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self {
            Self::Json(json) => from_tagged_json(json),
            Self::Value(value) => Value::clone(value).deserialize_into(),
        }
    }

    /// Returns the value.
    ///
    /// ```
    /// use carafe::value::{Stored, Value};
    ///
    /// assert_eq!(Stored::from(Value::from(7)).into_value()?, Value::from(7));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BadPayload`](crate::ErrorKind::BadPayload) for JSON that Flask could not read.
    pub fn into_value(self) -> Result<Value, Error> {
        match self {
            Self::Json(json) => read_value(&json, Tags::AsRead),
            Self::Value(value) => Ok(value.into_owned()),
        }
    }
}

impl From<Value> for Stored<'_> {
    fn from(value: Value) -> Self {
        Self::Value(Cow::Owned(value))
    }
}

impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(json) => write!(f, "Json({} bytes)", json.len()),
            Self::Value(value) => value.fmt(f),
        }
    }
}
