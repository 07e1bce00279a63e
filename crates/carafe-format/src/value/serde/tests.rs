use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::{DateTime, Dict, ErrorKind, Int, Markup, Text, Uuid, Value};

fn json<T: Serialize>(source: &T) -> String {
    Value::from_serialize(source).unwrap().to_tagged_json().unwrap()
}

fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, String> {
    let value = Value::from_tagged_json(json.as_bytes()).unwrap();
    value.deserialize_into().map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Type);
        error.to_string()
    })
}

/// A type reads back what it wrote, and writes what is given.
fn round_trip<T>(source: &T, written: &str)
where
    T: Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(json(source), written);
    assert_eq!(read::<T>(written).as_ref(), Ok(source));
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    Unit,
    Newtype(i64),
    Tuple(i64, bool),
    Struct { side: f64 },
}

#[test]
fn takes_the_forms_of_json() {
    round_trip(&Shape::Unit, r#""Unit""#);
    round_trip(&Shape::Newtype(1), r#"{"Newtype":1}"#);
    round_trip(&Shape::Tuple(1, true), r#"{"Tuple":{" t":[1,true]}}"#);
    round_trip(&Shape::Struct { side: 1.5 }, r#"{"Struct":{"side":1.5}}"#);
    round_trip(&vec![Some(1u8), None], "[1,null]");
    round_trip(&("a".to_owned(), 'b', ()), r#"{" t":["a","b",null]}"#);
    round_trip(&u128::MAX, "340282366920938463463374607431768211455");
    round_trip(&i128::MIN, "-170141183460469231731687303715884105728");
    round_trip(&BTreeMap::from([(true, 1), (false, 0)]), r#"{"false":0,"true":1}"#);
    round_trip(&BTreeMap::from([(-1i8, 1.0), (10, 2.0)]), r#"{"-1":1.0,"10":2.0}"#);
    round_trip(&HashMap::from([(" t".to_owned(), 1)]), r#"{" di":{" t__":1}}"#);
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Everything {
    at: DateTime,
    #[serde(with = "crate::as_datetime")]
    day: SystemTime,
    html: Markup,
    id: Uuid,
    int: Int,
    raw: Dict,
    text: Text,
    value: Value,
}

#[test]
fn keeps_flasks_types() {
    let mut raw = Dict::new();
    raw.insert("bytes", Value::bytes([0, 255]));
    raw.insert("tuple", (1, "a", Markup::from("<i>")));
    raw.insert("big", "1".repeat(60).parse::<Int>().unwrap());
    raw.insert(Text::from_utf16(&[0xdc00]), Text::from_utf16(&[0xd800]));
    let everything = Everything {
        at: DateTime::from_unix(-62_135_596_800).unwrap(),
        day: SystemTime::UNIX_EPOCH,
        html: Markup::from("<b>"),
        id: Uuid::from_bytes([7; 16]),
        int: "9".repeat(50).parse().unwrap(),
        raw,
        text: Text::from_utf16(&[0x61, 0xd800]),
        value: Value::List(vec![Value::from(Uuid::from_bytes([9; 16])), Value::Null]),
    };
    let value = Value::from_serialize(&everything).unwrap();
    let dict = value.as_dict().unwrap();
    let types: Vec<&str> = dict.iter().map(|(_, value)| value.type_name()).collect();
    assert_eq!(types, ["datetime", "datetime", "Markup", "UUID", "int", "dict", "str", "list"]);
    assert_eq!(dict.get("raw"), Some(&Value::Dict(everything.raw.clone())));
    assert_eq!(value.deserialize_into::<Everything>().unwrap(), everything);
}

#[test]
fn other_formats_see_plain_types() {
    let value = Value::from((1, DateTime::from_unix(0).unwrap(), Uuid::from_bytes([0; 16])));
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(json, r#"[1,"1970-01-01T00:00:00Z","00000000-0000-0000-0000-000000000000"]"#);
    let (_, time, id): (u8, DateTime, Uuid) = serde_json::from_str(&json).unwrap();
    assert_eq!((time.unix(), id), (0, Uuid::from_bytes([0; 16])));
    let value: Value = serde_json::from_str(r#"{"a":[1,2.5,null,"x"]}"#).unwrap();
    assert_eq!(value.to_tagged_json().unwrap(), r#"{"a":[1,2.5,null,"x"]}"#);
    let json: serde_json::Value = read(r#"{" t":[{" m":"<b>"},{" b":"AQ=="}]}"#).unwrap();
    assert_eq!(json.to_string(), r#"["<b>",[1]]"#);
}

#[test]
fn reads_pythons_types_as_text_where_asked() {
    assert_eq!(
        read(r#"{" u":"00000000000000000000000000000001"}"#),
        Ok("00000000-0000-0000-0000-000000000001".to_owned())
    );
    let time = read(r#"{" d":"Thu, 29 Feb 2024 12:34:56 GMT"}"#);
    assert_eq!(time, Ok("2024-02-29T12:34:56Z".to_owned()));
}

#[test]
fn errors_name_types_and_never_values() {
    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Point {
        #[allow(dead_code, reason = "only read by the derived code")]
        x: i64,
    }

    let error = |result: Result<(), String>| result.unwrap_err();
    let point = |json| error(read::<Point>(json).map(drop));
    assert_eq!(point(r#"{"x":"secret"}"#), "expected i64, found str");
    assert_eq!(point(r#"{"secret":1}"#), "found a field besides x");
    assert_eq!(point("{}"), "the field x is missing");
    assert_eq!(
        error(read::<String>(r#"{" b":"YQ=="}"#).map(drop)),
        "expected a string, found bytes"
    );
    assert_eq!(error(read::<i64>("true").map(drop)), "expected i64, found bool");
    assert_eq!(error(read::<i64>("1.5").map(drop)), "expected i64, found float");
    assert_eq!(error(read::<u8>("256").map(drop)), "expected u8, found an int out of its range");
    assert_eq!(error(read::<DateTime>("1").map(drop)), "expected datetime, found int");
    assert_eq!(
        error(read::<(u8, u8)>("[1]").map(drop)),
        "expected a tuple of size 2, found a length of 1"
    );
    let variant = error(read::<Shape>(r#""secret""#).map(drop));
    assert_eq!(variant, "expected one of the variants Unit, Newtype, Tuple, Struct");
    assert!(!error(read::<char>(r#""secret""#).map(drop)).contains("secret"));
}

#[test]
fn refuses_keys_and_depths_it_cannot_hold() {
    let keys = HashMap::from([(vec![1], 1)]);
    assert_eq!(Value::from_serialize(&keys).unwrap_err().kind(), ErrorKind::Value);

    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let test = move || {
        assert!(read::<serde_json::Value>(&nested(128)).is_ok());
        assert!(read::<serde_json::Value>(&nested(129)).is_err());
        assert!(read::<Value>(&nested(1000)).is_ok());
        assert!(read::<serde::de::IgnoredAny>(&nested(1000)).is_ok());
        let deep = Value::from_tagged_json(nested(1000).as_bytes()).unwrap();
        assert_eq!(Value::from_serialize(&deep).unwrap(), deep);
        let plain = deep.deserialize_into::<serde::de::IgnoredAny>();
        assert!(plain.is_ok());
    };
    let small = std::thread::Builder::new().stack_size(2 << 20);
    small.spawn(test).unwrap().join().unwrap();
}
