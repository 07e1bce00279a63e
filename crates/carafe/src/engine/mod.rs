//! What a layer does with a request's session: open it, and save what changed.
//!
//! The adapters for frameworks call this and nothing else; the rules are Flask's.

mod clock;
mod commit;
mod driven;
#[cfg(test)]
mod driven_tests;
#[cfg(feature = "actix")]
mod handled;
mod headers;
mod keys;
mod respond;
mod revocable;
mod stored;
mod sync;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::Guard;
use http::{Extensions, HeaderValue};
use tracing::Instrument as _;

pub use self::clock::Clock;
pub(crate) use self::commit::{Commit, Outcome, Saving};
#[cfg(feature = "actix")]
pub(crate) use self::handled::{Handled, Handles, Handling, Layered};
pub(crate) use self::headers::Headers;
#[cfg(feature = "actix")]
pub(crate) use self::headers::{COOKIE, NO_STORE, append_lines, merged_vary};
use self::keys::LayerKeys;
pub use self::keys::SharedKeys;
pub use self::respond::ErrorPage;
pub(crate) use self::respond::Reply;
pub(crate) use self::revocable::RevocationBackend;
pub(crate) use self::stored::{Origin, SetId, StoreBackend, failed};
pub use self::stored::{SessionInfo, UserSessions};
use crate::codec::{Codecs, Decoded};
use crate::cookie::{Finder, SetCookie};
use crate::login_page::LoginPage;
use crate::prompt::Prompt;
use crate::session::{FromCookie, Slot, View};
use crate::value::json::Payload;
use crate::{Config, DateTime, Error, ErrorKind, event};

/// A session that is being opened.
type Opening<'a> = Prompt<Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>>;

/// Makes the page that a visitor sees where the session failed.
pub(crate) type MakeErrorPage = Arc<dyn Fn(&Error) -> ErrorPage + Send + Sync>;

/// Where sessions are.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// In the cookie, signed or sealed.
    Cookie,
    /// In the cookie, and a store knows which of them count no more.
    Revocable(RevocationBackend),
    /// In a store; the cookie carries a signed id.
    Stored(StoreBackend),
}

/// Everything that the requests of one layer share.
#[derive(Clone)]
pub(crate) struct Engine {
    /// The settings and the keys.
    keys: Arc<LayerKeys>,
    /// Finds the session's cookie.
    pub(crate) cookie: Finder,
    set_cookie: SetCookie,
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    pub(crate) error_page: Option<MakeErrorPage>,
    pub(crate) login_page: Option<LoginPage>,
    /// Puts the slot into the request under the name of a marker type.
    pub(crate) name: Option<fn(&mut Extensions, &Arc<Slot>)>,
}

impl Engine {
    pub(crate) fn new(keys: &SharedKeys, config: Config) -> Result<Self, Error> {
        let set_cookie = config.check()?;
        Ok(Self::assemble(LayerKeys::new(keys, config)?, set_cookie))
    }

    /// Flask's defaults, which need no check.
    pub(crate) fn flask(keys: &SharedKeys) -> Self {
        let keys = LayerKeys::flask(keys);
        let set_cookie = SetCookie::format(&keys.config.attributes(), None);
        Self::assemble(keys, set_cookie)
    }

    fn assemble(keys: Arc<LayerKeys>, set_cookie: SetCookie) -> Self {
        Self {
            cookie: Finder::new(&keys.config.cookie_name),
            keys,
            set_cookie,
            backend: Backend::Cookie,
            clock: Clock::system(),
            error_page: None,
            login_page: None,
            name: None,
        }
    }

    /// The same engine with other settings.
    pub(crate) fn with_config(self, config: Config) -> Result<Self, Error> {
        let Self { keys, cookie, set_cookie, .. } = Self::new(&self.keys.keys, config)?;
        Ok(Self { keys, cookie, set_cookie, ..self }.with_backend_settings())
    }

    /// The same engine by another clock.
    pub(crate) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }.with_backend_settings()
    }

    /// The same engine with sessions in another place.
    pub(crate) fn with_backend(self, backend: Backend) -> Self {
        Self { backend, ..self }.with_backend_settings()
    }

    /// Tells a store of the settings and the clock.
    fn with_backend_settings(mut self) -> Self {
        let (config, clock) = (self.config(), self.clock.clone());
        self.backend = match &self.backend {
            Backend::Cookie => Backend::Cookie,
            Backend::Revocable(store) => Backend::Revocable(store.with(config, clock)),
            Backend::Stored(store) => Backend::Stored(store.with(config, clock)),
        };
        self
    }

    /// To be called where a layer is put around a service: by then its settings are what they stay.
    pub(crate) fn in_use(&self) {
        self.keys.warn_of_cookie();
    }

    pub(crate) fn config(&self) -> &Config {
        &self.keys.config
    }

    pub(crate) fn keys(&self) -> &SharedKeys {
        &self.keys.keys
    }

    /// The formats under the keys of this moment.
    pub(crate) fn codecs(&self) -> Guard<Arc<Codecs>> {
        self.keys.codecs()
    }

    /// Opens the session of a request for a handler that asks for it, once.
    ///
    /// A cookie that can't be accepted gives an empty session, as in Flask. A store that can't answer
    /// is an error, and never an empty session.
    pub(crate) fn open<'a>(&'a self, slot: &'a Slot) -> Opening<'a> {
        match slot.ask() {
            Ok(true) => return Prompt::done(Ok(())),
            Ok(false) => {}
            Err(error) => return Prompt::done(Err(error)),
        }
        match &self.backend {
            Backend::Cookie => {
                event::within!("session.open", self.open_cookie(slot));
                Prompt::done(Ok(()))
            }
            Backend::Revocable(backend) => {
                let span = event::span!("session.open");
                Prompt::Waiting(Box::pin(self.open_revocable(slot, backend).instrument(span)))
            }
            Backend::Stored(backend) => {
                let span = event::span!("session.open");
                Prompt::Waiting(Box::pin(self.open_stored(slot, backend).instrument(span)))
            }
        }
    }

    /// Whether a session opens without waiting for a store.
    #[cfg(feature = "actix")]
    pub(crate) fn opens_at_once(&self) -> bool {
        matches!(self.backend, Backend::Cookie)
    }

    /// Opens a session that is in its cookie.
    fn open_cookie(&self, slot: &Slot) {
        let read = self.read_cookie(slot);
        if read.view.is_some() {
            event::loaded(read.outdated);
        }
        slot.state().open(read);
    }

    /// What the request's cookie holds. A session whose user logged in too long ago has ended.
    #[inline]
    fn read_cookie(&self, slot: &Slot) -> FromCookie {
        match self.decode(slot.cookies()) {
            Ok(None) => {
                event::none();
                FromCookie::default()
            }
            Ok(Some(decoded)) => match self.view(decoded.payload) {
                Some(view) => {
                    let outdated = decoded.outdated;
                    FromCookie { view: Some(view), outdated, unreadable: false }
                }
                None => {
                    event::expired();
                    FromCookie::default()
                }
            },
            Err(error) => {
                event::refused(&error);
                let unreadable = error.kind() == ErrorKind::BadPayload;
                FromCookie { unreadable, ..FromCookie::default() }
            }
        }
    }

    /// The view of what a cookie held; `None` if the user logged in too long ago.
    #[inline]
    pub(crate) fn view(&self, payload: Payload) -> Option<View> {
        let view = View::new(payload);
        let ended = view.logged_in_at().is_some_and(|login| {
            let timeout = self.config().absolute_timeout.as_secs();
            login < self.clock.now().saturating_sub(timeout)
        });
        if ended { None } else { Some(view) }
    }

    /// The content of the session's cookie among these; `None` if there is no cookie, or an empty one.
    #[inline]
    pub(crate) fn decode<'a>(
        &self,
        cookies: impl Iterator<Item = &'a HeaderValue>,
    ) -> Result<Option<Decoded>, Error> {
        let Some(found) = self.cookie.find(cookies) else {
            return Ok(None);
        };
        if found.duplicate {
            event::duplicate_cookie(&self.config().cookie_name);
        }
        if found.value.is_empty() {
            return Ok(None);
        }
        self.decode_value(&found.value).map(Some)
    }

    /// The content of a cookie's value.
    #[inline]
    pub(crate) fn decode_value(&self, value: &[u8]) -> Result<Decoded, Error> {
        let codecs = self.keys.codecs();
        let max_age = self.config().max_age();
        match codecs.decode(value, max_age, self.clock.just_now()) {
            // Signed in this second perhaps, which the quick clock hasn't reached yet.
            Err(error) if error.kind() == ErrorKind::FromTheFuture => {
                Ok(codecs.decode(value, max_age, self.clock.now())?)
            }
            decoded => Ok(decoded?),
        }
    }

    /// The sessions of any user, if they are in a store.
    pub(crate) fn user_sessions(&self) -> Option<UserSessions> {
        match &self.backend {
            Backend::Stored(backend) => {
                Some(UserSessions::new(backend.clone(), self.clock.clone()))
            }
            Backend::Cookie | Backend::Revocable(_) => None,
        }
    }

    /// When the cookie of a permanent session expires; others don't say so.
    fn expires(&self, now: u64) -> Option<DateTime> {
        let seconds = now.saturating_add(self.config().lifetime.as_secs());
        i64::try_from(seconds).ok().and_then(DateTime::from_unix)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("keys", self.keys())
            .field("config", self.config())
            .finish_non_exhaustive()
    }
}
