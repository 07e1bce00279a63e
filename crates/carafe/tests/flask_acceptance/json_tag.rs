//! The tagged JSON: `test_json_tag.py`.

use carafe::value::{DateTime, Dict, Markup, Uuid, Value};

fn dict<V: Into<Value>>(key: &str, value: V) -> Value {
    Value::from(Dict::from([(key, value.into())]))
}

#[test]
fn test_dump_load_unchanged() {
    for data in [
        dict(" t", (1, 2, 3)),
        dict(" t__", Value::bytes(*b"a")),
        dict(" di", " di"),
        Value::from(Dict::from([("x", Value::from((1, 2, 3))), ("y", Value::from(4))])),
        Value::from((1, 2, 3)),
        Value::from(vec![(1, 2, 3)]),
        Value::bytes([0xff]),
        Value::from(Markup::from("<html>")),
        Value::from(Uuid::from_bytes([0x8c; 16])),
        Value::from(DateTime::now()),
    ] {
        let json = data.to_tagged_json().unwrap();
        let loaded = Value::from_tagged_json(json.as_bytes()).unwrap();
        assert_eq!(loaded, data, "{json}");
        assert_eq!(loaded.type_name(), data.type_name());
    }
}

/// An application can't register its own tags: a value that Flask wrote with one is read as a
/// dictionary, and written unchanged.
#[test]
fn test_custom_tag() {
    let json = r#"{" f":"bar"}"#;
    let loaded = Value::from_tagged_json(json.as_bytes()).unwrap();
    assert_eq!(loaded, dict(" f", "bar"));
    assert_eq!(loaded.to_tagged_json().unwrap(), json);
}

/// The order in which tags are tried: a dict that looks like a tag is escaped before anything else.
#[test]
fn test_tag_order() {
    for (value, json) in [
        (dict(" t", vec![1]), r#"{" di":{" t__":[1]}}"#),
        (dict(" di", vec![1]), r#"{" di":{" di__":[1]}}"#),
        (dict(" m", Markup::from("x")), r#"{" di":{" m__":{" m":"x"}}}"#),
        (Value::from((Value::bytes([0, 255]),)), r#"{" t":[{" b":"AP8="}]}"#),
        (Value::from(Dict::from([(" t", 1), (" b", 2)])), r#"{" b":2," t":1}"#),
    ] {
        assert_eq!(value.to_tagged_json().unwrap(), json);
    }
}
