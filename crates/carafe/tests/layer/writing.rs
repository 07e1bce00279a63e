//! Every way to change a session, and that it is saved.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use carafe::value::{Dict, Step, Value};
use carafe::{Error, ErrorKind, Session};

use crate::support::{Answer, Client, flask};

type Change = Arc<dyn Fn(&Session) -> Result<(), Error> + Send + Sync>;

/// Returns the session, given as tagged JSON, after a request's change.
async fn after(
    before: &str,
    change: impl Fn(&Session) -> Result<(), Error> + Send + Sync + 'static,
) -> (Answer, String) {
    let before = Value::from_tagged_json(before.as_bytes()).unwrap();
    let before = before.as_dict().unwrap().clone();
    let fill = async move |session: Session| session.extend(before);
    let change: Change = Arc::new(change);
    let handler = async move |session: Session| change(&session);
    let dump = async |session: Session| -> Result<String, Error> {
        Ok(Value::from(session.to_dict()).to_tagged_json()?)
    };
    let app = Router::new()
        .route("/fill", get(fill))
        .route("/", get(handler))
        .route("/dump", get(dump))
        .layer(flask());
    let mut client = Client::new(app);
    client.get("/fill").await;
    let answer = client.get("/").await;
    (answer, client.get("/dump").await.text)
}

#[tokio::test]
async fn each_change_is_saved() {
    type Case = (&'static str, fn(&Session) -> Result<(), Error>, &'static str);
    let cases: [Case; 17] = [
        ("{}", |s| s.insert("a", 1), r#"{"a":1}"#),
        (r#"{"a":1}"#, |s| s.insert("a", 1), r#"{"a":1}"#),
        (r#"{"a":1,"b":2}"#, |s| s.remove("a").map(drop), r#"{"b":2}"#),
        (r#"{"a":1}"#, |s| s.remove("a").map(drop), "{}"),
        (r#"{"a":1,"b":2}"#, |s| s.take::<i64>("a").map(drop), r#"{"b":2}"#),
        (r#"{"a":1}"#, |s| s.extend([("b", 2), ("a", 3)]), r#"{"a":3,"b":2}"#),
        (r#"{"a":1}"#, |s| s.extend([] as [(&str, i64); 0]), r#"{"a":1}"#),
        (r#"{"a":1}"#, |s| s.entry("b").or_insert(2).map(drop), r#"{"a":1,"b":2}"#),
        (r#"{"a":1}"#, |s| s.entry("b").or_insert_with(|| 2).map(drop), r#"{"a":1,"b":2}"#),
        (
            r#"{"a":1}"#,
            |s| s.update("a", |a: Option<i64>| a.unwrap_or(0) + 1).map(drop),
            r#"{"a":2}"#,
        ),
        (r#"{"a":1}"#, Session::clear, "{}"),
        (r#"{"a":1}"#, |s| s.set_permanent(true), r#"{"_permanent":true,"a":1}"#),
        (r#"{"a":1}"#, Session::mark_modified, r#"{"a":1}"#),
        (r#"{"a":{}}"#, |s| s.insert_at(["a", "b"], 1), r#"{"a":{"b":1}}"#),
        (r#"{"a":1}"#, |s| s.insert_at(["b"], 2), r#"{"a":1,"b":2}"#),
        (
            r#"{"a":{"b":[1,{"c":2}]},"z":0}"#,
            |s| s.insert_at([Step::from("a"), "b".into(), 1.into(), "c".into()], (1,)),
            r#"{"a":{"b":[1,{"c":{" t":[1]}}]},"z":0}"#,
        ),
        (r#"{"a":[1,2]}"#, |s| s.insert_at([Step::from("a"), Step::from(-1)], 3), r#"{"a":[1,3]}"#),
    ];
    for (at, (before, change, expected)) in cases.into_iter().enumerate() {
        let (answer, dump) = after(before, change).await;
        assert_eq!(answer.status, 200, "{at}: {before}");
        assert!(answer.set_cookie().is_some(), "{at}: {before}");
        assert_eq!(dump, expected, "{at}: {before}");
    }
}

fn failed<T>(result: Result<T, Error>) -> Result<(), Error> {
    result.map(drop).unwrap_err();
    Ok(())
}

#[tokio::test]
async fn what_changes_nothing_sends_nothing() {
    type Case = (&'static str, fn(&Session) -> Result<(), Error>);
    let cases: [Case; 9] = [
        (r#"{"a":1}"#, |s| s.remove("missing").map(drop)),
        (r#"{"a":1}"#, |s| s.take::<i64>("missing").map(drop)),
        (r#"{"a":1}"#, |s| s.entry("a").or_insert(2).map(drop)),
        (r#"{"a":1}"#, |s| s.get::<i64>("a").map(drop)),
        (r#"{"a":1}"#, |s| s.get_flashed_messages().map(drop)),
        // The attempts that fail.
        (r#"{"a":1}"#, |s| failed(s.take::<String>("a"))),
        (r#"{"a":1}"#, |s| failed(s.insert_at(["a", "b"], 1))),
        (r#"{"a":1}"#, |s| failed(s.insert_at(["b", "c"], 1))),
        ("{}", |s| failed(s.insert_at([] as [&str; 0], 1))),
    ];
    for (at, (before, change)) in cases.into_iter().enumerate() {
        let (answer, dump) = after(before, change).await;
        assert_eq!((answer.status.as_u16(), answer.set_cookie()), (200, None), "{at}: {before}");
        assert_eq!(dump, before);
    }
}

#[tokio::test]
async fn what_changes_return() {
    let (answer, dump) = after(r#"{"a":1,"b":"x","c":[1]}"#, |session| {
        assert_eq!(session.remove("a")?, Some(Value::from(1)));
        assert_eq!(session.remove("a")?, None);
        // A value of another type stays where it is.
        assert_eq!(session.take::<i64>("b").unwrap_err().kind(), ErrorKind::Type);
        assert!(session.contains("b"));
        assert_eq!(session.take::<Vec<i64>>("c")?, Some(vec![1]));
        assert_eq!(session.take::<Vec<i64>>("c")?, None);
        assert_eq!(session.entry("b").or_insert(1)?, Value::from("x"));
        assert_eq!(session.entry("d").or_insert(1)?, Value::from(1));
        assert_eq!(session.update("d", |d: Option<i64>| d.unwrap_or(0) + 1)?, 2);
        assert!(session.update("e", |e: Option<Vec<i64>>| e.unwrap_or_default())?.is_empty());
        Ok(())
    })
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(dump, r#"{"b":"x","d":2,"e":[]}"#);
}

#[tokio::test]
async fn a_path_that_leads_nowhere_says_so() {
    let (answer, _) = after(r#"{"cart":{"book":1},"list":[1]}"#, |session| {
        let kind = |path: &[Step]| session.insert_at(path.to_vec(), 9).unwrap_err().kind();
        assert_eq!(kind(&[]), ErrorKind::KeyMissing);
        assert_eq!(kind(&[Step::from(0)]), ErrorKind::KeyMissing);
        assert_eq!(kind(&["missing".into(), "book".into()]), ErrorKind::KeyMissing);
        assert_eq!(kind(&["cart".into(), "missing".into(), "x".into()]), ErrorKind::KeyMissing);
        assert_eq!(kind(&["cart".into(), "book".into(), "x".into()]), ErrorKind::Type);
        assert_eq!(kind(&["cart".into(), 0.into()]), ErrorKind::Type);
        assert_eq!(kind(&["list".into(), "x".into()]), ErrorKind::Type);
        assert_eq!(kind(&["list".into(), 1.into()]), ErrorKind::KeyMissing);
        Ok(())
    })
    .await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (200, None));
}

/// A value is a copy: a change has to be written back.
#[tokio::test]
async fn a_value_that_was_read_is_the_handlers_own() {
    let (answer, dump) = after(r#"{"cart":{"book":1}}"#, |session| {
        let mut cart = session.get::<Dict>("cart")?.unwrap();
        cart.insert("book", 2);
        assert_eq!(session.get::<Dict>("cart")?.unwrap().get("book"), Some(&Value::from(1)));
        session.insert("cart", cart)
    })
    .await;
    assert!(answer.set_cookie().is_some());
    assert_eq!(dump, r#"{"cart":{"book":2}}"#);
}

#[tokio::test]
async fn what_cant_be_read_again_is_an_error() {
    let deep =
        |levels: usize| (0..levels).fold(Value::from(1), |inner, _| Value::from(vec![inner]));
    let (answer, dump) = after(r#"{"a":1}"#, move |s| s.insert("deep", deep(1000))).await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (500, None));
    assert_eq!(dump, r#"{"a":1}"#);
}

#[tokio::test]
async fn the_librarys_own_keys_cant_be_written() {
    let (answer, dump) = after(r#"{"a":1}"#, |session| {
        const KEY: &str = "_carafe_user";
        for result in [
            session.insert(KEY, "admin"),
            session.insert_at([KEY], "admin"),
            session.extend([("b", 2), (KEY, 3)]),
            session.entry(KEY).or_insert("admin").map(drop),
            session.update(KEY, |_: Option<String>| "admin".to_owned()).map(drop),
        ] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ReservedKey);
        }
        Ok(())
    })
    .await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (200, None));
    assert_eq!(dump, r#"{"a":1}"#);
}
