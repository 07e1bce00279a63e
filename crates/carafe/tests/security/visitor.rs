//! A visitor of an application under each kind of layer.

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use carafe::store::MemoryStore;
use carafe::{Clock, Error, SecretKey, Session, SessionLayer};

use crate::support::{Client, NOW};

pub(crate) fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

pub(crate) fn stored() -> SessionLayer {
    SessionLayer::stored(MemoryStore::new(), key()).unwrap().with_clock(Clock::fixed(NOW))
}

/// The profiles other than Flask's.
pub(crate) fn hardened() -> [SessionLayer; 3] {
    let signed = SessionLayer::signed(key()).unwrap();
    let sealed = SessionLayer::sealed(key()).unwrap();
    [signed.with_clock(Clock::fixed(NOW)), sealed.with_clock(Clock::fixed(NOW)), stored()]
}

/// Every profile.
pub(crate) fn layers() -> Vec<SessionLayer> {
    let flask = SessionLayer::flask(key()).with_clock(Clock::fixed(NOW));
    let lifetime =
        |layer: SessionLayer| layer.configure(|config| config.lifetime(Duration::from_secs(3600)));
    [flask].into_iter().chain(hardened()).map(|layer| lifetime(layer).unwrap()).collect()
}

/// Routes that write, read, log in and log out.
pub(crate) fn visitor(layer: SessionLayer) -> Client {
    async fn keep(session: Session) -> Result<(), Error> {
        session.insert("cart", "of an attacker")
    }
    async fn who(session: Session) -> String {
        session.user().unwrap_or_else(|| "-".to_owned())
    }
    async fn keys(session: Session) -> String {
        session.keys().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
    let app = Router::new()
        .route("/plain", get(async || "no session"))
        .route("/keep", get(keep))
        .route("/who", get(who))
        .route("/keys", get(keys))
        .route("/permanent", get(async |session: Session| session.set_permanent(true)))
        .route("/clear", get(async |session: Session| session.clear()))
        .route("/login", post(async |session: Session| session.login("ada")))
        .route(
            "/login-and-fail",
            post(async |session: Session| {
                session.login("ada")?;
                Err::<(), _>(refusal())
            }),
        )
        .route(
            "/rotate-and-fail",
            post(async |session: Session| {
                session.rotate()?;
                Err::<(), _>(refusal())
            }),
        )
        .route("/rotate", post(async |session: Session| session.rotate()))
        .route("/logout", post(async |session: Session| session.logout()))
        .layer(layer);
    Client::new(app)
}

/// An error that has nothing to do with the session.
fn refusal() -> Error {
    carafe::value::Value::from_tagged_json(b"{").unwrap_err().into()
}

/// The only cookie that a client has.
pub(crate) fn cookie(client: &Client) -> (String, String) {
    assert_eq!(client.cookies.len(), 1);
    let (name, value) = client.cookies.first_key_value().unwrap();
    (name.clone(), value.clone())
}

/// A client of the same application, with this cookie.
pub(crate) fn with_cookie(client: &Client, name: &str, value: &str) -> Client {
    let mut other = Client::new(client.app.clone());
    other.cookies.insert(name.to_owned(), value.to_owned());
    other
}
