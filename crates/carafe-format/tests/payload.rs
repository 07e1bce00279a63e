//! A session's payload: keys that are found, and values that are built or copied.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use carafe_format::value::json::{Entry, Payload, write_session};
use carafe_format::{ErrorKind, Value};

fn parse(json: &str) -> Payload {
    Payload::parse(json.as_bytes().to_vec()).unwrap()
}

/// The bytes of a value that need not be written anew.
fn raw<'a>(payload: &'a Payload, key: &[u8]) -> Option<&'a str> {
    match payload.entry(key).unwrap() {
        Some(Entry::Raw(json)) => Some(std::str::from_utf8(json).unwrap()),
        _ => None,
    }
}

fn rewrite(payload: &Payload) -> String {
    let keys: Vec<Vec<u8>> = payload.keys().map(<[u8]>::to_vec).collect();
    let entries = keys.iter().map(|key| (key.as_slice(), payload.entry(key).unwrap().unwrap()));
    let mut out = Vec::new();
    write_session(&mut out, entries).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn finds_keys_and_builds_values() {
    let payload = parse(r#"{ "b" : [1, 2], "\u00eb":"x","a":"y" }"#);
    assert_eq!(payload.len(), 3);
    assert_eq!(payload.keys().collect::<Vec<_>>(), [b"a", b"b", "ë".as_bytes()]);
    assert_eq!(payload.get(b"b").unwrap().unwrap().to_tagged_json().unwrap(), "[1,2]");
    assert_eq!(payload.get(b"c").unwrap(), None);
    assert!(payload.contains("ë".as_bytes()) && !payload.contains(b"e"));
    assert_eq!(rewrite(&payload), r#"{"a":"y","b":[1,2],"\u00eb":"x"}"#);
}

#[test]
fn finds_each_of_many_keys() {
    let json: Vec<String> = (0..100).map(|n| format!("\"k{}\":{n}", n * 7 % 100)).collect();
    let payload = parse(&format!("{{{}}}", json.join(",")));
    for n in 0..100 {
        let key = format!("k{}", n * 7 % 100);
        assert_eq!(payload.get(key.as_bytes()).unwrap(), Some(Value::from(n)));
    }
    assert_eq!(payload.get(b"k100").unwrap(), None);
}

#[test]
fn keys_with_escapes_are_found_among_few_and_many() {
    for keys in [1, 2, 11, 12, 13, 40] {
        let json: Vec<String> = (0..keys).map(|n| format!("\"k\\u00e9{n}\":{n}")).collect();
        let payload = parse(&format!("{{\"a\":\"b\",{}}}", json.join(",")));
        assert_eq!(payload.len(), keys + 1);
        assert_eq!(payload.get(b"a").unwrap(), Some(Value::from("b")));
        for n in 0..keys {
            let key = format!("ké{n}");
            assert_eq!(payload.get(key.as_bytes()).unwrap(), Some(Value::from(n as u64)));
        }
    }
}

#[test]
fn raw_is_what_would_be_written() {
    let canonical = [
        "null",
        "true",
        "-12",
        "123456789012345678901234567890",
        "NaN",
        "-Infinity",
        r#""""#,
        r#""\"\\\n\r\t\b\f\u0000\u001f\u007f\u00e9\ud83d\ude00\ud800/""#,
        r#"[]"#,
        r#"{}"#,
        r#"[1,[2],{}]"#,
        r#"{"a":1,"b":2,"\u00e9":3}"#,
        r#"{" t":[1,{" t":[]}]}"#,
        r#"{" b":""}"#,
        r#"{" b":"AP8="}"#,
        r#"{" m":"<b>\u00e9"}"#,
        r#"{" u":"12345678123456781234567812345678"}"#,
        r#"{" d":"Thu, 29 Feb 2024 12:34:56 GMT"}"#,
        r#"{" di":{" t__":1}}"#,
        r#"{" di":{" di__":{" t":[{}]}}}"#,
        r#"{" t":1,"a":2}"#,
        r#"{" x":1}"#,
    ];
    for json in canonical {
        let payload = parse(&format!("{{\"k\":{json}}}"));
        assert_eq!(raw(&payload, b"k"), Some(json));
        assert_eq!(payload.get(b"k").unwrap().unwrap().to_tagged_json().unwrap(), json);
    }
}

#[test]
fn other_spellings_are_written_anew() {
    for (json, written) in [
        ("-0", "0"),
        ("1E400", "Infinity"),
        ("1.50", "1.5"),
        (r#""é""#, r#""\u00e9""#),
        ("\"\x7f\"", r#""\u007f""#),
        (r#""\/""#, r#""/""#),
        (r#""\u000a""#, r#""\n""#),
        (r#""\u0041""#, r#""A""#),
        (r#""\u00E9""#, r#""\u00e9""#),
        ("[1, 2]", "[1,2]"),
        ("{ }", "{}"),
        (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
        (r#"{"\u00e9":1,"z":2}"#, r#"{"z":2,"\u00e9":1}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{" b":"AP9="}"#, r#"{" b":"AP8="}"#),
        (r#"{" t":"ab"}"#, r#"{" t":["a","b"]}"#),
        (r#"{" t":{"b":1,"a":2}}"#, r#"{" t":["b","a"]}"#),
        (r#"{" t":[1]," t":[2]}"#, r#"{" t":[2]}"#),
        (r#"{" m":null}"#, r#"{" m":"None"}"#),
        (r#"{" d":"zz"}"#, "null"),
        (r#"{" d":"Fri, 29 Feb 2024 12:34:56 GMT"}"#, r#"{" d":"Thu, 29 Feb 2024 12:34:56 GMT"}"#),
        (r#"{" d":"Sun, 01 Jan 0068 00:00:00 GMT"}"#, r#"{" d":"Sun, 01 Jan 2068 00:00:00 GMT"}"#),
        (r#"{" di":{"b__":1,"a":2}}"#, r#"{"b":1}"#),
        (r#"{" di":{"x":1}}"#, r#"{"":1}"#),
        (r#"{" di":{"\u00e9\ud800x":1}}"#, r#"{"\u00e9":1}"#),
        (r#"{"\u0020t":[]}"#, r#"{" t":[]}"#),
    ] {
        let payload = parse(&format!("{{\"k\":{json}}}"));
        assert_eq!(raw(&payload, b"k"), None, "{json}");
        assert_eq!(rewrite(&payload), format!("{{\"k\":{written}}}"), "{json}");
    }
}

#[test]
fn takes_what_python_makes_a_dict_of() {
    for (json, session) in [
        ("null", "{}"),
        ("[]", "{}"),
        ("\"\"", "{}"),
        (r#"{" t":[]}"#, "{}"),
        (r#"{" b":""}"#, "{}"),
        (r#"{" d":"x"}"#, "{}"),
        (r#"[["a",1]]"#, r#"{"a":1}"#),
        (r#"{" t":[["a",1],["a",2]]}"#, r#"{"a":2}"#),
        (r#"["ab",{"z":1,"a":2}]"#, r#"{"a":"b","z":"a"}"#),
        (r#"[[1,2],[true,2],[null,2],[1e16,2]]"#, r#"{"1":2,"1e+16":2,"null":2,"true":2}"#),
        (r#"{" di":{" t__":[1]}}"#, r#"{" di":{" t__":[1]}}"#),
        (r#"{"a":{" u":"zz"},"a":1}"#, r#"{"a":1}"#),
    ] {
        assert_eq!(rewrite(&parse(json)), session, "{json}");
    }
    for json in [
        "true",
        "1",
        "1.0",
        "\"ab\"",
        "[1]",
        "[[]]",
        "[[1]]",
        "[[1,2,3]]",
        "[\"abc\"]",
        "[[[],1]]",
        r#"{" b":"AA=="}"#,
        r#"{" t":1}"#,
        r#"{" d":"Thu, 01 Jan 1970 00:00:00 GMT"}"#,
        "",
        "{",
        "{}}",
        "\u{feff}{}",
    ] {
        let error = Payload::parse(json.as_bytes().to_vec()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadPayload, "{json}");
    }
}

#[test]
fn deep_nesting_ends_in_an_error_on_a_small_stack() {
    let test = || {
        for open in ["[", "{\"a\":", "{\" t\":[", "{\" di\":{\" t__\":"] {
            let json = format!("{{\"k\":{}", open.repeat(200_000));
            assert!(Payload::parse(json.into_bytes()).is_err());
        }
        let json = format!("{{\"k\":{}{}}}", "[".repeat(999), "]".repeat(999));
        let payload = parse(&json);
        assert_eq!(rewrite(&payload), json);
    };
    let small = std::thread::Builder::new().stack_size(2 << 20);
    small.spawn(test).unwrap().join().unwrap();
}
