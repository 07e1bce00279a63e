//! Values into Rust's types.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::SystemTime;

use super::{DateTime, Dict, Int, Markup, Text, Uuid, Value};

/// A value is of another type than the one asked for.
///
/// It names both types and never shows the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongType {
    expected: &'static str,
    found: &'static str,
}

impl WrongType {
    /// An error for [`FromValue`] of a type of one's own: what was expected, and the value that was
    /// found, of which only the type is kept.
    ///
    /// ```
    /// use carafe::{Value, WrongType};
    ///
    /// let error = WrongType::new("a colour", &Value::from(3));
    /// assert_eq!(error.to_string(), "expected a colour, found int");
    /// ```
    #[must_use]
    pub fn new(expected: &'static str, found: &Value) -> Self {
        Self { expected, found: found.type_name() }
    }

    /// What was asked for: the Python name of the type, and a limit that was not kept.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// The Python name of the type that was found.
    #[must_use]
    pub fn found(&self) -> &'static str {
        self.found
    }
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for WrongType {}

/// A type that can be read from a [`Value`].
///
/// The rules are Python's where it converts silently, and no more: an `int` is read as a float,
/// `Markup` as text, a list as a tuple and the reverse; but a `bool` is no integer, bytes are no
/// text, and `None` is only an `Option`.
///
/// ```
/// use carafe::{FromValue, Value, WrongType};
///
/// #[derive(Debug, PartialEq)]
/// struct UserId(u64);
///
/// impl FromValue for UserId {
///     fn from_value(value: Value) -> Result<Self, WrongType> {
///         u64::from_value(value).map(Self)
///     }
/// }
///
/// assert_eq!(UserId::from_value(Value::from(42))?, UserId(42));
/// let error = UserId::from_value(Value::from("42")).unwrap_err();
/// assert_eq!(error.to_string(), "expected int, found str");
/// # Ok::<(), WrongType>(())
/// ```
pub trait FromValue: Sized {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// [`WrongType`] if the value is of another type or does not fit.
    fn from_value(value: Value) -> Result<Self, WrongType>;

    /// Whether [`from_plain_text`](Self::from_plain_text) reads anything.
    #[doc(hidden)]
    const READS_TEXT: bool = false;

    /// Lets a `String` be read from a payload without a value in between.
    #[doc(hidden)]
    fn from_plain_text(_text: &str) -> Option<Self> {
        None
    }

    /// Lets a `Vec<u8>` be read from bytes.
    #[doc(hidden)]
    fn vec_from_bytes(_bytes: &mut Vec<u8>) -> Option<Vec<Self>> {
        None
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        Ok(value)
    }
}

macro_rules! from_value {
    ($($type:ty, $expected:literal: $pattern:pat => $result:expr;)*) => {$(
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, WrongType> {
                match value {
                    $pattern => Ok($result),
                    other => Err(WrongType::new($expected, &other)),
                }
            }
        }
    )*};
}
from_value! {
    bool, "bool": Value::Bool(bool) => bool;
    Int, "int": Value::Int(int) => int;
    Text, "str": Value::Text(text) | Value::Markup(text) => text;
    Markup, "Markup": Value::Markup(text) => Markup::from(text);
    bytes::Bytes, "bytes": Value::Bytes(bytes) => bytes.into();
    Dict, "dict": Value::Dict(dict) => dict;
    Uuid, "UUID": Value::Uuid(uuid) => uuid;
    DateTime, "datetime": Value::DateTime(time) => time;
    SystemTime, "datetime": Value::DateTime(time) => time.into();
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        const VALID: &str = "str without lone surrogates";
        Text::from_value(value)?
            .into_string()
            .map_err(|text| WrongType::new(VALID, &Value::Text(text)))
    }

    const READS_TEXT: bool = true;

    #[inline]
    fn from_plain_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

macro_rules! ints {
    ($($type:ident)*) => {$(
        impl FromValue for $type {
            fn from_value(value: Value) -> Result<Self, WrongType> {
                match &value {
                    Value::Int(int) => Self::try_from(int).map_err(|_| {
                        WrongType::new(concat!("int in the range of ", stringify!($type)), &value)
                    }),
                    _ => Err(WrongType::new("int", &value)),
                }
            }
        }
    )*};
}
ints!(i8 i16 i32 i64 i128 isize u16 u32 u64 u128 usize);

impl FromValue for u8 {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        match &value {
            Value::Int(int) => {
                Self::try_from(int).map_err(|_| WrongType::new("int in the range of u8", &value))
            }
            _ => Err(WrongType::new("int", &value)),
        }
    }

    fn vec_from_bytes(bytes: &mut Vec<u8>) -> Option<Vec<Self>> {
        Some(std::mem::take(bytes))
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        match &value {
            Value::Float(float) => Ok(*float),
            Value::Int(int) => {
                int.to_f64().ok_or_else(|| WrongType::new("int in the range of float", &value))
            }
            _ => Err(WrongType::new("float", &value)),
        }
    }
}

impl FromValue for f32 {
    /// Takes the nearest value that an `f32` has.
    fn from_value(value: Value) -> Result<Self, WrongType> {
        f64::from_value(value).map(|float| float as Self)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }

    const READS_TEXT: bool = T::READS_TEXT;

    fn from_plain_text(text: &str) -> Option<Self> {
        T::from_plain_text(text).map(Some)
    }
}

impl<T: FromValue> FromValue for Box<T> {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        T::from_value(value).map(Self::new)
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    /// Reads a list or a tuple; a `Vec<u8>` also from bytes.
    fn from_value(mut value: Value) -> Result<Self, WrongType> {
        if let Value::Bytes(bytes) = &mut value
            && let Some(items) = T::vec_from_bytes(bytes)
        {
            return Ok(items);
        }
        items(value, "list")?.into_iter().map(T::from_value).collect()
    }
}

impl<T: FromValue, const N: usize> FromValue for [T; N] {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        let length = WrongType::new("list of the array's length", &value);
        Vec::from_value(value)?.try_into().map_err(|_| length)
    }
}

fn items(value: Value, expected: &'static str) -> Result<Vec<Value>, WrongType> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items),
        other => Err(WrongType::new(expected, &other)),
    }
}

impl<K: FromValue + Ord, V: FromValue> FromValue for BTreeMap<K, V> {
    fn from_value(value: Value) -> Result<Self, WrongType> {
        Dict::from_value(value)?.into_iter().map(key_and_value).collect()
    }
}

impl<K: FromValue + Hash + Eq, V: FromValue, S: BuildHasher + Default> FromValue
    for HashMap<K, V, S>
{
    fn from_value(value: Value) -> Result<Self, WrongType> {
        Dict::from_value(value)?.into_iter().map(key_and_value).collect()
    }
}

fn key_and_value<K: FromValue, V: FromValue>(
    (key, value): (Text, Value),
) -> Result<(K, V), WrongType> {
    Ok((K::from_value(Value::Text(key))?, V::from_value(value)?))
}

macro_rules! tuples {
    ($(($($name:ident)+) $expected:literal)*) => {$(
        impl<$($name: FromValue),+> FromValue for ($($name,)+) {
            #[allow(non_snake_case, reason = "the variables are named as their types")]
            fn from_value(value: Value) -> Result<Self, WrongType> {
                let length = WrongType::new($expected, &value);
                let Ok([$($name),+]) = <[Value; _]>::try_from(items(value, "tuple")?) else {
                    return Err(length);
                };
                Ok(($($name::from_value($name)?,)+))
            }
        }
    )*};
}
tuples! {
    (A) "tuple of 1 item"
    (A B) "tuple of 2 items"
    (A B C) "tuple of 3 items"
    (A B C D) "tuple of 4 items"
    (A B C D E) "tuple of 5 items"
    (A B C D E F) "tuple of 6 items"
    (A B C D E F G) "tuple of 7 items"
    (A B C D E F G H) "tuple of 8 items"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FromValue>(json: &str) -> Result<T, String> {
        let value = Value::from_tagged_json(json.as_bytes()).unwrap();
        T::from_value(value).map_err(|error| error.to_string())
    }

    fn refused<T: FromValue + fmt::Debug>(json: &str, message: &str) {
        assert_eq!(read::<T>(json).unwrap_err(), message);
    }

    #[test]
    fn reads_the_types_it_names() {
        assert_eq!(read("[1,null]"), Ok(vec![Some(1u8), None]));
        assert_eq!(read(r#"{" t":["a",true]}"#), Ok(("a".to_owned(), true)));
        assert_eq!(read("[1,2]"), Ok((1i64, 2.0f32)));
        assert_eq!(read("[1,2]"), Ok([1u64, 2]));
        assert_eq!(read(r#"{" b":"AQI="}"#), Ok(vec![1u8, 2]));
        assert_eq!(read(r#"{" b":"AQI="}"#), Ok(bytes::Bytes::from_static(b"\x01\x02")));
        assert_eq!(read(r#"{" m":"<b>"}"#), Ok("<b>".to_owned()));
        let map = BTreeMap::from([("a".to_owned(), 1i8)]);
        assert_eq!(read(r#"{"a":1}"#), Ok(map.clone()));
        assert_eq!(read(r#"{"a":1}"#), Ok(map.into_iter().collect::<HashMap<_, _>>()));
        assert_eq!(read("1e400"), Ok(f64::INFINITY));
        assert_eq!(read("9007199254740993"), Ok(9_007_199_254_740_992.0f64));
    }

    #[test]
    fn refuses_what_python_would_not_convert_silently() {
        refused::<i64>("true", "expected int, found bool");
        refused::<i64>("1.0", "expected int, found float");
        refused::<u8>("256", "expected int in the range of u8, found int");
        refused::<u32>("-1", "expected int in the range of u32, found int");
        refused::<f64>("true", "expected float, found bool");
        refused::<f64>(&"9".repeat(400), "expected int in the range of float, found int");
        refused::<bool>("1", "expected bool, found int");
        refused::<String>(r#"{" b":"YQ=="}"#, "expected str, found bytes");
        refused::<String>(r#""\ud800""#, "expected str without lone surrogates, found str");
        refused::<String>("null", "expected str, found None");
        refused::<Markup>(r#""<b>""#, "expected Markup, found str");
        refused::<Vec<String>>(r#"{" b":"YQ=="}"#, "expected list, found bytes");
        refused::<Vec<String>>("[1]", "expected str, found int");
        refused::<(bool, bool)>("[true]", "expected tuple of 2 items, found list");
        refused::<[bool; 2]>("[true]", "expected list of the array's length, found list");
        refused::<BTreeMap<String, i64>>("[]", "expected dict, found list");
        refused::<Uuid>(r#""12345678123456781234567812345678""#, "expected UUID, found str");
    }
}
