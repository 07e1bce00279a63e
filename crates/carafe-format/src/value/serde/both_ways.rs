//! The reader that makes no `Value` in between reads the same as the one that does.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use super::super::{DateTime, Dict, Int, Markup, Text, Uuid, Value};
use super::from_tagged_json;

const ATOMS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "7",
    "-7",
    "255",
    "256",
    "2147483648",
    "9223372036854775808",
    "18446744073709551616",
    "-9223372036854775809",
    "1.5",
    "1e3",
    "1e400",
    "NaN",
    "Infinity",
    "-Infinity",
    r#""""#,
    r#""a""#,
    r#""7""#,
    r#""Unit""#,
    r#""New""#,
    r#""\u00eb\n""#,
    r#""\ud800""#,
    r#""\ud83d\ude00""#,
    "\"\u{eb}\"",
    r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#,
    r#"{" d":"no date"}"#,
    r#"{" u":"00000000000000000000000000000007"}"#,
    r#"{" b":"AP8="}"#,
    r#"{" m":"<b>"}"#,
    "[]",
    "{}",
    r#"{" t":[]}"#,
    r#"{" di":{" t__":1}}"#,
    r#"{" t":{"a":1}}"#,
    r#"{" x":1}"#,
];

/// Around each atom: `@` is its place.
const SHAPES: &[&str] = &[
    "@",
    " @ ",
    "[@]",
    "[@,@]",
    "[ @ , @ ]",
    r#"{" t":[@]}"#,
    r#"{" t":[@,@]}"#,
    r#"{" t": [@]}"#,
    r#"{" t":[@],"a":1}"#,
    r#"{"a":@}"#,
    r#"{"a":@,"b":@}"#,
    r#"{ "a" : @ , "b" : @ }"#,
    r#"{"b":@,"a":@}"#,
    r#"{"a":@,"a":1}"#,
    r#"{"a":1,"b":2,"c":@}"#,
    r#"{"\u0061":@}"#,
    r#"{"7":@}"#,
    r#"{"true":@}"#,
    r#"{"content":@,"tag":"New"}"#,
    r#"{"content":@,"tag":"Unit"}"#,
    r#"{"aa":1,"content":@,"tag":"New"}"#,
    r#"[{"],":@}]"#,
    r#"[{",1,":@},2]"#,
    r#"{"a":{"}":@},"b":7}"#,
    r#"{"a":[{"],":5}],":":[{",":@}]}"#,
    r#"{"New":@}"#,
    r#"{"Unit":@}"#,
    r#"{"Pair":[@,@]}"#,
    r#"{"Struct":{"a":@}}"#,
    r#"{"a":@,"kind":"New"}"#,
    "[@",
    "@,",
    r#"{"a":@"#,
];

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "shown by Debug")]
struct Struct {
    a: i64,
    #[serde(default)]
    b: Option<Value>,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "shown by Debug")]
struct Reversed {
    b: f64,
    a: Text,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "shown by Debug")]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "shown by Debug")]
struct Strict {
    a: Lenient,
}

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "shown by Debug")]
enum External {
    Unit,
    New(Value),
    Pair(Text, i64),
    Struct { a: f32 },
}

#[derive(Deserialize, Debug)]
#[serde(tag = "tag", content = "content")]
#[expect(dead_code, reason = "shown by Debug")]
enum Adjacent {
    Unit,
    New(Value),
}

#[derive(Deserialize, Debug)]
#[serde(tag = "kind")]
#[expect(dead_code, reason = "shown by Debug")]
enum Internal {
    New { a: Int },
}

#[derive(Deserialize, Debug)]
#[serde(untagged)]
#[expect(dead_code, reason = "shown by Debug")]
enum Untagged {
    Number(u8),
    Time(DateTime),
    Text(String),
    Items(Vec<Untagged>),
    Map(BTreeMap<String, Untagged>),
    Other(Value),
}

/// A type that takes an error for a default.
#[derive(Debug)]
#[expect(dead_code, reason = "shown by Debug")]
struct Lenient(Option<HashMap<u8, Uuid>>, Option<DateTime>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(None, Option::deserialize(deserializer).unwrap_or_default()))
    }
}

fn same<T: DeserializeOwned + Debug>(json: &str) {
    let direct = from_tagged_json::<T>(json.as_bytes());
    let value = Value::from_tagged_json(json.as_bytes()).and_then(Value::deserialize_into::<T>);
    // NaN differs from itself, its text does not.
    let shown = |read: Result<T, crate::Error>| {
        read.map_err(|error| (error.kind(), error.to_string())).map(|read| format!("{read:?}"))
    };
    assert_eq!(shown(direct), shown(value), "{} of {json}", std::any::type_name::<T>());
}

macro_rules! same {
    ($json:expr; $($type:ty),* $(,)?) => { $(same::<$type>($json);)* };
}

#[test]
fn reads_the_same_with_and_without_a_value_in_between() {
    for (shape, atom) in SHAPES.iter().flat_map(|shape| ATOMS.iter().map(move |atom| (shape, atom)))
    {
        let json = &shape.replace('@', atom);
        same!(json;
            (), bool, u8, i8, i64, u64, i128, u128, f32, f64, char, String, Box<str>, IgnoredAny,
            Value, Dict, Int, Text, Markup, Uuid, DateTime, Option<u8>, Option<Value>, [u8; 2],
            (u8, String), Vec<u8>, Vec<Option<i64>>, Vec<Value>, Vec<Vec<f64>>,
            BTreeMap<String, Value>, BTreeMap<Text, i64>, BTreeMap<u8, f64>, HashMap<bool, String>,
            BTreeMap<char, u8>, Struct, Reversed, Flat, Strict, External, Adjacent, Internal,
            Untagged, Lenient, Vec<Lenient>, Vec<Untagged>, BTreeMap<String, Struct>,
            bytes::Bytes, std::time::Duration, serde_json::Value,
        );
    }
}

#[test]
fn nesting_beyond_serdes_limit_is_the_same_error() {
    for depth in [127, 128, 129, 500] {
        let list = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let dict = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        let tuple = format!("{}1{}", r#"{" t":["#.repeat(depth), "]}".repeat(depth));
        for json in [list, dict, tuple] {
            same!(&json; serde_json::Value, IgnoredAny, Value, Untagged);
        }
    }
}
