//! Payloads behind good signatures, and what real Flask made of them.

use super::super::Value;
use super::payload::Payload;
use crate::{ErrorKind, base64};

const ROWS: &str = include_str!("../../../tests/vectors/flask-invalid.jsonl");

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
    for row in ROWS.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let category = row["category"].as_str().unwrap();
        if !matches!(category, "tags" | "lenient-json" | "bad-json" | "top-level") {
            continue;
        }
        seen += 1;
        let reason = row["reason"].as_str().unwrap();
        let payload = row["cookie"].as_str().unwrap().split('.').next().unwrap();
        let json = base64::decode_url(payload.as_bytes()).unwrap();
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
    let members = payload.keys().map(|key| (crate::Text::from_known_wtf8(key), payload.get(key)));
    Value::Dict(members.map(|(key, value)| (key, value.unwrap())).collect())
}
