//! The shapes that serde has, written to a session and read again.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU8, Wrapping};
use std::ops::{Bound, Range};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use carafe::value::{DateTime, Dict, Int, Markup, Text, Uuid, Value};
use carafe::{ErrorKind, Session, Typed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::support::{flask, in_session};

#[derive(Serialize, Deserialize)]
struct Holder<T> {
    value: Option<T>,
}

impl<T> Default for Holder<T> {
    fn default() -> Self {
        Self { value: None }
    }
}

/// Inserts a value and reads it again, by all accessors, and compares what Flask reads.
fn check<T>(session: &Session, value: &T, json: &str)
where
    T: Serialize + DeserializeOwned + Debug + PartialEq + Clone + 'static,
{
    let written = Value::from_serialize(value).unwrap();
    assert_eq!(written.to_tagged_json().unwrap(), json, "{value:?}");
    session.insert("value", value).unwrap();
    assert_eq!(session.value("value"), Some(written), "{value:?}");
    assert_eq!(session.get("value").unwrap().as_ref(), Some(value), "{json}");
    session.insert_at([carafe::value::Step::from("outer"), "inner".into()], value).unwrap();
    let taken = session.take::<BTreeMap<String, T>>("outer").unwrap().unwrap();
    assert_eq!(taken.get("inner"), Some(value));
    session.insert("outer", Dict::new()).unwrap();

    let mut typed: Typed<Holder<T>> = session.typed().unwrap();
    // A null is read as `None`.
    if json != "null" {
        assert_eq!(typed.value.as_ref(), Some(value), "{json}");
        typed.edit(|holder| holder.value = None).unwrap();
        assert!(!session.contains("value"), "{json}");
        let again = value.clone();
        typed.edit(|holder| holder.value = Some(again)).unwrap();
        assert_eq!(session.typed::<Holder<T>>().unwrap().value.as_ref(), Some(value), "{json}");
    }
}

macro_rules! shapes {
    ($($value:expr => $json:expr,)*) => {
        in_session(flask(), move |session| {
            session.insert("outer", Dict::new()).unwrap();
            $(check(session, &$value, $json);)*
        })
        .await
    };
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn scalars_and_text() {
    shapes! {
        true => "true",
        i8::MIN => "-128",
        u16::MAX => "65535",
        i32::MIN => "-2147483648",
        u64::MAX => "18446744073709551615",
        i128::MIN => "-170141183460469231731687303715884105728",
        u128::MAX => "340282366920938463463374607431768211455",
        usize::MAX => "18446744073709551615",
        1.5f32 => "1.5",
        0.1f32 => "0.10000000149011612",
        f64::MIN_POSITIVE => "2.2250738585072014e-308",
        f64::INFINITY => "Infinity",
        3.0f64 => "3.0",
        'ß' => r#""\u00df""#,
        text("a\0b\u{1f600}") => r#""a\u0000b\ud83d\ude00""#,
        text("") => r#""""#,
        () => "null",
        NonZeroU8::MAX => "255",
        Wrapping(7u8) => "7",
        PathBuf::from("/a/b") => r#""/a/b""#,
        IpAddr::V4(Ipv4Addr::LOCALHOST) => r#""127.0.0.1""#,
        IpAddr::V6(Ipv6Addr::LOCALHOST) => r#""::1""#,
        SocketAddr::from(([127, 0, 0, 1], 80)) => r#""127.0.0.1:80""#,
    };
}

#[tokio::test]
async fn pointers_and_cells() {
    shapes! {
        Box::<str>::from("a") => r#""a""#,
        Arc::<str>::from("a") => r#""a""#,
        Cow::<'static, str>::Borrowed("a") => r#""a""#,
        Box::new(1u8) => "1",
        Arc::<[u8]>::from([1, 2]) => "[1,2]",
        vec![Cell::new(1)] => "[1]",
        RefCell::new(text("a")) => r#""a""#,
        Some(1u8) => "1",
        None::<u8> => "null",
        PhantomData::<u8> => "null",
    };
}

#[tokio::test]
async fn rc_is_read_and_written() {
    let value = Value::from_serialize(&Rc::new(1u8)).unwrap();
    assert_eq!(value.deserialize_into::<Rc<u8>>().unwrap(), Rc::new(1));
}

#[tokio::test]
async fn collections() {
    let range: Range<u8> = 1..4;
    shapes! {
        vec![1u8, 2] => "[1,2]",
        bytes::Bytes::from_static(b"\x00\xff") => r#"{" b":"AP8="}"#,
        [1u8, 2] => r#"{" t":[1,2]}"#,
        [0u8; 0] => r#"{" t":[]}"#,
        (1u8, text("a"), None::<u8>) => r#"{" t":[1,"a",null]}"#,
        vec![(1u8,)] => r#"[{" t":[1]}]"#,
        VecDeque::from([1, 2]) => "[1,2]",
        LinkedList::from([1, 2]) => "[1,2]",
        BTreeSet::from([2, 1]) => "[1,2]",
        HashSet::from([1]) => "[1]",
        BinaryHeap::from([1]).into_vec() => "[1]",
        BTreeMap::from([(text("a"), 1)]) => r#"{"a":1}"#,
        HashMap::from([(7u32, 1)]) => r#"{"7":1}"#,
        BTreeMap::from([(-1i8, 1), (i8::MAX, 2)]) => r#"{"-1":1,"127":2}"#,
        BTreeMap::from([('a', 1)]) => r#"{"a":1}"#,
        BTreeMap::from([(true, 1)]) => r#"{"true":1}"#,
        BTreeMap::from([(u128::MAX, 1)]) => r#"{"340282366920938463463374607431768211455":1}"#,
        BTreeMap::from([(Uuid::from_bytes([1; 16]), 1)]) =>
            r#"{"01010101-0101-0101-0101-010101010101":1}"#,
        BTreeMap::from([(DateTime::from_unix(0).unwrap(), 1)]) => r#"{"1970-01-01T00:00:00Z":1}"#,
        BTreeMap::from([(Markup::from("<b>"), 1)]) => r#"{"<b>":1}"#,
        HashMap::from([("9".repeat(30).parse::<Int>().unwrap(), 1)]) =>
            r#"{"999999999999999999999999999999":1}"#,
        HashMap::from([(Int::from(5), 1)]) => r#"{"5":1}"#,
        BTreeMap::from([(Unit::A, 1)]) => r#"{"A":1}"#,
        BTreeMap::from([(text(" t"), 1)]) => r#"{" di":{" t__":1}}"#,
        range => r#"{"end":4,"start":1}"#,
        Bound::Included(1) => r#"{"Included":1}"#,
        Duration::new(1, 5) => r#"{"nanos":5,"secs":1}"#,
        SystemTime::UNIX_EPOCH => r#"{"nanos_since_epoch":0,"secs_since_epoch":0}"#,
        Ok::<u8, String>(1) => r#"{"Ok":1}"#,
    };
}

#[tokio::test]
async fn flasks_types() {
    let lone = Text::from_utf16(&[0x61, 0xd800]);
    let big: Int = "9".repeat(40).parse().unwrap();
    let digits = "9".repeat(40);
    let values = vec![
        Value::Null,
        Value::Float(f64::NAN),
        Value::bytes([0, 255]),
        Value::Tuple(vec![Value::Int(big.clone()), Value::Text(lone.clone())]),
        Value::markup("<b>"),
        Value::from(Uuid::from_bytes([1; 16])),
        Value::from(DateTime::from_unix(0).unwrap()),
        Value::Dict(Dict::from([(" t", Value::bytes([]))])),
    ];
    let written = Value::List(values.clone()).to_tagged_json().unwrap();
    shapes! {
        Value::Null => "null",
        values => &written,
        big => &digits,
        lone => r#""a\ud800""#,
        Markup::from("<b>") => r#"{" m":"<b>"}"#,
        Uuid::from_bytes([1; 16]) => r#"{" u":"01010101010101010101010101010101"}"#,
        DateTime::from_unix(0).unwrap() => r#"{" d":"Thu, 01 Jan 1970 00:00:00 GMT"}"#,
        Dict::from([("a", (1, Value::bytes([1])))]) => r#"{"a":{" t":[1,{" b":"AQ=="}]}}"#,
        serde_json::json!({"a": [1, -1, 2.5, null, "x", {"b": true}]}) =>
            r#"{"a":[1,-1,2.5,null,"x",{"b":true}]}"#,
    };
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Unit {
    A,
    #[serde(rename = "b b")]
    B,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Newtype(u8);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(transparent)]
struct Transparent {
    inner: Vec<u8>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Pair(u8, String);

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Nothing;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone, Default)]
#[serde(rename_all = "camelCase")]
struct Plain {
    first_name: String,
    #[serde(default)]
    maybe: Option<u8>,
    #[serde(skip)]
    skipped: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    list: Vec<u8>,
    wide: u128,
    #[serde(with = "carafe::value::as_datetime")]
    at: Time,
}

/// A time of another crate.
#[derive(Debug, PartialEq, Clone, Copy)]
struct Time(SystemTime);

impl Default for Time {
    fn default() -> Self {
        Self(SystemTime::UNIX_EPOCH)
    }
}

impl From<Time> for DateTime {
    fn from(time: Time) -> Self {
        Self::from(time.0)
    }
}

impl From<DateTime> for Time {
    fn from(time: DateTime) -> Self {
        Self(time.into())
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(try_from = "String", into = "String")]
struct Name(String);

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() { Err("a name is empty") } else { Ok(Self(name)) }
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[tokio::test]
async fn structs() {
    shapes! {
        Newtype(1) => "1",
        Transparent { inner: vec![1] } => "[1]",
        Pair(1, text("a")) => r#"{" t":[1,"a"]}"#,
        Nothing => "null",
        Plain { first_name: text("a"), wide: u128::MAX, ..Plain::default() } =>
            r#"{"at":{" d":"Thu, 01 Jan 1970 00:00:00 GMT"},"firstName":"a","maybe":null,"wide":340282366920938463463374607431768211455}"#,
        Name(text("a")) => r#""a""#,
        Holder2 { value: vec![Holder2 { value: 1u8 }] } => r#"{"value":[{"value":1}]}"#,
        Flat { a: 1, rest: BTreeMap::from([(text("b"), Value::from(Uuid::from_bytes([1; 16])))]) } =>
            r#"{"a":1,"b":{" u":"01010101010101010101010101010101"}}"#,
    };
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Holder2<T> {
    value: T,
}

#[derive(Serialize, Deserialize, Debug, Clone)]
struct Flat {
    a: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl PartialEq for Flat {
    /// A flattened value goes through serde's own copy, which has no type for UUIDs.
    fn eq(&self, other: &Self) -> bool {
        self.a == other.a && self.rest.keys().eq(other.rest.keys())
    }
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum External {
    Unit,
    Newtype(u128),
    Tuple(u8, Option<u8>),
    Struct { a: Uuid },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "type")]
enum Internal {
    Unit,
    Newtype(Holder2<u8>),
    Struct { a: u8, at: DateTime, big: Int, text: Text, value: Value },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Unit,
    Newtype(u128),
    Tuple(u8, u8),
    Struct { a: Value },
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    Id(Int),
    List(Vec<Untagged>),
    Struct { a: Option<u8> },
}

#[tokio::test]
async fn enums() {
    let big: Int = "9".repeat(30).parse().unwrap();
    let lone = Text::from_utf16(&[0xd800]);
    let value = Value::List(vec![Value::Int(big.clone()), Value::Text(lone.clone())]);
    let at = DateTime::from_unix(0).unwrap();
    shapes! {
        Unit::A => r#""A""#,
        Unit::B => r#""b b""#,
        External::Unit => r#""Unit""#,
        External::Newtype(u128::MAX) => r#"{"Newtype":340282366920938463463374607431768211455}"#,
        External::Tuple(1, None) => r#"{"Tuple":{" t":[1,null]}}"#,
        External::Struct { a: Uuid::from_bytes([1; 16]) } =>
            r#"{"Struct":{"a":{" u":"01010101010101010101010101010101"}}}"#,
        Internal::Unit => r#"{"type":"Unit"}"#,
        Internal::Newtype(Holder2 { value: 1 }) => r#"{"type":"Newtype","value":1}"#,
        Internal::Struct { a: 1, at, big: big.clone(), text: lone, value } =>
            r#"{"a":1,"at":{" d":"Thu, 01 Jan 1970 00:00:00 GMT"},"big":999999999999999999999999999999,"text":"\ud800","type":"Struct","value":[999999999999999999999999999999,"\ud800"]}"#,
        Adjacent::Unit => r#"{"t":"Unit"}"#,
        Adjacent::Newtype(u128::MAX) =>
            r#"{"c":340282366920938463463374607431768211455,"t":"Newtype"}"#,
        Adjacent::Tuple(1, 2) => r#"{"c":{" t":[1,2]},"t":"Tuple"}"#,
        Adjacent::Struct { a: Value::bytes([1]) } => r#"{"c":{"a":{" b":"AQ=="}},"t":"Struct"}"#,
        Untagged::Number(-1) => "-1",
        Untagged::Text(text("a")) => r#""a""#,
        Untagged::Id(big) => "999999999999999999999999999999",
        Untagged::List(vec![Untagged::Number(1)]) => "[1]",
        Untagged::Struct { a: Some(1) } => r#"{"a":1}"#,
    };
}

#[tokio::test]
async fn what_serde_can_not_write_is_refused() {
    in_session(flask(), |session| {
        let error = session.insert("a", BTreeMap::from([((1, 2), 1)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        let error = session.insert("a", HashMap::from([(None::<u8>, 1)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        let error = session.flash(BTreeMap::from([((1, 2), 1)])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        let entries = [("b", BTreeMap::new()), ("a", BTreeMap::from([((1, 2), 1)]))];
        assert_eq!(session.extend(entries).unwrap_err().kind(), ErrorKind::Value);
        assert!(session.is_empty());
    })
    .await;
}

/// serde stops at 128 levels, and a `Value` passes through it whole.
#[tokio::test]
async fn values_of_any_depth_are_read_and_written_as_they_are() {
    in_session(flask(), |session| {
        let deep = (0..400).fold(Value::Null, |inner, _| Value::List(vec![inner]));
        session.insert("deep", &deep).unwrap();
        assert_eq!(session.value("deep"), Some(deep.clone()));
        assert_eq!(session.get("deep").unwrap(), Some(deep.clone()));
        session.insert("within", vec![(1, &deep)]).unwrap();
        assert_eq!(session.get("within").unwrap(), Some(vec![(1, deep.clone())]));
        session.update("deep", |deep: Option<Value>| deep.unwrap()).unwrap();
        assert_eq!(session.remove("deep").unwrap(), Some(deep));
    })
    .await;
}
