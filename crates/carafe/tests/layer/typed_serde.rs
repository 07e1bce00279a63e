//! Sessions whose keys are the fields of a struct, where serde skips, flattens or can't read them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::value::{Int, Text, Value};
use carafe::{Error, ErrorKind, Session, SessionLayer, Typed};
use serde::{Deserialize, Serialize};

use crate::support::{Client, flask, in_session};

static VISITORS: AtomicU64 = AtomicU64::new(0);

/// A visitor whose number differs in each default.
#[derive(Serialize, Deserialize)]
struct Numbered {
    number: u64,
    group: u8,
    visits: u64,
}

impl Default for Numbered {
    fn default() -> Self {
        Self { number: VISITORS.fetch_add(1, Ordering::Relaxed), group: 0, visits: 0 }
    }
}

fn numbered(layer: SessionLayer) -> Client {
    let show = |visitor: &Numbered| format!("{} {}", visitor.number, visitor.visits);
    let edit = async move |mut visitor: Typed<Numbered>| -> Result<String, Error> {
        visitor.edit(|visitor| visitor.visits += 1)?;
        Ok(show(&visitor))
    };
    let update = async move |mut visitor: Typed<Numbered>| -> Result<String, Error> {
        visitor.update(|visitor| visitor.visits += 1)?;
        Ok(show(&visitor))
    };
    let now = async move |mut visitor: Typed<Numbered>| -> Result<String, Error> {
        visitor.update_now(|visitor| visitor.visits += 1).await?;
        Ok(show(&visitor))
    };
    let read = async move |visitor: Typed<Numbered>| show(&visitor);
    let keys = async |session: Session| format!("{:?}", session.keys().len());
    Client::new(
        Router::new()
            .route("/edit", get(edit))
            .route("/update", get(update))
            .route("/now", get(now))
            .route("/read", get(read))
            .route("/keys", get(keys))
            .layer(layer),
    )
}

#[tokio::test]
async fn a_default_that_differs_each_time_is_the_first_one_once_a_field_was_changed() {
    for stored in [false, true] {
        for change in ["/edit", "/update", "/now"] {
            let layer = if stored { flask().in_store(MemoryStore::new()) } else { flask() };
            let mut client = numbered(layer);
            let first = client.get(change).await.text;
            assert!(first.ends_with(" 1"), "{first}");
            assert_eq!(client.get("/read").await.text, first, "{change}, stored: {stored}");
            let again = client.get(change).await.text;
            assert_eq!(again, first.replace(" 1", " 2"), "{change}, stored: {stored}");
            assert_eq!(client.get("/keys").await.text, "3");
        }
    }
}

/// Of several simultaneous requests, none writes its default over another's value.
#[tokio::test]
async fn a_default_is_never_written_over_a_value() {
    let first = async |session: Session| -> Result<(), Error> {
        session.insert("page", 1)?;
        session.save().await
    };
    let meet = std::sync::Arc::new(tokio::sync::Barrier::new(2));
    let other = meet.clone();
    let late = async move |mut visitor: Typed<Numbered>| -> Result<(), Error> {
        meet.wait().await;
        meet.wait().await;
        visitor.edit(|visitor| visitor.visits = 5)
    };
    let quick = async move |session: Session| -> Result<(), Error> {
        other.wait().await;
        session.insert("group", 7)?;
        session.save().await?;
        other.wait().await;
        Ok(())
    };
    let read = async |visitor: Typed<Numbered>| format!("{} {}", visitor.group, visitor.visits);
    let app = Router::new()
        .route("/first", get(first))
        .route("/late", get(late))
        .route("/quick", get(quick))
        .route("/read", get(read))
        .layer(flask().in_store(MemoryStore::new()));
    let mut client = Client::new(app.clone());
    client.get("/first").await;
    let mut other = Client { app, cookies: client.cookies.clone() };
    let (one, two) = tokio::join!(client.get("/late"), other.get("/quick"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    assert_eq!(client.get("/read").await.text, "7 5");
}

#[derive(Serialize, Deserialize, Default, Debug, PartialEq)]
struct Skipping {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    cart: BTreeMap<String, u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    visits: u64,
    #[serde(skip_serializing_if = "is_empty")]
    text: Text,
    #[serde(skip_serializing_if = "is_unset")]
    nested: Nested,
}

#[derive(Serialize, Deserialize, Default, Debug, PartialEq)]
struct Nested {
    on: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_empty(text: &Text) -> bool {
    text.is_empty()
}

fn is_unset(nested: &Nested) -> bool {
    *nested == Nested::default()
}

#[tokio::test]
async fn what_serde_skips_is_read_as_empty() {
    in_session(flask(), |session| {
        let mut visitor: Typed<Skipping> = session.typed().unwrap();
        assert_eq!(*visitor, Skipping::default());
        visitor.edit(|visitor| visitor.items.push("pear".to_owned())).unwrap();
        assert_eq!(session.typed::<Skipping>().unwrap().items, ["pear"]);
        visitor.update(|visitor| visitor.items.clear()).unwrap();
        assert_eq!(*session.typed::<Skipping>().unwrap(), Skipping::default());
        assert!(session.is_empty());
    })
    .await;
}

/// Skips an empty list, which differs from the default.
#[derive(Serialize, Deserialize)]
struct Welcome {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
    visits: u64,
}

impl Default for Welcome {
    fn default() -> Self {
        Self { items: vec!["welcome".to_owned()], visits: 0 }
    }
}

#[tokio::test]
async fn a_list_that_was_cleared_does_not_come_back() {
    in_session(flask(), |session| {
        let mut visitor: Typed<Welcome> = session.typed().unwrap();
        assert_eq!(visitor.items, ["welcome"]);
        visitor.edit(|visitor| visitor.items.clear()).unwrap();
        let mut again: Typed<Welcome> = session.typed().unwrap();
        assert!(again.items.is_empty());
        again.edit(|visitor| visitor.visits += 1).unwrap();
        assert!(session.typed::<Welcome>().unwrap().items.is_empty());
    })
    .await;
}

/// Skips a value that is neither empty nor the default.
#[derive(Serialize, Deserialize)]
struct Language {
    #[serde(skip_serializing_if = "is_english")]
    language: String,
    visits: u64,
}

impl Default for Language {
    fn default() -> Self {
        Self { language: "de".to_owned(), visits: 0 }
    }
}

fn is_english(language: &str) -> bool {
    language == "en"
}

#[tokio::test]
async fn what_is_skipped_and_can_not_be_stored_is_refused() {
    in_session(flask(), |session| {
        session.insert("theme", "dark").unwrap();
        let mut visitor: Typed<Language> = session.typed().unwrap();
        for result in [
            visitor.edit(|visitor| visitor.language = "en".to_owned()),
            visitor.update(|visitor| visitor.language = "en".to_owned()),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Value);
            assert!(error.to_string().contains("serde skips \"language\""), "{error}");
        }
        assert_eq!((session.len(), visitor.language.as_str()), (1, "de"));
    })
    .await;
}

#[derive(Serialize, Deserialize, PartialEq, Debug)]
#[serde(tag = "kind")]
enum Tagged {
    Small { number: u64 },
    Wide { number: u128 },
    Any { number: Int },
}

#[derive(Serialize, Deserialize, Default)]
struct WithTagged {
    tagged: Option<Tagged>,
}

#[tokio::test]
async fn what_serde_writes_and_does_not_read_is_refused() {
    in_session(flask(), |session| {
        let mut visitor: Typed<WithTagged> = session.typed().unwrap();
        visitor.edit(|v| v.tagged = Some(Tagged::Small { number: 1 })).unwrap();
        let error = visitor.edit(|v| v.tagged = Some(Tagged::Wide { number: 2 })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.to_string().contains("use `carafe::value::Int`"), "{error}");
        let again = session.typed::<WithTagged>().unwrap();
        assert_eq!(again.tagged, Some(Tagged::Small { number: 1 }));

        let error = session.update("tagged", |_: Option<Tagged>| Tagged::Wide { number: 2 });
        assert!(error.unwrap_err().to_string().contains("use `carafe::value::Int`"));
        assert_eq!(session.get("tagged").unwrap(), Some(Tagged::Small { number: 1 }));

        let number: Int = "9".repeat(50).parse().unwrap();
        visitor.edit(|v| v.tagged = Some(Tagged::Any { number: number.clone() })).unwrap();
        let again = session.typed::<WithTagged>().unwrap();
        assert_eq!(again.tagged, Some(Tagged::Any { number }));
    })
    .await;
}

#[derive(Serialize, Deserialize, Default)]
struct Flat<Rest> {
    visits: u64,
    #[serde(flatten)]
    rest: Rest,
}

/// Returns values that Flask can read, and that serde can't represent.
fn foreign() -> Vec<Value> {
    let big = Value::Int("1180591620717411303424".parse().unwrap());
    let lone = Value::Text(Text::from_utf16(&[0xd800]));
    let deep = (0..200).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    let key = Value::Dict([(Text::from_utf16(&[0xd800]), 1)].into_iter().collect());
    let tuple = Value::Tuple(vec![big.clone()]);
    vec![big, lone, deep, key, tuple]
}

async fn leaves_alone<Rest>(value: Value, reads: fn(&Rest, &Value) -> bool)
where
    Rest: Serialize + serde::de::DeserializeOwned + Default + Send + 'static,
{
    in_session(flask(), move |session| {
        let lone = Text::from_utf16(&[0xdc00]);
        session.insert("theme", "dark").unwrap();
        session.insert("foreign", value.clone()).unwrap();
        let mut flat: Typed<Flat<Rest>> = session.typed().unwrap();
        flat.edit(|flat| flat.visits = 1).unwrap();
        flat.update(|flat| flat.visits += 1).unwrap();
        assert_eq!(session.value("foreign"), Some(value.clone()));
        let again: Typed<Flat<Rest>> = session.typed().unwrap();
        assert_eq!(again.visits, 2);
        assert!(reads(&again.rest, &value), "{value:?}");
        session.insert(&lone, 1).unwrap();
        assert_eq!(session.typed::<Flat<Rest>>().unwrap().visits, 2);
    })
    .await;
}

#[tokio::test]
async fn one_value_that_serde_can_not_hold_fails_nothing() {
    for value in foreign() {
        leaves_alone::<Nested2>(value.clone(), |_, _| true).await;
        leaves_alone::<HashMap<String, serde_json::Value>>(value.clone(), |rest, _| {
            rest.len() == 1 && rest["theme"] == "dark"
        })
        .await;
        leaves_alone::<BTreeMap<String, Value>>(value, |rest, value| {
            rest["theme"].as_str() == Some("dark")
                && match value {
                    Value::Int(_) | Value::Text(_) => rest.get("foreign") == Some(value),
                    // A tuple is a list to serde, and the others are left out.
                    Value::Tuple(items) => rest["foreign"].as_slice() == Some(items),
                    _ => !rest.contains_key("foreign"),
                }
        })
        .await;
    }
}

/// Fields that serde skips are fields, too.
#[tokio::test]
async fn a_login_keeps_the_fields_of_a_type() {
    let logs_in = |session: &Session| {
        session.insert("theme", "dark").unwrap();
        session.insert("items", vec!["pear"]).unwrap();
        session.insert("visits", 3).unwrap();
        let options = carafe::LoginOptions::default().keep_fields::<Skipping>().unwrap();
        session.login_with("42", options).unwrap();
        assert!(!session.contains("theme"));
        let kept = session.typed::<Skipping>().unwrap();
        assert_eq!((kept.items.as_slice(), kept.visits), (["pear".to_owned()].as_slice(), 3));
        let error = carafe::LoginOptions::default().keep_fields::<(u8, u8)>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
    };
    in_session(flask(), logs_in).await;
    in_session(flask().in_store(MemoryStore::new()), logs_in).await;
}

#[derive(Serialize, Deserialize, Default)]
struct Nested2 {
    language: Option<String>,
}
