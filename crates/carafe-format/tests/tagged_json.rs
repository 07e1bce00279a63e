//! Tagged JSON against what real Flask wrote, read and refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use carafe_format::value::json::Payload;
use carafe_format::{ErrorKind, Text, Value};

use support::rows;

#[test]
fn writes_what_flask_wrote() {
    let rows = rows("flask.jsonl");
    assert!(rows.len() > 100);
    for row in rows {
        let json = row["tagged_json"].as_str().unwrap();
        let loaded = row["loaded_tagged_json"].as_str().unwrap();
        let value = Value::from_tagged_json(json.as_bytes()).unwrap();
        assert_eq!(value.to_tagged_json().unwrap(), loaded, "row {}", row["id"]);
        let again = Value::from_tagged_json(loaded.as_bytes()).unwrap();
        assert_eq!(again, value, "row {}", row["id"]);
    }
}

#[test]
fn reads_nested_as_deep_as_flask_on_a_small_stack() {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    };
    let test = move || {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\" t\":[", "]}")] {
            let levels = 1000 / open.matches(['[', '{']).count();
            let value = Value::from_tagged_json(deep(open, close, levels).as_bytes()).unwrap();
            assert_eq!(value.clone(), value);
            assert_eq!(value.to_tagged_json().unwrap_err().kind(), ErrorKind::Value);
            for too_deep in [levels + 1, 1_000_000] {
                let json = deep(open, close, too_deep);
                let error = Value::from_tagged_json(json.as_bytes()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BadPayload);
            }
            let levels = levels * 480 / 1000;
            let json = deep(open, close, levels);
            let value = Value::from_tagged_json(json.as_bytes()).unwrap();
            assert_eq!(value.to_tagged_json().unwrap(), json);
            let json = deep(open, close, levels + 1);
            let value = Value::from_tagged_json(json.as_bytes()).unwrap();
            assert_eq!(value.to_tagged_json().unwrap_err().kind(), ErrorKind::Value);
        }
    };
    let small = std::thread::Builder::new().stack_size(2 << 20);
    small.spawn(test).unwrap().join().unwrap();
}

/// Python's `repr`, as far as the rows need it.
fn repr(value: &Value) -> String {
    let all = |items: &[Value]| items.iter().map(repr).collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Int(int) => int.to_string(),
        Value::Float(float) if float.is_infinite() => "inf".to_owned(),
        Value::Text(text) => format!("'{text}'"),
        Value::Markup(text) => format!("Markup('{text}')"),
        Value::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
        Value::Uuid(uuid) => format!("UUID('{uuid}')"),
        Value::List(items) => format!("[{}]", all(items)),
        Value::Tuple(items) => format!("({})", all(items)),
        Value::Dict(dict) => {
            let members: Vec<_> =
                dict.iter().map(|(key, value)| format!("'{key}': {}", repr(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::DateTime(time) => format!("datetime({})", time.unix()),
        other => panic!("no row has a {}", other.type_name()),
    }
}

#[test]
fn payloads_mean_what_flask_reads() {
    let mut seen = 0;
    for row in rows("flask-invalid.jsonl") {
        let category = row["category"].as_str().unwrap();
        if !matches!(category, "tags" | "lenient-json" | "bad-json" | "top-level") {
            continue;
        }
        seen += 1;
        let reason = row["reason"].as_str().unwrap();
        let payload = row["cookie"].as_str().unwrap().split('.').next().unwrap();
        let json = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap();
        let read = Payload::parse(json.clone());
        // Both readers agree, where the top level is a dictionary.
        if let (Ok(read), Ok(value @ Value::Dict(_))) = (&read, Value::from_tagged_json(&json)) {
            assert_eq!(session(read), value, "{reason}");
        }
        match row["flask_result"].as_str().unwrap() {
            "500" => assert_eq!(read.unwrap_err().kind(), ErrorKind::BadPayload, "{reason}"),
            "empty" => assert_eq!(read.unwrap().len(), 0, "{reason}"),
            _ => {
                let read = repr(&session(&read.unwrap()));
                match reason.split(',').next().unwrap() {
                    // The instants that these name; the offset is not kept.
                    "date with offset (kept)" => assert_eq!(read, "{'a': datetime(-7200)}"),
                    "date -0000" => assert_eq!(read, "{'a': datetime(0)}"),
                    // Keys that are no text become what Flask would write.
                    "list of non-str pairs" => assert_eq!(read, "{'1': 2}"),
                    _ => {
                        let expected = row["session_repr"].as_str().unwrap();
                        match expected.strip_suffix("...") {
                            Some(start) => assert!(read.starts_with(start), "{reason}"),
                            None => assert_eq!(read, expected, "{reason}"),
                        }
                    }
                }
            }
        }
    }
    assert_eq!(seen, 55);
}

fn session(payload: &Payload) -> Value {
    let members = payload.keys().map(|key| (Text::from_wtf8(key), payload.get(key)));
    Value::Dict(members.map(|(key, value)| (key, value.unwrap())).collect())
}
