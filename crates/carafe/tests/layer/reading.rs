//! Reading a session, and values of other types than asked for.

use std::collections::BTreeMap;

use carafe::value::{Text, Value};
use carafe::{ErrorKind, Session};

use crate::support::{flask, in_session};

fn fill(session: &Session) {
    session.insert("id", 42).unwrap();
    session.insert("name", "Zoë").unwrap();
    session.insert("tags", vec!["a", "b"]).unwrap();
    session.insert("nothing", None::<i32>).unwrap();
}

#[tokio::test]
async fn keys_values_and_sizes() {
    in_session(flask(), |session| {
        assert!(session.is_empty() && session.keys().is_empty());
        fill(session);
        assert_eq!(session.len(), 4);
        assert_eq!(session.keys(), ["id", "name", "nothing", "tags"]);
        let (keys, values): (Vec<_>, Vec<_>) = session.iter().unzip();
        assert_eq!(keys, session.keys());
        assert_eq!(values[0], Value::from(42));
        assert_eq!(session.to_dict().get("tags"), Some(&Value::from(vec!["a", "b"])));
        assert!(session.contains("nothing") && !session.contains("missing"));
        assert_eq!(session.value("nothing"), Some(Value::Null));
        assert_eq!(session.value("missing"), None);
    })
    .await;
}

#[tokio::test]
async fn values_as_rust_types() {
    in_session(flask(), |session| {
        fill(session);
        assert_eq!(session.get::<u8>("id").unwrap(), Some(42));
        assert_eq!(session.get::<f64>("id").unwrap(), Some(42.0));
        assert_eq!(session.get::<String>("name").unwrap().as_deref(), Some("Zoë"));
        assert_eq!(session.get::<Vec<String>>("tags").unwrap().unwrap(), ["a", "b"]);
        assert_eq!(session.get::<Option<i32>>("nothing").unwrap(), Some(None));
        assert_eq!(session.get::<String>("missing").unwrap(), None);
        session.insert("map", BTreeMap::from([("k", (1, true))])).unwrap();
        let map = session.get::<BTreeMap<String, (i64, bool)>>("map").unwrap().unwrap();
        assert_eq!(map["k"], (1, true));
        // Keys may be all that Python's are.
        let lone = Text::from_utf16(&[0xd800]);
        session.insert(&lone, lone.clone()).unwrap();
        assert_eq!(session.get::<Text>(&lone).unwrap(), Some(lone));
    })
    .await;
}

#[tokio::test]
async fn another_type_names_the_key_and_both_types() {
    in_session(flask(), |session| {
        fill(session);
        for (error, names) in [
            (session.get::<String>("id").unwrap_err(), ["\"id\"", "str", "int"]),
            (session.get::<bool>("id").unwrap_err(), ["\"id\"", "bool", "int"]),
            (session.get::<i64>("name").unwrap_err(), ["\"name\"", "i64", "str"]),
            (session.get::<Vec<i64>>("tags").unwrap_err(), ["\"tags\"", "i64", "str"]),
            (
                session.get::<(String,)>("tags").unwrap_err(),
                ["\"tags\"", "expected 1 element", "a length of 2"],
            ),
            (session.get::<String>("nothing").unwrap_err(), ["\"nothing\"", "str", "None"]),
            (session.take::<String>("id").unwrap_err(), ["\"id\"", "str", "int"]),
            (
                session.update("name", |n: Option<i64>| n.unwrap_or(0)).unwrap_err(),
                ["\"name\"", "i64", "str"],
            ),
        ] {
            assert_eq!(error.kind(), ErrorKind::Type);
            let text = error.to_string();
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
            assert!(!text.contains("42") && !text.contains("Zoë"), "{text}");
        }
        // The error of a number that doesn't fit says so, and doesn't name two equal types.
        session.insert("big", 300).unwrap();
        let error = session.get::<u8>("big").unwrap_err();
        assert!(
            error.to_string().contains("expected u8, found an int out of its range"),
            "{error}"
        );
        // None of these calls has changed the session.
        assert_eq!(session.len(), 5);
        assert_eq!(session.get::<i64>("id").unwrap(), Some(42));
    })
    .await;
}

#[tokio::test]
async fn types_of_the_applications_own_go_through_serde() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Item {
        name: String,
        price: Option<f64>,
    }
    in_session(flask(), |session| {
        let cart = vec![Item { name: "book".to_owned(), price: None }];
        session.insert("cart", &cart).unwrap();
        let json = session.value("cart").unwrap().to_tagged_json().unwrap();
        assert_eq!(json, r#"[{"name":"book","price":null}]"#);
        assert_eq!(session.get::<Vec<Item>>("cart").unwrap(), Some(cart));
        assert_eq!(session.get::<Vec<Item>>("missing").unwrap(), None);
        let error = session.get::<Item>("cart").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        assert!(error.to_string().contains("\"cart\""), "{error}");
        session.insert("cart", "hush").unwrap();
        let error = session.get::<Vec<Item>>("cart").unwrap_err();
        assert!(error.to_string().contains("\"cart\"") && !error.to_string().contains("hush"));
    })
    .await;
}
