//! What one request has to do with its visitor's token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use http::request::Parts;

use super::check::{is_safe, refused};
use super::layer::Settings;
use super::token::{Claim, Mask, Secret, random_mask};
use super::{cookie, wtf};
use crate::content::Operation;
use crate::engine::{Headers, Slot};
use crate::session::Session;
use crate::value::{Text, Value};
use crate::{Error, ErrorKind, LazySession};

/// Where the session keeps the secret of its tokens.
const KEY: &str = "_carafe_csrf";

/// The protection of one request: in its extensions, and shared with every [`Csrf`](super::Csrf).
#[derive(Debug)]
pub(crate) struct Protection {
    slot: Arc<Slot>,
    settings: Arc<Settings>,
    /// Whether the request's method is one that changes nothing.
    safe: bool,
    /// What a layer further out has of the request, if its token is the same.
    outer: Option<Arc<Self>>,
    page: Arc<Mutex<Page>>,
}

/// What the page that is being made has of the token.
#[derive(Default)]
struct Page {
    mask: Option<Mask>,
    /// The secret of a visitor without a session.
    visitor: Option<Visitor>,
}

struct Visitor {
    secret: Secret,
    /// Whether the visitor has yet to get the cookie with it.
    is_new: bool,
}

impl Protection {
    /// The protection of a request of this method, which may have passed another layer: there is one
    /// token for each session, which the layer that is outermost gives to the visitor.
    pub(crate) fn new(
        slot: Arc<Slot>,
        settings: &Arc<Settings>,
        method: &Method,
        outer: Option<&Arc<Self>>,
    ) -> Arc<Self> {
        let outer = outer.filter(|outer| {
            Arc::ptr_eq(&outer.slot, &slot)
                && outer.settings.flask_wtf.is_some() == settings.flask_wtf.is_some()
        });
        let page = outer.map(|outer| Arc::clone(&outer.page)).unwrap_or_default();
        let (settings, safe) = (Arc::clone(settings), is_safe(method));
        Arc::new(Self { slot, settings, safe, outer: outer.cloned(), page })
    }

    /// What a request carries of the layer's, which it may not have passed.
    pub(crate) fn current(carried: Option<&Arc<Self>>) -> Result<Arc<Self>, Error> {
        carried.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::NoLayer,
                "there is no CSRF protection on this route: add `.layer(CsrfLayer::new([…])?)` to \
                 the router, before the session's layer",
            )
        })
    }

    /// The error of a layer that finds no session.
    #[cold]
    pub(crate) fn no_session() -> Error {
        Error::new(
            ErrorKind::NoLayer,
            "the CSRF layer finds no session: the session's layer is missing, or the order is wrong \
             and it is inside. It has to be outside. In a `Router`, whose last layer is outermost, \
             write `.layer(csrf).layer(sessions)`; in a `ServiceBuilder`, whose first layer is \
             outermost, `.layer(sessions).layer(csrf)`; in actix-web `.wrap(csrf).wrap(sessions)`",
        )
    }

    /// The protection of a form that is checked where it is made, without a layer.
    pub(super) fn without_layer(slot: Arc<Slot>) -> Arc<Self> {
        Self::new(slot, &Settings::without_origins(), &Method::POST, None)
    }

    /// Whether the request passes unchecked, or a clone of the layer further out has checked it.
    pub(crate) fn exempts(&self, request: &Parts) -> bool {
        let same = |outer: &Arc<Self>| Arc::ptr_eq(&outer.settings, &self.settings);
        self.safe || self.outer.as_ref().is_some_and(same) || self.settings.exempts(request)
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    #[cfg(feature = "actix")]
    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Opens the session, on which the token depends, and the response with it.
    pub(super) async fn open(&self) -> Result<(), Error> {
        LazySession::new(Arc::clone(&self.slot)).open().await.map(drop)
    }

    /// A token for the page that is being made.
    pub(super) fn token(&self) -> Result<String, Error> {
        if let Some(tokens) = &self.settings.flask_wtf {
            return wtf::token(&self.slot, tokens);
        }
        let mut page = self.page();
        let mask = match page.mask {
            Some(mask) => mask,
            None => *page.mask.insert(random_mask()?),
        };
        if self.has_session() {
            return Ok(self.session_secret()?.token(&mask));
        }
        let visitor = match &mut page.visitor {
            Some(visitor) => visitor,
            none => none.insert(self.visitor()?),
        };
        Ok(visitor.secret.token(&mask))
    }

    /// The secret of the session, which gets one if it has none.
    fn session_secret(&self) -> Result<Secret, Error> {
        let session = Session::new(Arc::clone(&self.slot));
        if let Some(secret) = secret_of(&session) {
            return Ok(secret);
        }
        let secret = Secret::random()?;
        give(&session, &secret)?;
        // Another holder of this session may have been faster.
        if let Some(secret) = secret_of(&session) {
            return Ok(secret);
        }
        // Something else was there.
        let value = Value::from(secret.to_text());
        session.perform(Operation::Insert { key: Text::from(KEY), value, seen: None })?;
        Ok(secret)
    }

    /// The secret of a visitor without a session, from the cookie or new.
    fn visitor(&self) -> Result<Visitor, Error> {
        if let Some(secret) = cookie::read(&self.slot) {
            return Ok(Visitor { secret, is_new: false });
        }
        if self.slot.state().closed {
            return Err(Error::new(
                ErrorKind::Closed,
                "the first CSRF token was asked for after the response had begun, so that the \
                 visitor can't get the cookie: ask for it before the handler returns",
            ));
        }
        Ok(Visitor { secret: Secret::random()?, is_new: true })
    }

    /// Whether a token that came is the visitor's.
    pub(super) async fn verify(&self, token: &[u8]) -> Result<(), Error> {
        if let Some(tokens) = &self.settings.flask_wtf {
            self.open().await?;
            return wtf::verify(&self.slot, tokens, token);
        }
        let claim = Claim::from_token(token)
            .ok_or_else(|| refused("the CSRF token is none that this site makes"))?;
        self.open().await?;
        let secret = if self.has_session() {
            secret_of(&Session::new(Arc::clone(&self.slot)))
        } else {
            cookie::read(&self.slot)
        };
        match secret {
            Some(secret) if claim.is(&secret) => Ok(()),
            Some(_) => Err(refused(
                "the CSRF token is not the visitor's: the page was loaded before the login, or in \
                 another session. Load it again",
            )),
            None => Err(refused(
                "the visitor has no CSRF token: the page was loaded before the session began or \
                 ended, or the browser keeps no cookies. Load it again",
            )),
        }
    }

    /// Completes the headers of a request whose page may have a token.
    pub(super) fn finish(&self, response: &mut impl Headers) -> Result<(), Error> {
        if self.outer.is_some() || self.settings.flask_wtf.is_some() || !self.slot.state().is_open()
        {
            return Ok(());
        }
        let page = self.page();
        if !self.has_session() {
            if let Some(Visitor { secret, is_new: true }) = &page.visitor {
                cookie::set(&self.slot, secret, response)?;
            }
            return Ok(());
        }
        let session = Session::new(Arc::clone(&self.slot));
        if let Some(visitor) = &page.visitor
            && self.safe
            && !self.slot.state().has_user()
        {
            // The page had its token before the session began, in one request. That is no login,
            // whose session takes nothing over.
            give(&session, &visitor.secret)?;
        }
        let mut has_secret = secret_of(&session).is_some();
        if !has_secret && self.slot.state().writes_session() {
            // With the session itself, and not with its first form: of two forms that are loaded at
            // the same moment, each would make a secret, and the session keeps one.
            give(&session, &Secret::random()?)?;
            has_secret = true;
        }
        if has_secret {
            cookie::remove(&self.slot, response)?;
        }
        Ok(())
    }

    fn has_session(&self) -> bool {
        self.slot.state().has_session()
    }

    /// The page. A panic of another holder leaves it whole: each change is one assignment.
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The secret of a session; `None` if it has none, or not one that was made here.
fn secret_of(session: &Session) -> Option<Secret> {
    session.read(|view| match view.get(KEY.as_bytes())?.as_ref() {
        Value::Text(text) => Secret::from_text(text.as_wtf8()),
        _ => None,
    })
}

/// Gives a session its secret, unless it has one.
fn give(session: &Session, secret: &Secret) -> Result<(), Error> {
    let value = Value::from(secret.to_text());
    session.perform(Operation::OrInsert { key: Text::from(KEY), value })
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}
