//! Tagged JSON against what real Flask wrote, read and refused.

mod support;

use carafe_format::{ErrorKind, Value};

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
