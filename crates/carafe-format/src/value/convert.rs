//! Infallible conversions of Rust's types into values, with the results of
//! [`Value::from_serialize`].

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::{DateTime, Dict, Int, Markup, Text, Uuid, Value};

macro_rules! from_ints {
    ($($type:ty)*) => {$(
        impl From<$type> for Value {
            fn from(number: $type) -> Self {
                Self::Int(Int::from(number))
            }
        }
    )*};
}
from_ints!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! from_types {
    ($($type:ty => $variant:ident,)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
from_types! {
    bool => Bool,
    Int => Int,
    f32 => Float,
    f64 => Float,
    Text => Text,
    &Text => Text,
    &str => Text,
    String => Text,
    &String => Text,
    Cow<'_, str> => Text,
    char => Text,
    bytes::Bytes => Bytes,
    Dict => Dict,
    Uuid => Uuid,
    DateTime => DateTime,
}

impl From<Markup> for Value {
    fn from(markup: Markup) -> Self {
        Self::Markup(markup.into_text())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(option: Option<T>) -> Self {
        option.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<Text>, V: Into<Value>> From<BTreeMap<K, V>> for Value {
    fn from(map: BTreeMap<K, V>) -> Self {
        Self::Dict(map.into_iter().collect())
    }
}

impl<K: Into<Text>, V: Into<Value>, S> From<HashMap<K, V, S>> for Value {
    fn from(map: HashMap<K, V, S>) -> Self {
        Self::Dict(map.into_iter().collect())
    }
}

macro_rules! from_tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Into<Value>),+> From<($($name,)+)> for Value {
            #[allow(non_snake_case, reason = "the variables are named as their types")]
            fn from(($($name,)+): ($($name,)+)) -> Self {
                Self::Tuple(vec![$($name.into()),+])
            }
        }
    )*};
}
from_tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_types_become_pythons() {
        let map = HashMap::from([("k", Some(1u8))]);
        for (value, json) in [
            (Value::from(u128::MAX), "340282366920938463463374607431768211455"),
            (Value::from(2.5f32), "2.5"),
            (Value::from(None::<bool>), "null"),
            (Value::from(vec![1u8, 2]), "[1,2]"),
            (Value::from(bytes::Bytes::from_static(b"\x01\x02")), r#"{" b":"AQI="}"#),
            (Value::from(("a", 1, vec![2.0])), r#"{" t":["a",1,[2.0]]}"#),
            (Value::from(map), r#"{"k":1}"#),
            (Value::from(Dict::from([(" t", 1)])), r#"{" di":{" t__":1}}"#),
            (Value::from('é'), r#""\u00e9""#),
        ] {
            assert_eq!(value.to_tagged_json().unwrap(), json);
        }
    }
}
