//! Sessions without a web framework: the core of the layers for tower and actix-web.
//!
//! 1. [`Sessions`] holds the keys, the settings, the store and the clock. Create one at start.
//! 2. [`Sessions::request`] begins a request with its `Cookie` header lines, unparsed.
//! 3. [`Session::open`] parses them, and loads the session if it is in a store. Without a store,
//!    [`Session::open_now`] does so without waiting.
//! 4. [`Request::commit`] saves the changes by Flask's rules, and returns the header lines to send.
//!    [`Request::commit_now`] does so without waiting.
//!
//! ```
//! use carafe::engine::Sessions;
//! use carafe::{Clock, Config, SecretKey, Session};
//!
//! let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?
//!     .with_clock(Clock::fixed(1_700_000_000));
//!
//! let request = sessions.request([] as [&str; 0]);
//! let session = Session::open_now(&request)?;
//! session.insert("visits", 1)?;
//! let committed = request.commit_now()?;
//! let (_, cookie) = committed.lines().find(|(name, _)| *name == "set-cookie").unwrap();
//!
//! // The browser sends back what stands before the first semicolon.
//! let cookie = cookie.split(|byte| *byte == b';').next().unwrap();
//! let request = sessions.request([cookie]);
//! assert_eq!(Session::open_now(&request)?.get::<i64>("visits")?, Some(1));
//! # Ok::<(), carafe::Error>(())
//! ```
//!
//! A store that waits needs a tokio runtime. `examples/bare` serves a site this way, over a plain
//! socket.
//!
//! [`Session::open`]: crate::Session::open
//! [`Session::open_now`]: crate::Session::open_now

mod commit;
mod cookie;
mod credential;
mod driven;
#[cfg(test)]
mod driven_tests;
mod ended;
mod headers;
pub(crate) mod keys;
mod owner;
mod request;
pub(crate) mod respond;
mod revocable;
mod slot;
pub(crate) mod stored;
mod sync;
pub(crate) mod theft;
mod watch;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::Guard;
use tracing::Instrument as _;

pub(crate) use self::commit::{Commit, Outcome, Saving};
pub(crate) use self::ended::{End, Subject};
pub(crate) use self::headers::Headers;
#[cfg(feature = "actix")]
pub(crate) use self::headers::append_lines;
use self::keys::LayerKeys;
use self::keys::SharedKeys;
pub(crate) use self::owner::{Name, Owner};
pub use self::request::{Committed, Request, Sessions};
use self::respond::ErrorPage;
pub(crate) use self::respond::Reply;
use self::revocable::RevocationBackend;
pub(crate) use self::slot::{Slot, State, closed};
use self::stored::users::UserSessions;
pub(crate) use self::stored::{Origin, Remember, Seat, SetId, StoreBackend, failed};
pub(crate) use self::theft::OnTheft;
pub(crate) use self::watch::{CurrentId, Found, Look, Looking, Watch};
use crate::codec::Codecs;
use crate::content::{View, own_lifetime};
use crate::cookie::{Finder, SetCookie};
use crate::flask_login::{FlaskLogin, Logins};
use crate::login_page::LoginPage;
use crate::prompt::Prompt;
use crate::store::{RevocationStore, SessionStore};
use crate::value::DateTime;
use crate::{Clock, Config, Error, UnixSeconds, event};

/// The future of opening a session.
type Opening<'a> = Prompt<Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>>;

/// Makes the page that a visitor sees if the session failed.
pub(crate) type MakeErrorPage = Arc<dyn Fn(&Error) -> ErrorPage + Send + Sync>;

/// The place where sessions are kept.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// In the cookie, signed or sealed.
    Cookie,
    /// In the cookie, with revocation marks in a store.
    Revocable(RevocationBackend),
    /// In a store; the cookie carries a signed id.
    Stored(StoreBackend),
}

/// The state that all requests of one layer share.
#[derive(Clone)]
pub(crate) struct Engine {
    /// The same number in all clones of a layer that open and save the same sessions.
    identity: u64,
    /// The settings and the keys.
    keys: Arc<LayerKeys>,
    /// Finds the session's cookie.
    pub(crate) cookie: Finder,
    set_cookie: SetCookie,
    pub(crate) backend: Backend,
    pub(crate) clock: Clock,
    pub(crate) error_page: Option<MakeErrorPage>,
    pub(crate) login_page: Option<LoginPage>,
    pub(crate) confirm_page: Option<LoginPage>,
    /// Remembers browsers, if the settings say so.
    pub(crate) remember: Option<Remember>,
    pub(crate) on_theft: Option<OnTheft>,
    pub(crate) name: Option<Name>,
    pub(crate) flask_login: Option<Arc<Logins>>,
}

impl Engine {
    pub(crate) fn new(keys: &SharedKeys, config: Config) -> Result<Self, Error> {
        let set_cookie = config.check()?;
        let remember = Remember::new(&config)?;
        Ok(Self { remember, ..Self::assemble(LayerKeys::new(keys, config, None)?, set_cookie) })
    }

    /// Creates an engine with Flask's defaults, which need no check.
    pub(crate) fn flask(keys: &SharedKeys) -> Self {
        let keys = LayerKeys::flask(keys);
        let set_cookie = SetCookie::format(&keys.config.attributes(), None);
        Self::assemble(keys, set_cookie)
    }

    fn assemble(keys: Arc<LayerKeys>, set_cookie: SetCookie) -> Self {
        Self {
            identity: next_identity(),
            cookie: Finder::new(&keys.config.cookie_name),
            keys,
            set_cookie,
            backend: Backend::Cookie,
            clock: Clock::system(),
            error_page: None,
            login_page: None,
            confirm_page: None,
            remember: None,
            on_theft: None,
            name: None,
            flask_login: None,
        }
    }

    /// Returns the same engine with other settings.
    pub(crate) fn with_config(self, config: Config) -> Result<Self, Error> {
        let (set_cookie, remember) = (config.check()?, Remember::new(&config)?);
        let keys = LayerKeys::new(&self.keys.keys, config, Some(&self.keys))?;
        let Self { keys, cookie, set_cookie, .. } = Self::assemble(keys, set_cookie);
        Ok(Self { keys, cookie, set_cookie, remember, ..self }.with_backend_settings())
    }

    /// Returns the same engine with logins that are shared with Flask-Login.
    pub(crate) fn with_flask_login(self, settings: FlaskLogin) -> Result<Self, Error> {
        let flask_login = Some(Arc::new(Logins::new(settings)?));
        Ok(Self { flask_login, identity: next_identity(), ..self })
    }

    /// Returns the same engine with another clock.
    pub(crate) fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }.with_backend_settings()
    }

    /// Returns the same engine with sessions in a store.
    pub(crate) fn in_store(self, store: impl SessionStore) -> Self {
        let store = StoreBackend::new(store, self.config(), self.clock.clone());
        Self { backend: Backend::Stored(store), ..self }.with_backend_settings()
    }

    /// Returns the same engine with sessions in cookies, and revocation marks in a store.
    pub(crate) fn with_revocations(self, store: impl RevocationStore) -> Self {
        let store = RevocationBackend::new(store, self.config(), self.clock.clone());
        Self { backend: Backend::Revocable(store), ..self }.with_backend_settings()
    }

    /// Passes the settings and the clock on to the store.
    fn with_backend_settings(mut self) -> Self {
        self.identity = next_identity();
        let (config, clock) = (self.config(), self.clock.clone());
        self.backend = match &self.backend {
            Backend::Cookie => Backend::Cookie,
            Backend::Revocable(store) => Backend::Revocable(store.with(config, clock)),
            Backend::Stored(store) => Backend::Stored(store.with(config, clock)),
        };
        self
    }

    /// Logs warnings about the settings, when a layer is put around a service and they are final.
    pub(crate) fn in_use(&self) {
        self.keys.warn_of_cookie();
    }

    pub(crate) fn config(&self) -> &Config {
        &self.keys.config
    }

    pub(crate) fn keys(&self) -> &SharedKeys {
        &self.keys.keys
    }

    /// Returns the formats with the present keys.
    pub(crate) fn codecs(&self) -> Guard<Arc<Codecs>> {
        self.keys.codecs()
    }

    /// Opens the session of a request, once, for a handler that asks for it.
    ///
    /// A cookie that can't be accepted gives an empty session, as in Flask. A store that can't
    /// answer is an error, and never gives an empty session.
    pub(crate) fn open<'a>(&'a self, slot: &'a Slot) -> Opening<'a> {
        match slot.ask() {
            Ok(true) => return Prompt::done(Ok(())),
            Ok(false) => {}
            Err(error) => return Prompt::done(Err(error)),
        }
        match &self.backend {
            Backend::Cookie => {
                self.open_from_cookie(slot);
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

    /// Opens the session of a request like [`open`](Self::open), if that takes no store.
    pub(crate) fn open_unstored(&self, slot: &Slot) -> Result<(), Error> {
        if !slot.ask()? {
            self.open_from_cookie(slot);
        }
        Ok(())
    }

    /// Returns the sessions of all users, if they are in a store.
    pub(crate) fn user_sessions(&self) -> Option<UserSessions> {
        match &self.backend {
            Backend::Stored(backend) => {
                Some(UserSessions::new(backend.clone(), self.clock.clone()))
            }
            Backend::Cookie | Backend::Revocable(_) => None,
        }
    }

    /// Returns when the cookie of a permanent session expires, which is no later than the session;
    /// `None` for other sessions.
    fn expires(&self, view: &View, now: UnixSeconds) -> Option<DateTime> {
        let idle = now + self.lifetime_of(view);
        let absolute = self.config().absolute_timeout.as_secs();
        let ends = view.logged_in_at().map(|login| login + absolute);
        i64::try_from(ends.map_or(idle, |ends| ends.min(idle)).0).ok().and_then(DateTime::from_unix)
    }

    /// Returns how long after its last signature a session in a cookie is accepted, in seconds.
    fn lifetime_of(&self, view: &View) -> u64 {
        let longest = self.config().max_age();
        own_lifetime(view).map_or(longest, |own| own.min(longest))
    }
}

/// Returns a number that no other engine of this process has.
fn next_identity() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("keys", self.keys())
            .field("config", self.config())
            .finish_non_exhaustive()
    }
}
