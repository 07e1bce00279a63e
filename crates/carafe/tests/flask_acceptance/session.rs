//! The session's content, and the keys that sign it: `test_basic.py`, `test_reqctx.py`,
//! `test_testing.py`.

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use carafe::value::{DateTime, Dict, Markup, Uuid, Value};
use carafe::{Error, ErrorKind, KeyRing, Named, SecretKey, Session, SessionLayer};

use crate::support::{Client, flask, in_session};

#[derive(serde::Deserialize)]
struct Field {
    value: String,
}

async fn set(session: Session, Form(field): Form<Field>) -> Result<&'static str, Error> {
    session.insert("value", field.value)?;
    Ok("value set")
}

async fn get_value(session: Session) -> Result<String, Error> {
    Ok(session.get("value")?.unwrap_or_else(|| "None".to_owned()))
}

/// The session as tagged JSON.
async fn dump(session: Session) -> Result<String, Error> {
    Ok(Value::from(session.to_dict()).to_tagged_json()?)
}

#[tokio::test]
async fn test_session_accessed() {
    let app = Router::new()
        .route("/", get(get_value).post(set))
        .route("/nothing", get(async || ""))
        .layer(flask());
    let mut client = Client::new(app);

    let answer = client.get("/nothing").await;
    assert_eq!((answer.vary(), answer.set_cookie()), (None, None));

    let answer = client.post("/", "value=42").await;
    assert_eq!(answer.text, "value set");
    assert_eq!(answer.vary(), Some("Cookie"));
    assert!(answer.set_cookie().is_some(), "it was modified");

    let answer = client.get("/").await;
    assert_eq!(answer.text, "42");
    assert_eq!(answer.vary(), Some("Cookie"));
    assert_eq!(answer.set_cookie(), None, "it was accessed, and not modified");

    let answer = client.get("/nothing").await;
    assert_eq!((answer.vary(), answer.set_cookie()), (None, None));
}

#[tokio::test]
async fn test_missing_session() {
    // Flask answers requests whose session can't be written. Without a key there is no layer here.
    let error = SecretKey::new("").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
    assert!(error.to_string().contains("secret key is empty"), "{error}");
    let error = SecretKey::from_env("A_VARIABLE_THAT_NOBODY_SETS").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
    assert!(error.to_string().contains("A_VARIABLE_THAT_NOBODY_SETS"), "{error}");
    // And without a layer there is no session.
    let mut client = Client::new(Router::new().route("/", get(dump)));
    assert_eq!(client.get("/").await.status, 500);
}

#[tokio::test]
async fn test_session_secret_key_fallbacks() {
    async fn set(session: Session) -> Result<(), Error> {
        session.insert("a", 1)
    }
    let key = |key: &str| SecretKey::new(key).unwrap();
    let app = |current: &str, fallbacks: [&str; 2]| {
        let keys = KeyRing::from_flask(key(current), fallbacks.map(key));
        Router::new().route("/", get(dump).post(set)).layer(SessionLayer::flask(keys))
    };
    let mut client = Client::new(app("0 key", ["-1 key", "-2 key"]));
    client.post("/", "").await;
    assert_eq!(client.get("/").await.text, r#"{"a":1}"#);
    // Another key: the session can't be loaded and appears empty.
    client.app = app("? key", ["-1 key", "-2 key"]);
    assert_eq!(client.get("/").await.text, "{}");
    // The keys are rotated: the session can be loaded.
    client.app = app("+1 key", ["0 key", "-1 key"]);
    assert_eq!(client.get("/").await.text, r#"{"a":1}"#);
    // Sessions that are written from now on need only the new key.
    client.post("/", "").await;
    client.app = app("+1 key", ["x", "y"]);
    assert_eq!(client.get("/").await.text, r#"{"a":1}"#);
}

#[tokio::test]
async fn test_session_stored_last() {
    async fn modify_session(session: Session, request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        session.insert("foo", 42).unwrap();
        response
    }
    async fn foo(session: Session) -> Result<String, Error> {
        Ok(session.get::<i64>("foo")?.map_or_else(|| "None".to_owned(), |foo| foo.to_string()))
    }
    let app = Router::new().route("/", get(foo)).layer(from_fn(modify_session)).layer(flask());
    let mut client = Client::new(app);
    assert_eq!(client.get("/").await.text, "None");
    assert_eq!(client.get("/").await.text, "42");
}

#[tokio::test]
async fn test_session_special_types() {
    let now = DateTime::now();
    let uuid = Uuid::from_bytes([0x8c; 16]);
    let tag = |key: &str, text: &str| Dict::from([(key, text)]);
    let write = async move |session: Session| -> Result<(), Error> {
        session.insert("t", (1, 2, 3))?;
        session.insert("b", Value::bytes([0xff]))?;
        session.insert("m", Markup::from("<html>"))?;
        session.insert("u", uuid)?;
        session.insert("d", now)?;
        session.insert("t_tag", tag(" t", "not-a-tuple"))?;
        session.insert("di_t_tag", tag(" t__", "not-a-tuple"))?;
        session.insert("di_tag", tag(" di", "not-a-dict"))
    };
    let read = async move |session: Session| -> Result<(), Error> {
        assert_eq!(session.get("t")?, Some((1, 2, 3)));
        assert_eq!(session.value("t").unwrap().type_name(), "tuple");
        assert_eq!(session.value("b"), Some(Value::bytes([0xff])));
        assert_eq!(session.value("m"), Some(Value::markup("<html>")));
        assert_eq!(session.get("u")?, Some(uuid));
        assert_eq!(session.get("d")?, Some(now));
        assert_eq!(session.get("t_tag")?, Some(tag(" t", "not-a-tuple")));
        assert_eq!(session.get("di_t_tag")?, Some(tag(" t__", "not-a-tuple")));
        assert_eq!(session.get("di_tag")?, Some(tag(" di", "not-a-dict")));
        assert_eq!(session.len(), 8);
        Ok(())
    };
    let app = Router::new().route("/", get(write)).route("/read", get(read)).layer(flask());
    let mut client = Client::new(app);
    assert_eq!(client.get("/").await.status, 200);
    let answer = client.get("/read").await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (200, None));
}

/// `test_testing.py`
#[tokio::test]
async fn test_redirect_session() {
    async fn redirect(session: Session) -> Result<Redirect, Error> {
        session.insert("redirect", true)?;
        Ok(Redirect::to("/target"))
    }
    async fn target(session: Session) -> Result<String, Error> {
        session.insert("target", true)?;
        Ok(Value::from(session.to_dict()).to_tagged_json()?)
    }
    let app = Router::new()
        .route("/redirect", get(redirect))
        .route("/target", get(target))
        .layer(flask());
    let mut client = Client::new(app);
    let answer = client.get("/redirect").await;
    let answer = client.get(answer.one("location").unwrap()).await;
    assert_eq!(answer.text, r#"{"redirect":true,"target":true}"#);
}

/// `test_reqctx.py`: there a session interface of one's own, here two layers.
#[tokio::test]
async fn test_session_dynamic_cookie_name() {
    struct Dynamic;
    async fn set_dynamic(
        dynamic: Named<Dynamic>,
        form: Form<Field>,
    ) -> Result<&'static str, Error> {
        set(dynamic.into_session(), form).await
    }
    async fn get_dynamic(dynamic: Named<Dynamic>) -> Result<String, Error> {
        get_value(dynamic.into_session()).await
    }
    let dynamic = flask().configure(|c| c.cookie_name("dynamic_cookie_name")).unwrap();
    let app = Router::new()
        .route("/set", post(set))
        .route("/get", get(get_value))
        .route("/set_dynamic_cookie", post(set_dynamic))
        .route("/get_dynamic_cookie", get(get_dynamic))
        .layer(flask())
        .layer(dynamic.named::<Dynamic>());
    let mut client = Client::new(app);
    assert_eq!(client.post("/set", "value=42").await.text, "value set");
    assert_eq!(client.post("/set_dynamic_cookie", "value=616").await.text, "value set");
    assert_eq!(client.get("/get").await.text, "42");
    assert_eq!(client.get("/get_dynamic_cookie").await.text, "616");
    assert_eq!(client.cookies.len(), 2);
}

/// `test_helpers.py`, `TestStreaming.test_stream_keeps_session`: a stream reads the session that
/// the handler had.
#[tokio::test]
async fn test_stream_keeps_session() {
    let (session, answer) = in_session(flask(), |session| {
        session.insert("test", "flask").unwrap();
        session.clone()
    })
    .await;
    assert!(answer.set_cookie().is_some());
    assert_eq!(session.get::<String>("test").unwrap().as_deref(), Some("flask"));
}
