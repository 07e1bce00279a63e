//! A site with logins, and a client whose address can change.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use carafe::flask_login::{FlaskLogin, Protection};
use carafe::{CurrentUser, Error, FreshUser, Session, SessionLayer};

use crate::support::Client;

/// The address that the site takes its client to have.
#[derive(Clone)]
pub(crate) struct Address(Arc<Mutex<IpAddr>>);

impl Address {
    pub(crate) fn change(&self) {
        *self.0.lock().unwrap() = IpAddr::from([198, 51, 100, 1]);
    }
}

/// The site on a layer, with these settings besides the address.
pub(crate) fn site(layer: SessionLayer, logins: FlaskLogin) -> (Client, Address) {
    let address = Address(Arc::new(Mutex::new(IpAddr::from([203, 0, 113, 7]))));
    let known = address.clone();
    let logins = logins.peer(move |_| Some(*known.0.lock().unwrap()));
    let app = Router::new()
        .route("/", get(show))
        .route("/keys", get(keys))
        .route("/cart", get(async |session: Session| session.insert("cart", "book")))
        .route("/login", get(async |session: Session| session.login("42")))
        .route("/remember", get(remember))
        .route("/confirm", get(async |session: Session| session.confirm_login()))
        .route("/logout", get(async |session: Session| session.logout()))
        .route("/permanent", get(async |session: Session| session.set_permanent(true)))
        .route("/account", get(async |user: CurrentUser| user.into_id()))
        .route("/sessions", get(sessions))
        .route("/own/remember", get(remember_by_own_name))
        .route("/own/confirm", get(async |session: Session| session.reauthenticated()))
        .route("/own/fresh", get(async |user: FreshUser| user.id().to_owned()))
        .route("/own/first", get(async |session: Session| session.login_pending("42")))
        .route("/own/second", get(async |session: Session| session.complete_login()))
        .route("/plain", get(async || "plain"))
        .layer(layer.flask_login(logins).unwrap());
    (Client::new(app), address)
}

pub(crate) fn protected(protection: Protection) -> FlaskLogin {
    FlaskLogin::default().protection(protection)
}

/// The user, and whether the login is fresh.
async fn show(session: Session) -> String {
    let user = session.user().unwrap_or_else(|| "-".to_owned());
    format!("{user} {}", if session.login_is_fresh() { "fresh" } else { "stale" })
}

async fn keys(session: Session) -> String {
    let keys = session.keys().into_iter().map(|key| key.to_string());
    keys.collect::<Vec<_>>().join(" ")
}

async fn remember(session: Session) -> Result<(), Error> {
    session.login("42")?;
    session.remember_login(None)
}

async fn sessions(session: Session) -> Result<String, Error> {
    Ok(session.sessions().await?.len().to_string())
}

async fn remember_by_own_name(session: Session) -> Result<(), Error> {
    session.login("42")?;
    session.remember().await
}
