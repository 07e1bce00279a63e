//! The validating pass beside the reader, which builds every value and shares only the lexer with it,
//! on documents that are broken in every way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use carafe_format::value::json::{Entry, Payload};
use carafe_format::{Text, Value};

const DOCUMENTS: [&str; 34] = [
    r#"{}"#,
    r#"{"a":"b"}"#,
    r#"{"username":"admin"}"#,
    r#"{"_flashes":[{" t":["message","Welcome!"]}],"_fresh":true,"_id":"0123456789abcdef0123"}"#,
    r#"{"cart":[{"id":31,"n":1},{"id":274,"n":2}],"csrf_token":"0123456789abcdef01234567"}"#,
    r#"{"k":"a text of more than thirty-two bytes, and more"}"#,
    r#"{"k":"a text with an escape, \u00e9, behind its middle"}"#,
    r#"{"a":1,"b":-2,"c":0,"d":12345678901234567890,"e":-0}"#,
    r#"{"a":1.5,"b":1e5,"c":-0.0,"d":1E-07,"e":NaN,"f":-Infinity,"g":Infinity}"#,
    r#"{"a":null,"b":true,"c":false}"#,
    r#"{"a":[],"b":{},"c":[[]],"d":[{}],"e":{"f":{}}}"#,
    r#"{"a":[[[[[[1]]]]]],"b":{"c":{"d":{"e":{"f":{}}}}}}"#,
    r#"{ "a" : [ 1 , { "b" : 2 } ] , "c" : { } }"#,
    r#"{"b":1,"a":2}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":{"b":1,"a":2,"a":3}}"#,
    r#"{"abcdefgh":1,"abcdefghi":2,"abcdefghj":3}"#,
    r#"{"a":{"abcdefgh":1,"abcdefghj":2,"abcdefghi":3}}"#,
    r#"{"a":{"":0,"a":1,"aa":2},"":1}"#,
    r#"{"a\u0000":1,"a":2,"\u00e9":3,"\ud83d\ude00":4,"\ud800":5}"#,
    r#"{"x":{"a\u0000":1,"a":2,"\u0061b":3,"\u00e9":4}}"#,
    r#"{"a":{" t":[1,2]},"b":{" t":[]},"c":{" t":"ab"}}"#,
    r#"{"a":{" b":"AP8="},"b":{" b":"AP9="},"c":{" b":""}}"#,
    r#"{"a":{" u":"12345678123456781234567812345678"}}"#,
    r#"{"a":{" d":"Thu, 29 Feb 2024 12:34:56 GMT"},"b":{" d":"x"}}"#,
    r#"{"a":{" m":"<b>"},"b":{" m":null}}"#,
    r#"{"a":{" di":{" t__":[1]}},"b":{" di":{" t":[1]}},"c":{" di":{"b__":1}}}"#,
    r#"{"a":{" t":1,"b":2},"c":{" t":[1]," a":2," t":[3]}}"#,
    r#"{"a":{" x":1},"b":{" x":1," y":2},"c":{"\u0020t":[]},"d":{" t__":1," u__":2}}"#,
    r#"{" t":[1]}"#,
    r#"{" t":[["a",1]]}"#,
    r#"[["a",1],["b",[2]]]"#,
    "{\"a\":\"\u{e9}\u{1f600}\",\"\u{e9}\":\"\x7f\"}",
    "{\"k\":\"tab\\t, quote \\\", slash \\/ and backslash \\\\\"}\n",
];

/// Parts of documents.
const TOKENS: [&str; 42] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "\n",
    "0",
    "1",
    "-",
    ".",
    "e5",
    "12",
    "-0",
    "1.5",
    "true",
    "false",
    "null",
    "NaN",
    "-Infinity",
    "\"a\":",
    "\"b\":",
    "\"a\"",
    "\"\":",
    "\" t\":",
    "\" di\":",
    "\" d\":",
    "\" b\":",
    "\" u\":",
    "\" m\":",
    "\" t__\":",
    "\"\\u0020t\":",
    "\"\\u00e9\"",
    "\"abcdefghi\":",
    "\"AP8=\"",
    "[1,2]",
    "{\"a\":1}",
    "\u{e9}",
    "\"sixteen bytes or more\"",
];

/// Asserts that both make the same of it; tells whether it is a session.
fn compare(json: &[u8]) -> bool {
    let shown = json.escape_ascii();
    let payload = match (Payload::parse(json.to_vec()), Value::from_tagged_json(json)) {
        (Ok(payload), Ok(Value::Dict(dict))) => {
            let keys: Vec<_> = payload.keys().map(Text::from_wtf8).collect();
            let expected: Vec<_> = dict.keys().cloned().collect();
            assert_eq!(keys, expected, "{shown}");
            payload
        }
        // Python's `dict()` makes sessions of some others.
        (parsed, Ok(_)) => return parsed.is_ok(),
        (parsed, Err(_)) => {
            assert!(parsed.is_err(), "{shown}");
            return false;
        }
    };
    let Ok(Value::Dict(dict)) = Value::from_tagged_json(json) else { unreachable!() };
    for (position, (key, value)) in dict.iter().enumerate() {
        let key = key.as_wtf8();
        let written = value.to_tagged_json().unwrap();
        assert!(payload.contains(key), "{shown}");
        let read = payload.get(key).unwrap().unwrap().to_tagged_json().unwrap();
        assert_eq!(read, written, "{shown}");
        match payload.entry(key).unwrap().unwrap() {
            // Copied JSON equals written JSON.
            Entry::Raw(raw) => {
                assert_eq!(raw, written.as_bytes(), "{shown}");
                assert_eq!(payload.position(key), Some(position), "{shown}");
            }
            Entry::Value(value) => assert_eq!(value.to_tagged_json().unwrap(), written),
            Entry::Owned(value) => assert_eq!(value.to_tagged_json().unwrap(), written),
        }
    }
    true
}

#[test]
fn documents_that_end_anywhere() {
    for document in DOCUMENTS {
        for end in 0..=document.len() {
            compare(&document.as_bytes()[..end]);
        }
    }
}

/// Takes two or three seconds.
#[test]
fn documents_with_another_byte_anywhere() {
    let others = b"09:ADEINTZ[\\]_abdefnrtuz{|}~\x7f\x80\x9f\xa9\xc3\xe9\xff";
    let bytes: Vec<u8> = (0..b'0').chain(others.iter().copied()).collect();
    let mut sessions = 0;
    for document in DOCUMENTS {
        for at in 0..document.len() {
            let mut changed = document.as_bytes().to_vec();
            for &byte in &bytes {
                changed[at] = byte;
                sessions += u32::from(compare(&changed));
            }
            changed.remove(at);
            sessions += u32::from(compare(&changed));
        }
    }
    assert!(sessions > 10_000, "{sessions}");
}

#[test]
fn documents_with_any_tokens_among_theirs() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |end: usize| {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as usize % end
    };
    let mut sessions = 0;
    for _ in 0..20_000 {
        let mut json = DOCUMENTS[below(DOCUMENTS.len())].as_bytes().to_vec();
        for _ in 0..=below(3) {
            let start = below(json.len() + 1);
            let end = (start + below(4)).min(json.len());
            json.splice(start..end, TOKENS[below(TOKENS.len())].bytes());
        }
        sessions += u32::from(compare(&json));
        let soup: Vec<&str> = (0..below(12)).map(|_| TOKENS[below(TOKENS.len())]).collect();
        sessions += u32::from(compare(format!("{{\"k\":{}}}", soup.concat()).as_bytes()));
    }
    assert!(sessions > 2000, "{sessions}");
}
