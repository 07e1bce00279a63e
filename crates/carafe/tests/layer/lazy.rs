//! Routes that don't ask for the session.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use carafe::config::Refresh;
use carafe::{Error, LazySession, Session, SessionLayer};

use crate::support::{Client, Log, flask};

async fn login(session: Session, Path(permanent): Path<bool>) -> Result<(), Error> {
    session.insert("user", 1)?;
    session.set_permanent(permanent)
}

async fn lazy_open(session: LazySession) -> Result<String, Error> {
    Ok(session.open().await?.len().to_string())
}

fn layer(refresh: Refresh) -> SessionLayer {
    flask().configure(|config| config.refresh(refresh)).unwrap()
}

fn browser(layer: SessionLayer) -> Client {
    let app = Router::new()
        .route("/login/{permanent}", get(login))
        .route("/plain", get(async || "plain"))
        .route("/lazy", get(async |_session: LazySession| "unopened"))
        .route("/lazy-open", get(lazy_open))
        .route("/read", get(async |session: Session| session.len().to_string()))
        .layer(layer);
    Client::new(app)
}

#[tokio::test]
async fn a_route_that_doesnt_extract_pays_for_nothing() {
    for refresh in [Refresh::OnExtract, Refresh::Never] {
        let log = Log::capture();
        let mut client = browser(layer(refresh));
        // A refused cookie is logged where it is opened.
        client.cookies.insert("session".to_owned(), "junk".to_owned());
        for path in ["/plain", "/lazy", "/no-such-route"] {
            let answer = client.get(path).await;
            assert_eq!((answer.vary(), answer.set_cookie()), (None, None), "{path}");
        }
        assert_eq!(log.lines(), Vec::<String>::new());
        for (path, text) in [("/read", "0"), ("/lazy-open", "0")] {
            let answer = client.get(path).await;
            assert_eq!(answer.text, text);
            assert_eq!((answer.vary(), answer.set_cookie()), (Some("Cookie"), None));
        }
        assert_eq!(log.lines().len(), 2);
        assert!(log.lines().iter().all(|line| line.contains("session.refused")));
        assert!(!log.lines().concat().contains("junk"));
    }
}

#[tokio::test]
async fn no_cookie_is_never_opened() {
    for refresh in [Refresh::EachRequest, Refresh::OnExtract, Refresh::Never] {
        let answer = browser(layer(refresh)).get("/plain").await;
        assert_eq!((answer.vary(), answer.set_cookie()), (None, None));
    }
}

#[tokio::test]
async fn who_is_refreshed() {
    for (refresh, permanent, on_plain, on_read) in [
        (Refresh::EachRequest, true, true, true),
        (Refresh::OnExtract, true, false, true),
        (Refresh::Never, true, false, false),
        (Refresh::EachRequest, false, false, false),
        (Refresh::OnExtract, false, false, false),
    ] {
        let mut client = browser(layer(refresh));
        client.get(&format!("/login/{permanent}")).await;
        for path in ["/plain", "/lazy", "/no-such-route"] {
            let answer = client.get(path).await;
            assert_eq!(answer.set_cookie().is_some(), on_plain, "{refresh:?} {permanent} {path}");
            assert_eq!(answer.vary(), on_plain.then_some("Cookie"));
        }
        for path in ["/read", "/lazy-open"] {
            let answer = client.get(path).await;
            assert_eq!(answer.set_cookie().is_some(), on_read, "{refresh:?} {permanent} {path}");
            assert_eq!(answer.vary(), Some("Cookie"));
        }
    }
}

/// A valid signature over unreadable content: the cookie would never go away by itself.
#[tokio::test]
async fn an_unreadable_cookie_is_removed_by_whoever_opens_it() {
    use carafe::signing::{SigningOptions, TimestampSigner};

    let signer = TimestampSigner::new(&crate::support::key().into(), &SigningOptions::default());
    let unreadable = signer.sign("bm8gSlNPTg", crate::support::NOW);
    for (refresh, path, removed) in [
        (Refresh::EachRequest, "/plain", true),
        (Refresh::OnExtract, "/plain", false),
        (Refresh::OnExtract, "/read", true),
        (Refresh::Never, "/read", true),
    ] {
        let log = Log::capture();
        let mut client = browser(layer(refresh));
        client.cookies.insert("session".to_owned(), unreadable.clone());
        let answer = client.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(client.cookies.is_empty(), removed, "{refresh:?} {path}");
        assert_eq!(answer.vary().is_some(), removed);
        if removed {
            assert!(log.line().contains("WARN") && log.line().contains("session.unreadable"));
        }
    }
}
