//! Sessions whose keys are the fields of a struct.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::value::{DateTime, Markup, Uuid, Value};
use carafe::{Error, ErrorKind, Session, SessionLayer, Typed};
use serde::{Deserialize, Serialize};
use tokio::sync::Barrier;

use crate::support::{Client, flask, in_session};

#[derive(Serialize, Deserialize, Default, Debug, PartialEq, Clone)]
struct Visitor {
    username: Option<String>,
    visits: u64,
    cart: BTreeMap<String, u32>,
    #[serde(rename = "lang")]
    language: String,
}

fn stored() -> SessionLayer {
    flask().in_store(MemoryStore::new())
}

/// The tagged JSON of everything that a session holds.
fn json(session: &Session) -> String {
    Value::Dict(session.to_dict()).to_tagged_json().unwrap()
}

#[tokio::test]
async fn reading_changes_nothing_and_fields_have_their_defaults() {
    let (visitor, answer) = in_session(flask(), |session| {
        let visitor: Typed<Visitor> = session.typed().unwrap();
        (*visitor).clone()
    })
    .await;
    assert_eq!(visitor, Visitor::default());
    assert_eq!((answer.set_cookie(), answer.vary()), (None, Some("Cookie")));
}

#[derive(Serialize, Deserialize)]
struct Shop {
    currency: Option<String>,
    page_size: u8,
}

impl Default for Shop {
    fn default() -> Self {
        Self { currency: Some("EUR".to_owned()), page_size: 20 }
    }
}

#[tokio::test]
async fn none_is_kept_where_it_is_not_the_default() {
    in_session(flask(), |session| {
        let mut shop: Typed<Shop> = session.typed().unwrap();
        assert_eq!((shop.currency.as_deref(), shop.page_size), (Some("EUR"), 20));
        shop.edit(|shop| shop.currency = None).unwrap();
        assert_eq!(json(session), r#"{"currency":null,"page_size":20}"#);
        assert_eq!(session.typed::<Shop>().unwrap().currency, None);
    })
    .await;
}

#[tokio::test]
async fn changed_fields_are_written_and_defaults_with_the_first_of_them() {
    in_session(flask(), |session| {
        session.insert("theme", "dark").unwrap();
        session.insert("lang", Markup::from("de")).unwrap();
        session.insert("visits", 3).unwrap();
        let mut visitor: Typed<Visitor> = session.typed().unwrap();
        assert_eq!((visitor.language.as_str(), visitor.visits), ("de", 3));
        let before = visitor.edit(|visitor| std::mem::replace(&mut visitor.visits, 4)).unwrap();
        assert_eq!((before, visitor.visits), (3, 4));
        // The field that has a type of Python's is left alone.
        let stored = r#"{"cart":{},"lang":{" m":"de"},"theme":"dark","visits":4}"#;
        assert_eq!(json(session), stored);
        visitor.edit(|visitor| visitor.username = Some("admin".to_owned())).unwrap();
        visitor.update(|visitor| *visitor.cart.entry("pear".to_owned()).or_default() += 1).unwrap();
        assert_eq!(session.get::<String>("username").unwrap().as_deref(), Some("admin"));
        assert_eq!(session.value("cart").unwrap().to_tagged_json().unwrap(), r#"{"pear":1}"#);
        visitor.edit(|visitor| visitor.username = None).unwrap();
        assert!(!session.contains("username"), "for Python's `'username' in session`");
        session.remove("visits").unwrap();
        assert_eq!(visitor.visits, 4);
        visitor.reload().unwrap();
        assert_eq!(visitor.visits, 0);
    })
    .await;
}

#[tokio::test]
async fn an_edit_that_changes_nothing_sets_no_cookie() {
    let (_, answer) = in_session(flask(), |session| {
        let mut visitor: Typed<Visitor> = session.typed().unwrap();
        visitor.edit(|visitor| visitor.visits = 0).unwrap();
        visitor.update(|_| {}).unwrap();
    })
    .await;
    assert_eq!(answer.set_cookie(), None);
}

#[derive(Serialize, Deserialize, Default)]
struct Types {
    id: Option<Uuid>,
    at: Option<DateTime>,
    pair: (u8, String),
    nested: Nested,
}

#[derive(Serialize, Deserialize, Default)]
struct Nested {
    on: bool,
}

#[tokio::test]
async fn pythons_types_are_kept() {
    in_session(flask(), |session| {
        let mut types: Typed<Types> = session.typed().unwrap();
        types
            .edit(|types| {
                types.id = Some(Uuid::from_bytes([1; 16]));
                types.at = DateTime::from_unix(0);
                types.pair = (1, "a".to_owned());
                types.nested.on = true;
            })
            .unwrap();
        let names: Vec<_> = session.iter().map(|(_, value)| value.type_name()).collect();
        assert_eq!(names, ["datetime", "UUID", "dict", "tuple"]);
        let again: Typed<Types> = session.typed().unwrap();
        assert_eq!((again.id, again.at), (types.id, types.at));
        assert!(again.nested.on && again.pair.0 == 1);
    })
    .await;
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Strict {
    visits: u64,
}

#[derive(Serialize, Deserialize, Default)]
struct Rest {
    visits: u64,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[tokio::test]
async fn what_the_struct_does_not_name_is_left_alone() {
    in_session(flask(), |session| {
        session.login("42").unwrap();
        session.flash("hello").unwrap();
        session.insert("theme", "dark").unwrap();
        let mut strict: Typed<Strict> = session.typed().unwrap();
        strict.edit(|strict| strict.visits = 1).unwrap();
        assert!(session.user().is_some() && session.contains("_flashes"));

        let mut rest: Typed<Rest> = session.typed().unwrap();
        let names: Vec<_> = rest.rest.keys().map(String::as_str).collect();
        assert_eq!(names, ["_flashes", "theme"]);
        rest.edit(|rest| rest.rest.remove("theme")).unwrap();
        assert!(!session.contains("theme") && rest.visits == 1);
    })
    .await;
}

#[tokio::test]
async fn a_type_that_does_not_fit_names_the_key_and_both_types() {
    in_session(flask(), |session| {
        session.insert("visits", "seven").unwrap();
        let error = session.typed::<Visitor>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Type);
        assert_eq!(error.to_string(), r#"the session's key "visits": expected u64, found str"#);
        session.insert("visits", -1).unwrap();
        let error = session.typed::<Visitor>().unwrap_err().to_string();
        assert_eq!(
            error,
            r#"the session's key "visits": expected u64, found an int out of its range"#
        );
        session.remove("visits").unwrap();
        let mut visitor: Typed<Visitor> = session.typed().unwrap();
        session.insert("cart", 1).unwrap();
        session.mark_modified().unwrap();
        let before = json(session);
        for result in [visitor.edit(|v| v.visits = 1), visitor.update(|v| v.visits = 1)] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Type);
        }
        assert_eq!((json(session), visitor.visits), (before, 0));
    })
    .await;
}

#[derive(Serialize, Deserialize, Default)]
struct Reserved {
    _carafe_id: Option<String>,
}

#[derive(Serialize, Deserialize, Default)]
struct Tuple(u8, u8);

#[tokio::test]
async fn what_can_be_no_session_is_an_error() {
    in_session(flask(), |session| {
        session.login("42").unwrap();
        let mut reserved: Typed<Reserved> = session.typed().unwrap();
        assert_eq!(reserved._carafe_id, None, "the fields don't show the id");
        let error = reserved.edit(|r| r._carafe_id = Some("x".to_owned())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReservedKey);
        let error = session.typed::<Tuple>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.to_string().contains("a struct with named fields"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn after_the_response_every_change_is_an_error() {
    let (mut visitor, _) = in_session(flask(), |session| session.typed::<Visitor>().unwrap()).await;
    assert_eq!(visitor.edit(|v| v.visits = 1).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(visitor.update(|v| v.visits = 1).unwrap_err().kind(), ErrorKind::Closed);
    let late = visitor.update_now(|v| v.visits = 1).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(visitor.visits, 0);
    assert_eq!(format!("{visitor:?}"), "Typed { .. }");
}

#[tokio::test]
async fn both_kinds_of_change_may_use_the_session() {
    in_session(flask(), |session| {
        let mut visitor: Typed<Visitor> = session.typed().unwrap();
        let inner = session.clone();
        visitor.edit(|visitor| visitor.visits = inner.len() as u64 + 7).unwrap();
        let inner = session.clone();
        visitor.update(move |visitor| visitor.visits += inner.len() as u64).unwrap();
        // Three keys: the first change has saved the other fields' defaults, but for `None`.
        assert_eq!(visitor.visits, 10);
    })
    .await;
}

/// Two requests of one session that both have read it before either writes.
fn crossing(layer: SessionLayer) -> Router {
    let barrier = Arc::new(Barrier::new(2));
    let meet = async move |barrier: Arc<Barrier>| barrier.wait().await;
    let name = {
        let barrier = Arc::clone(&barrier);
        async move |mut visitor: Typed<Visitor>| -> Result<(), Error> {
            meet(barrier).await;
            visitor.edit(|visitor| visitor.username = Some("admin".to_owned()))
        }
    };
    let language = {
        let barrier = Arc::clone(&barrier);
        async move |mut visitor: Typed<Visitor>| -> Result<(), Error> {
            meet(barrier).await;
            visitor.edit(|visitor| visitor.language = "de".to_owned())
        }
    };
    let count = async move |mut visitor: Typed<Visitor>| -> Result<(), Error> {
        meet(barrier).await;
        visitor.update(|visitor| visitor.visits += 1)
    };
    let now = async |mut visitor: Typed<Visitor>| -> Result<String, Error> {
        visitor.update_now(|visitor| visitor.visits += 1).await?;
        Ok(visitor.visits.to_string())
    };
    Router::new()
        .route("/name", get(name))
        .route("/language", get(language))
        .route("/count", get(count))
        .route("/now", get(now))
        .route("/show", get(async |session: Session| json(&session)))
        .layer(layer)
}

#[tokio::test]
async fn requests_at_the_same_time_lose_nothing() {
    let app = crossing(stored());
    let mut client = Client::new(app.clone());
    assert_eq!(client.get("/now").await.text, "1");
    let mut other = Client { app, cookies: client.cookies.clone() };
    let (one, two) = tokio::join!(client.get("/name"), other.get("/language"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    let (one, two) = tokio::join!(client.get("/count"), other.get("/count"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    let shown = client.get("/show").await.text;
    assert_eq!(shown, r#"{"cart":{},"lang":"de","username":"admin","visits":3}"#);
    let (one, two) = tokio::join!(client.get("/now"), other.get("/now"));
    let mut numbers = [one.text, two.text];
    numbers.sort();
    assert_eq!(numbers, ["4", "5"]);
}

#[tokio::test]
async fn in_a_cookie_an_update_at_once_is_an_update() {
    let app = crossing(flask());
    let mut client = Client::new(app);
    for number in ["1", "2"] {
        assert_eq!(client.get("/now").await.text, number);
    }
}
