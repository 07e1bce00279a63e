//! The test client: Flask's own tests of its client's session transactions, and the cookie jar.
#![cfg(all(feature = "axum", feature = "testing"))]

use axum::extract::Form;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Router, http};
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::store::MemoryStore;
use carafe::testing::{BoxError, Client};
use carafe::{Clock, Error, ErrorKind, SecretKey, Session, SessionLayer};

const NOW: u64 = 1_700_000_000;

fn layer() -> Result<SessionLayer, Error> {
    Ok(SessionLayer::flask(SecretKey::new("dev")?).with_clock(Clock::fixed(NOW)))
}

/// A route that tells the value of a key, under a layer.
fn client_of(layer: &SessionLayer) -> Client<Router> {
    let show = async |session: Session| -> Result<String, Error> {
        Ok(session.value("foo").map_or(Ok("-".to_owned()), |value| value.to_tagged_json())?)
    };
    let set = async |session: Session, Form(form): Form<Vec<(String, String)>>| {
        for (key, value) in form {
            session.insert(key, value)?;
        }
        Ok::<_, Error>(Redirect::to("/"))
    };
    let app = Router::new().route("/", get(show).post(set)).layer(layer.clone());
    Client::new(app, layer)
}

#[tokio::test]
async fn test_session_transactions() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    client
        .session_transaction(|session| {
            assert_eq!(session.len(), 0);
            session.insert("foo", vec![42])?;
            assert_eq!(session.len(), 1);
            Ok(())
        })
        .await?;
    assert_eq!(client.get("/").await?.text(), "[42]");
    let foo = client
        .session_transaction(|session| {
            assert_eq!(session.len(), 1);
            session.get::<Vec<i64>>("foo")
        })
        .await?;
    assert_eq!(foo, Some(vec![42]));
    Ok(())
}

/// Flask's null session, of an application without a key, can't be saved. A layer always has a key;
/// any other reason not to save is an error of the transaction, too.
#[tokio::test]
async fn test_session_transactions_no_null_sessions() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    client.session_transaction(|session| session.insert("foo", 1)).await?;
    let noise: Vec<u8> = (0..5_000_u32).map(|n| (n * n * 31 / 128) as u8).collect();
    let too_large = client
        .session_transaction(|session| session.insert("noise", carafe::value::Value::bytes(noise)))
        .await
        .unwrap_err();
    assert_eq!(too_large.kind(), ErrorKind::CookieTooLarge);
    assert_eq!(client.get("/").await?.text(), "1");
    Ok(())
}

/// Flask: an exception in the block leaves it before the session is saved.
#[tokio::test]
async fn a_transaction_that_fails_is_not_saved() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    client.session_transaction(|session| session.insert("foo", "before")).await?;
    let error = client
        .session_transaction(|session| {
            session.insert("foo", "after")?;
            session.get::<i64>("foo")
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(client.get("/").await?.text(), "\"before\"");

    let client = std::sync::Arc::new(client);
    let in_task = std::sync::Arc::clone(&client);
    let panicked = tokio::spawn(async move {
        let change = |session: &Session| {
            session.insert("foo", "after")?;
            assert!(session.is_empty(), "a test's assertion that fails");
            Ok(())
        };
        in_task.session_transaction(change).await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(client.get("/").await?.text(), "\"before\"");
    Ok(())
}

#[tokio::test]
async fn test_redirect_keep_session() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    assert_eq!(client.get("/").await?.text(), "-");
    let response = client.post_form("/", &[("foo", "a & b"), ("é", "+%")]).await?;
    assert_eq!(response.status(), http::StatusCode::SEE_OTHER);
    assert_eq!(client.follow(&response).await?.text(), "\"a & b\"");
    let session = client.session().await?;
    assert_eq!(session.get::<String>("é")?.as_deref(), Some("+%"));
    assert!(client.follow(&client.get("/").await?).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_session_that_was_only_read_is_closed() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    client.session_transaction(|session| session.insert("foo", 1)).await?;
    let cookie = client.cookie("session");
    let session = client.session().await?;
    assert_eq!(session.insert("foo", 2).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(client.cookie("session"), cookie);
    Ok(())
}

#[tokio::test]
async fn reading_does_not_refresh_a_permanent_session() -> Result<(), BoxError> {
    let clock = Clock::fixed(NOW);
    let client = client_of(&layer()?.with_clock(clock.clone()));
    client.session_transaction(|session| session.set_permanent(true)).await?;
    let cookie = client.cookie("session");
    clock.advance(60);
    assert!(client.session().await?.is_permanent());
    assert_eq!(client.cookie("session"), cookie);
    client.get("/").await?;
    assert_ne!(client.cookie("session"), cookie);
    Ok(())
}

#[tokio::test]
async fn sessions_expire_by_the_layers_clock() -> Result<(), BoxError> {
    let clock = Clock::fixed(NOW);
    let client = client_of(&layer()?.with_clock(clock.clone()));
    client
        .session_transaction(|session| {
            session.set_permanent(true)?;
            session.insert("foo", 1)
        })
        .await?;
    clock.advance(31 * 86_400);
    // A browser drops the cookie at the second that it names.
    assert_eq!(client.cookie("session"), None);
    assert!(client.session().await?.is_empty());
    assert_eq!(client.get("/").await?.text(), "-");
    Ok(())
}

#[tokio::test]
async fn removing_the_last_key_removes_the_cookie() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    client.session_transaction(|session| session.insert("foo", 1)).await?;
    assert!(client.cookie("session").is_some());
    client.session_transaction(Session::clear).await?;
    assert_eq!(client.cookie("session"), None);
    client.session_transaction(|session| session.insert("foo", 1)).await?;
    client.clear_cookies();
    assert_eq!(client.get("/").await?.text(), "-");
    Ok(())
}

#[tokio::test]
async fn a_transaction_uses_the_sessions_path_and_domain() -> Result<(), BoxError> {
    let layer = layer()?
        .configure(|config| config.cookie_path("/app").cookie_domain("example.com".to_owned()))?;
    let show = async |session: Session| session.contains("foo").to_string();
    let app = Router::new().route("/", get(show)).route("/app/x", get(show)).layer(layer.clone());
    let client = Client::new(app, &layer).with_host("www.example.com");
    client.session_transaction(|session| session.insert("foo", 1)).await?;
    assert_eq!(client.get("/app/x").await?.text(), "true");
    assert_eq!(client.get("/").await?.text(), "false");
    client.session_transaction(|session| session.remove("foo")).await?;
    assert_eq!(client.get("/app/x").await?.text(), "false");
    Ok(())
}

#[tokio::test]
async fn a_requests_own_cookie_header_is_left_alone() -> Result<(), BoxError> {
    let client = client_of(&layer()?);
    client.session_transaction(|session| session.insert("foo", 1)).await?;
    client.set_cookie("theme=dark; Path=/");
    assert_eq!(client.cookie("theme").as_deref(), Some("dark"));
    let request = http::Request::get("/").header("cookie", "theme=light").body("")?;
    let response = client.send(request).await?;
    assert_eq!(response.text(), "-");
    assert_eq!(response.header("vary"), Some("Cookie"));
    Ok(())
}

#[tokio::test]
async fn a_session_in_a_store_is_opened_and_saved_there() -> Result<(), BoxError> {
    let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?;
    let client = client_of(&layer);
    client.session_transaction(|session| session.insert("foo", "x".repeat(10_000))).await?;
    assert_eq!(client.get("/").await?.text().len(), 10_002);
    let id = client.cookie("__Host-session");
    assert!(id.is_some());
    assert!(client.session().await?.contains("foo"));
    assert_eq!(client.cookie("__Host-session"), id);
    let failed = client.session_transaction(|session| {
        session.clear()?;
        session.insert("foo", 1)?;
        session.get::<String>("foo")
    });
    assert!(failed.await.is_err());
    assert!(client.session().await?.get::<String>("foo").is_ok());
    Ok(())
}

/// A client of an application with a form behind a layer against forged requests.
fn client_with_form(csrf: CsrfLayer) -> Result<Client<Router>, Error> {
    let sessions = layer()?;
    let sent = async |headers: http::HeaderMap| {
        let header =
            |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
        ["origin", "sec-fetch-site", "host"].map(|name| header(name).unwrap_or("-")).join(" ")
    };
    let form = get(async |csrf: Csrf| csrf.token()).post(sent);
    let app = Router::new().route("/form", form).layer(csrf).layer(sessions.clone());
    Ok(Client::new(app, &sessions))
}

#[tokio::test]
async fn a_form_passes_the_csrf_layer_with_its_token() -> Result<(), BoxError> {
    let shop = || CsrfLayer::new(["https://shop.example:8443"]);
    let at_home = client_with_form(shop()?)?.origin("https://shop.example:8443");
    for (client, sent) in [
        (at_home, "https://shop.example:8443 same-origin shop.example:8443"),
        (client_with_form(shop()?)?, "- same-origin localhost"),
        (client_with_form(CsrfLayer::same_host())?, "- same-origin localhost"),
    ] {
        let token = client.get("/form").await?.text();
        let answer = client.post_form("/form", &[("csrf_token", &token)]).await?;
        assert_eq!((answer.status().as_u16(), answer.text().as_str()), (200, sent));
        assert_eq!(client.post_form("/form", &[("csrf_token", "forged")]).await?.status(), 403);
        // Another site has obtained the visitor's token.
        for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]
        {
            let forged = http::Request::post("/form").header(name, value);
            let answer = client.send(forged.header("x-csrf-token", &token).body("")?).await?;
            assert_eq!(answer.status(), 403, "{name}: {value}");
        }
    }
    Ok(())
}
