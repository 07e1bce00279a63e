//! The token of one request's visitor: made, checked and stored.

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

/// The session's key for the secret of its tokens.
const KEY: &str = "_carafe_csrf";

/// The protection of one request, in its extensions and shared with every [`Csrf`](super::Csrf).
#[derive(Debug)]
pub(crate) struct Protection {
    slot: Arc<Slot>,
    settings: Arc<Settings>,
    /// Whether the request's method is safe (changes nothing).
    safe: bool,
    /// The protection of a layer further out, if it uses the same token.
    outer: Option<Arc<Self>>,
    page: Arc<Mutex<Page>>,
}

/// The token's state for the page that the handler makes.
#[derive(Default)]
struct Page {
    mask: Option<Mask>,
    /// The secret of a visitor without a session.
    visitor: Option<Visitor>,
}

struct Visitor {
    secret: Secret,
    /// Whether the secret is new, so that the response must set the cookie.
    is_new: bool,
}

impl Protection {
    /// Creates the protection of a request with this method. If the request has passed another
    /// layer, both share one token per session, and the outermost layer gives it to the visitor.
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

    /// Returns the protection that a request carries, or the error of a route without a layer.
    pub(crate) fn current(carried: Option<&Arc<Self>>) -> Result<Arc<Self>, Error> {
        carried.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::NoLayer,
                "there is no CSRF protection on this route: add `.layer(CsrfLayer::new([…])?)` to \
                 the router, before the session's layer",
            )
        })
    }

    /// Returns the error of a layer that finds no session.
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

    /// Creates the protection of a form that a handler checks itself, without a layer.
    pub(super) fn without_layer(slot: Arc<Slot>) -> Arc<Self> {
        Self::new(slot, &Settings::without_origins(), &Method::POST, None)
    }

    /// Returns whether the request passes unchecked, or an outer clone of the layer has checked it.
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

    /// Opens the session, since the token depends on it.
    pub(super) async fn open(&self) -> Result<(), Error> {
        LazySession::new(Arc::clone(&self.slot)).open().await.map(drop)
    }

    /// Returns a token for the page that the handler makes.
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

    /// Returns the secret of the session, after making one if it is missing.
    fn session_secret(&self) -> Result<Secret, Error> {
        let session = Session::new(Arc::clone(&self.slot));
        if let Some(secret) = secret_of(&session) {
            return Ok(secret);
        }
        let secret = Secret::random()?;
        give(&session, &secret)?;
        // Another handle of this session may have stored a secret in the meantime.
        if let Some(secret) = secret_of(&session) {
            return Ok(secret);
        }
        // The key was missing, or held something else.
        let value = Value::from(secret.to_text());
        session.perform(Operation::Insert { key: Text::from(KEY), value, seen: None })?;
        Ok(secret)
    }

    /// Returns the secret of a visitor without a session, from the cookie or newly made.
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

    /// Checks that a request's token is the visitor's.
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

    /// Completes the headers of a response whose page may hold a token.
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
            // The page had its token before the session began in the same request. A login is
            // different: its session takes nothing over.
            give(&session, &visitor.secret)?;
        }
        let mut has_secret = secret_of(&session).is_some();
        if !has_secret && self.slot.state().writes_session() {
            // The secret is stored with the session's first write, and not with its first form. Two
            // forms that are loaded at the same moment would each make a secret, and the session
            // keeps one.
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

    /// Locks the page's state. A panic of another holder leaves it whole: each change is one
    /// assignment.
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the secret of a session; `None` if it has none, or if the key holds something else.
fn secret_of(session: &Session) -> Option<Secret> {
    session.read(|view| match view.get(KEY.as_bytes())?.as_ref() {
        Value::Text(text) => Secret::from_text(text.as_wtf8()),
        _ => None,
    })
}

/// Stores a secret in a session that has none.
fn give(session: &Session, secret: &Secret) -> Result<(), Error> {
    let value = Value::from(secret.to_text());
    session.perform(Operation::OrInsert { key: Text::from(KEY), value })
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}
