//! The parts of a request that handlers need: a page to render, the user, and the visitor's
//! address.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::response::Html;
use carafe::csrf::Csrf;
use carafe::{CurrentUser, ErrorKind, LoginOptions, Session};
use carafe_minijinja::{context as session_context, csrf_context};
use minijinja::{Environment, Value, context};

use crate::accounts::Account;
use crate::device;
use crate::failure::Failure;
use crate::site::Site;

/// A page for this visitor.
pub(crate) struct Page {
    templates: Arc<Environment<'static>>,
    session: Session,
    csrf: Csrf,
}

impl FromRequestParts<Site> for Page {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let session = Session::from_request_parts(parts, site).await?;
        // A page shows who is signed in.
        account_of(&session, site).await?;
        let csrf = Csrf::from_request_parts(parts, site).await?;
        Ok(Self { templates: Arc::clone(&site.templates), session, csrf })
    }
}

impl Page {
    /// Renders a template with `session`, `get_flashed_messages()`, `csrf_field()` and what else it
    /// needs.
    pub(crate) fn render(&self, template: &str, more: Value) -> Result<Html<String>, Failure> {
        let context = context! {
            ..more,
            ..session_context(&self.session),
            ..csrf_context(&self.csrf),
        };
        Ok(Html(self.templates.get_template(template)?.render(context)?))
    }
}

/// The signed-in user. Other visitors are sent to the sign-in page, and come back from
/// there.
pub(crate) struct User {
    pub(crate) session: Session,
    pub(crate) account: Account,
}

impl FromRequestParts<Site> for User {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Failure> {
        let user = CurrentUser::from_request_parts(parts, site).await?;
        let session = user.session().clone();
        let account = account_of(&session, site).await?.ok_or(Failure::NoAccount)?;
        Ok(Self { session, account })
    }
}

/// The account that a session is signed in to. A session ends whose account was removed, or has another
/// password than the one that it was begun with: a login with the old one may have been under way.
async fn account_of(session: &Session, site: &Site) -> Result<Option<Account>, Failure> {
    let Some(user) = session.user() else { return Ok(None) };
    let account = match user.parse() {
        Ok(id) => site.accounts.find(id).await?,
        Err(_) => None,
    };
    let Some(account) = account else {
        session.logout()?;
        return Ok(None);
    };
    match session.check_credential(&account.stamp) {
        Ok(()) => Ok(Some(account)),
        Err(error) if error.kind() == ErrorKind::LoginRequired => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The visitor's address and device.
pub(crate) struct Visitor {
    address: Option<String>,
    agent: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Behind a proxy this is the proxy's address.
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            address: peer.map(|ConnectInfo(peer)| peer.ip().to_string()),
            agent: agent.map(device::name),
        })
    }
}

impl Visitor {
    /// Makes the session that of a user, under a new id. What the visitor had stored is dropped.
    pub(crate) fn sign_in(self, session: &Session, account: &Account) -> Result<(), carafe::Error> {
        let mut options = LoginOptions::default().credential(&account.stamp);
        if let Some(address) = self.address {
            options = options.address(address);
        }
        if let Some(agent) = self.agent {
            options = options.agent(agent);
        }
        session.login_with(account.id.to_string(), options)?;
        session.insert("name", account.name.as_str())
    }
}
