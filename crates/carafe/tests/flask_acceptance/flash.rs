//! Flashed messages: `test_basic.py`.

use axum::Router;
use axum::routing::get;
use carafe::value::{Markup, Value};
use carafe::{Error, Flash, Session};

use crate::support::{Client, flask};

#[tokio::test]
async fn test_flashes() {
    async fn messages(session: Session) -> Result<(), Error> {
        let messages = session.get_flashed_messages()?;
        let texts: Vec<_> = messages.into_iter().map(|flash| flash.message).collect();
        assert_eq!(texts, [Value::from("Zap"), Value::from("Zip")]);
        Ok(())
    }
    let app = Router::new()
        .route("/zap", get(async |session: Session| session.flash("Zap")))
        .route("/zip", get(async |session: Session| session.flash("Zip")))
        .route("/", get(messages))
        .layer(flask());
    let mut client = Client::new(app);
    assert!(client.get("/zap").await.set_cookie().is_some());
    // The list exists already, and the session notices that it grows.
    assert!(client.get("/zip").await.set_cookie().is_some());
    assert_eq!(client.get("/").await.status, 200);
    assert!(client.cookies.is_empty(), "the last messages were consumed");
}

fn message(category: &str, message: impl Into<Value>) -> Flash {
    Flash { category: category.into(), message: message.into() }
}

#[tokio::test]
async fn test_extended_flashing() {
    async fn index(session: Session) -> Result<(), Error> {
        session.flash("Hello World")?;
        session.flash_with("error", "Hello World")?;
        session.flash_with("warning", Markup::from("<em>Testing</em>"))
    }
    async fn test_with_categories(session: Session) -> Result<(), Error> {
        let messages = session.get_flashed_messages()?;
        let expected = [
            message("message", "Hello World"),
            message("error", "Hello World"),
            message("warning", Markup::from("<em>Testing</em>")),
        ];
        assert_eq!(messages, expected);
        // The same again within one request.
        assert_eq!(session.get_flashed_messages()?, expected);
        Ok(())
    }
    async fn test_filter(session: Session) -> Result<(), Error> {
        let messages = session.get_flashed_messages_of(&["message"])?;
        assert_eq!(messages, [message("message", "Hello World")]);
        Ok(())
    }
    async fn test_filters(session: Session) -> Result<(), Error> {
        let messages = session.get_flashed_messages_of(&["message", "warning"])?;
        let expected = [
            message("message", "Hello World"),
            message("warning", Markup::from("<em>Testing</em>")),
        ];
        assert_eq!(messages, expected);
        // The filter applies to the messages that the first call took out.
        let errors = session.get_flashed_messages_of(&["error"])?;
        assert_eq!(errors, [message("error", "Hello World")]);
        Ok(())
    }
    async fn gone(session: Session) -> Result<(), Error> {
        assert_eq!(session.get_flashed_messages()?, []);
        Ok(())
    }
    let app = Router::new()
        .route("/", get(index))
        .route("/test_with_categories/", get(test_with_categories))
        .route("/test_filter/", get(test_filter))
        .route("/test_filters/", get(test_filters))
        .route("/gone/", get(gone))
        .layer(flask());
    for path in ["/test_with_categories/", "/test_filter/", "/test_filters/"] {
        let mut client = Client::new(app.clone());
        client.get("/").await;
        assert_eq!(client.get(path).await.status, 200);
        assert_eq!(client.get("/gone/").await.status, 200);
    }
}
