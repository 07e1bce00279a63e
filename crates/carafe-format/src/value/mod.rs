//! The values of a session: Flask's types.

mod convert;
mod datetime;
mod dict;
mod float;
mod foreign;
mod http_date;
mod int;
pub mod json;
mod markup;
mod serde;
mod text;
mod uuid;

use std::fmt;

use crate::Error;

pub use datetime::DateTime;
pub use dict::{Dict, Iter};
pub use int::{Int, OutOfRange, ParseIntError};
pub use markup::Markup;
pub use serde::{Fields, read_fields};
pub use serde::{Stored, as_datetime, as_uuid, from_tagged_json};
pub use text::{AsText, Text};
pub use uuid::Uuid;

/// A value of a session: all that Flask's session can hold.
///
/// Its `Debug` form shows only type and size, so that a session's contents stay out of logs. Two
/// values are equal if they are of the same type and content; unlike in Python `Int(1)` and
/// `Float(1.0)` differ, and so that values can be compared after a round trip, NaN equals NaN.
///
/// ```
/// use carafe::value::Value;
///
/// let value = Value::from_tagged_json(br#"{"id":42,"seen":{" t":["a",null]}}"#)?;
/// let dict = value.as_dict().unwrap();
/// assert_eq!(dict.get("id").and_then(Value::as_i64), Some(42));
/// assert_eq!(dict.get("seen").unwrap().type_name(), "tuple");
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum Value {
    /// Python's `None`.
    Null,
    /// `bool`
    Bool(bool),
    /// `int`, of any size
    Int(Int),
    /// `float`
    Float(f64),
    /// `str`
    Text(Text),
    /// `bytes`
    Bytes(Vec<u8>),
    /// `list`
    List(Vec<Value>),
    /// `tuple`
    Tuple(Vec<Value>),
    /// `dict`
    Dict(Dict),
    /// `markupsafe.Markup`: text that is HTML already
    Markup(Text),
    /// `uuid.UUID`
    Uuid(Uuid),
    /// `datetime.datetime`, in whole seconds
    DateTime(DateTime),
}

impl Value {
    /// Creates a `bytes` value.
    ///
    /// A `Vec<u8>` that is converted with [`From`] becomes a list of integers, as any other vector
    /// does; this makes it bytes.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::bytes([0, 255]).type_name(), "bytes");
    /// ```
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// Creates a `Markup` value: text that is HTML already, and is not escaped again in templates.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::markup("<b>hi</b>").type_name(), "Markup");
    /// ```
    pub fn markup(html: impl Into<Text>) -> Self {
        Self::Markup(html.into())
    }

    /// Reads a value from the tagged JSON in which Flask keeps sessions.
    ///
    /// # Errors
    ///
    /// [`BadPayload`](crate::ErrorKind::BadPayload) if Flask could not read it.
    ///
    /// ```
    /// use carafe::value::{Int, Value};
    ///
    /// let value = Value::from_tagged_json(br#"{" t":[1,{" b":"AP8="}]}"#)?;
    /// let expected = vec![Value::Int(Int::from(1)), Value::bytes([0, 255])];
    /// assert_eq!(value, Value::Tuple(expected));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn from_tagged_json(json: &[u8]) -> Result<Self, Error> {
        json::read_value(json, json::Tags::AsRead)
    }

    /// Writes the value as the tagged JSON in which Flask keeps sessions, byte for byte.
    ///
    /// # Errors
    ///
    /// [`Value`](crate::ErrorKind::Value) for what Flask could not read again: an integer of more
    /// than 4300 digits, or nesting of more than 480 levels (a tuple counts as two).
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::from(1e16).to_tagged_json()?, "1e+16");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn to_tagged_json(&self) -> Result<String, Error> {
        let mut json = Vec::new();
        json::write_value(&mut json, self)?;
        // All of it is ASCII, so that this can't fail.
        String::from_utf8(json)
            .map_err(|_| Error::new(crate::ErrorKind::Value, "the value's JSON is not ASCII"))
    }

    /// Returns the name of the type in Python: `None`, `bool`, `int`, `float`, `str`, `bytes`,
    /// `list`, `tuple`, `dict`, `Markup`, `UUID` or `datetime`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::from("ada").type_name(), "str");
    /// assert_eq!(Value::Null.type_name(), "None");
    /// ```
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "None",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Markup(_) => "Markup",
            Self::Uuid(_) => "UUID",
            Self::DateTime(_) => "datetime",
        }
    }

    /// Returns whether this is `None`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert!(Value::Null.is_null());
    /// ```
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns whether Python takes the value for true, as its `bool()` does: numbers other than 0,
    /// and texts, bytes and containers that aren't empty.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert!(Value::from("no").is_truthy());
    /// assert!(!Value::from("").is_truthy() && !Value::Null.is_truthy());
    /// ```
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(on) => *on,
            Self::Int(number) => *number != Int::from(0),
            Self::Float(number) => *number != 0.0,
            Self::Text(text) | Self::Markup(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Uuid(_) | Self::DateTime(_) => true,
        }
    }

    /// Returns the value of a `bool`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::from(true).as_bool(), Some(true));
    /// assert_eq!(Value::from(1).as_bool(), None);
    /// ```
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(bool) => Some(*bool),
            _ => None,
        }
    }

    /// Returns the value of an `int` that fits an `i64`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::from(7).as_i64(), Some(7));
    /// assert_eq!(Value::from(7.0).as_i64(), None);
    /// ```
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(int) => int.as_i64(),
            _ => None,
        }
    }

    /// Returns the value of a `float`, or of an `int` as the nearest float.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::from(7).as_f64(), Some(7.0));
    /// ```
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(float) => Some(*float),
            Self::Int(int) => int.to_f64(),
            _ => None,
        }
    }

    /// Returns the value of a `str` or `Markup` without lone surrogates.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::from("ada").as_str(), Some("ada"));
    /// assert_eq!(Value::Null.as_str(), None);
    /// ```
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().and_then(Text::as_str)
    }

    /// Returns the value of a `str` or `Markup`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert!(Value::from("ada").as_text().is_some_and(|text| text == "ada"));
    /// ```
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Text(text) | Self::Markup(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a `bytes`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// assert_eq!(Value::bytes([0, 255]).as_bytes(), Some(&[0, 255][..]));
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the items of a `list` or `tuple`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// let list = Value::List(vec![1.into(), 2.into()]);
    /// assert_eq!(list.as_slice().map(<[Value]>::len), Some(2));
    /// ```
    #[must_use]
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) | Self::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the value of a `dict`.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// let value = Value::from_tagged_json(br#"{"pear":2}"#)?;
    /// assert!(value.as_dict().is_some_and(|dict| dict.contains_key("pear")));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Returns the value of a `dict`, which the caller may change.
    ///
    /// ```
    /// use carafe::value::Value;
    ///
    /// let mut value = Value::from_tagged_json(br#"{"pear":2}"#)?;
    /// if let Some(cart) = value.as_dict_mut() {
    ///     cart.insert("plum", 1);
    /// }
    /// assert_eq!(value.to_tagged_json()?, r#"{"pear":2,"plum":1}"#);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn as_dict_mut(&mut self) -> Option<&mut Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || a.is_nan() && b.is_nan(),
            (Self::Text(a), Self::Text(b)) | (Self::Markup(a), Self::Markup(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Dict(a), Self::Dict(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::DateTime(a), Self::DateTime(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.type_name();
        match self {
            Self::Text(text) | Self::Markup(text) => {
                write!(f, "{name}({} bytes)", text.as_wtf8().len())
            }
            Self::Bytes(bytes) => write!(f, "{name}({} bytes)", bytes.len()),
            Self::List(items) | Self::Tuple(items) => write!(f, "{name}({} items)", items.len()),
            Self::Dict(dict) => write!(f, "{name}({} keys)", dict.len()),
            _ => f.write_str(name),
        }
    }
}
