use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderValue, Request};
use smallvec::SmallVec;

use super::{Engine, Origin, Seat, SetId};
use crate::content::{FLASHES, View};
use crate::flask_login::{self, Client, Logins};
use crate::id::SessionId;
use crate::{Error, ErrorKind};

/// The state of a request's session, opened or not. The service puts it into the request, and all
/// handles of the session share it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) engine: Arc<Engine>,
    /// The request's `Cookie` headers, kept until the session is opened.
    cookies: SmallVec<[HeaderValue; 1]>,
    /// Whether the request must leave flashed messages for the next page.
    keeps_flashes: bool,
    /// The client as Flask-Login identifies it, if the layer shares its logins.
    client: Option<Box<Client>>,
    /// The requested page, if the layer has a login page that leads back to it.
    wanted: Option<Box<str>>,
    state: Mutex<State>,
    /// Held while the session is loaded from a store or saved there.
    pub(crate) busy: tokio::sync::Mutex<()>,
}

/// The slot of the innermost layer, in a request's extensions.
#[derive(Clone)]
struct Current {
    slot: Arc<Slot>,
    /// The slots of the layers further out.
    outer: Option<Arc<Current>>,
}

/// The slot of a named layer, in a request's extensions. The function type makes it `Send` for any
/// marker.
struct Marked<Marker>(Arc<Slot>, PhantomData<fn() -> Marker>);

impl<Marker> Clone for Marked<Marker> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

/// The session in a request's cookie.
#[derive(Debug, Default)]
pub(crate) struct FromCookie {
    /// The session's view; `None` if there is no valid session.
    pub(crate) view: Option<View>,
    /// See [`State::outdated`].
    pub(crate) outdated: bool,
    /// See [`State::useless`].
    pub(crate) useless: bool,
    /// See [`State::issued`].
    pub(crate) issued: u64,
}

/// The state of a session within its request.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The request's view of the session; `None` until the session is opened.
    pub(crate) view: Option<View>,
    /// Whether a handler asked for the session, which makes the response vary with the cookie.
    pub(crate) accessed: bool,
    /// Whether the cookie has to be removed: its content can't be read, or its session was ended.
    pub(crate) useless: bool,
    /// When the cookie was written, in Unix seconds.
    pub(crate) issued: u64,
    /// Whether the cookie came under an older key, or in another format than the one written.
    pub(crate) outdated: bool,
    /// Whether the response has begun, so that a change could no longer be saved.
    pub(crate) closed: bool,
    /// The record that the session was loaded from, if it is in a store.
    pub(crate) origin: Option<Box<Origin>>,
    /// The position of a session in a store, kept beyond its request.
    pub(crate) seat: Option<Seat>,
    /// The ids of sessions in cookies that this request ended.
    pub(crate) ended: Vec<SessionId>,
    /// The change of the cookie that an earlier commit of this request left for the response.
    pub(crate) set_id: SetId,
    /// The number of times that recorded changes were taken for a commit.
    pub(crate) takes: u64,
    /// The number of the last taking whose commit failed, and its error.
    pub(crate) lost: Option<(u64, Error)>,
    /// Whether this request logged in.
    pub(crate) logged_in: bool,
    /// Whether this request logged out.
    pub(crate) logged_out: bool,
    /// The login that is shared with Flask-Login, once it was looked at.
    pub(crate) flask_login: flask_login::Seen,
    /// The remember cookies that the response sets or removes.
    pub(crate) remember_cookies: Vec<HeaderValue>,
    /// The error of opening the session, if the handler went on without seeing it.
    pub(crate) failed: Option<Error>,
}

impl State {
    /// Returns whether the session has been opened.
    pub(crate) fn is_open(&self) -> bool {
        self.view.is_some()
    }

    /// Opens the session, unless another handle has opened it.
    #[inline]
    pub(crate) fn open(&mut self, read: FromCookie) {
        if self.view.is_none() {
            self.outdated = read.outdated;
            self.useless = read.useless;
            self.issued = read.issued;
            self.view = Some(read.view.unwrap_or_default());
        }
    }

    /// Returns whether a user is logged in.
    pub(crate) fn has_user(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.user().is_some())
    }

    /// Returns whether the visitor has a session: a session with content, or one in a store.
    pub(crate) fn has_session(&self) -> bool {
        let Some(view) = &self.view else { return false };
        !view.is_empty() || view.user().is_some() || (self.origin.is_some() && !view.is_ended())
    }

    /// Returns whether this request wrote a lasting session: flashed messages alone are gone with
    /// the next page.
    pub(crate) fn writes_session(&self) -> bool {
        let Some(view) = &self.view else { return false };
        let messages = usize::from(view.contains(FLASHES.as_bytes()));
        let has_login = || view.user().is_some() || view.pending().is_some();
        view.modified() && (view.len() > messages || has_login())
    }
}

impl Slot {
    /// Creates a slot outside of a layer's request.
    #[cfg(feature = "testing")]
    pub(crate) fn new(engine: &Arc<Engine>, headers: &HeaderMap) -> Arc<Self> {
        let client = |_: &Logins| None;
        Self::with_cookies(engine, cookies(headers), false, || None, client)
    }

    /// Creates the slot of a request.
    #[inline]
    pub(crate) fn of_request<B>(engine: &Arc<Engine>, request: &Request<B>) -> Arc<Self> {
        let lines = |name| request.headers().get_all(name).iter().map(HeaderValue::as_bytes);
        let path = || request.uri().path_and_query().map_or("/", |path| path.as_str());
        let peer = |logins: &Logins| logins.peer(request.extensions());
        let method = request.method().as_str();
        Self::of_head(engine, cookies(request.headers()), method, lines, path, peer)
    }

    /// Creates the slot of a request of any framework, from the relevant parts of its head.
    #[inline]
    pub(crate) fn of_head<'a, Lines: Iterator<Item = &'a [u8]>>(
        engine: &Arc<Engine>,
        cookies: SmallVec<[HeaderValue; 1]>,
        method: &str,
        lines: impl Fn(&'static str) -> Lines,
        path: impl FnOnce() -> &'a str,
        peer: impl FnOnce(&Logins) -> Option<SocketAddr>,
    ) -> Arc<Self> {
        let keeps_flashes = keeps_flashes(engine, method, |name| lines(name).next());
        let client = |logins: &Logins| {
            let peer = peer(logins).map(|address| address.ip());
            Some(Client::new(lines("user-agent"), lines("x-forwarded-for"), peer))
        };
        let wanted = || matches!(method, "GET" | "HEAD").then(path);
        Self::with_cookies(engine, cookies, keeps_flashes, wanted, client)
    }

    /// Creates a slot. `wanted` returns the requested page if the request can be repeated, and
    /// `client` the request's client. Each is called only if the layer needs it.
    #[inline]
    pub(crate) fn with_cookies<'a>(
        engine: &Arc<Engine>,
        cookies: SmallVec<[HeaderValue; 1]>,
        keeps_flashes: bool,
        wanted: impl FnOnce() -> Option<&'a str>,
        client: impl FnOnce(&Logins) -> Option<Client>,
    ) -> Arc<Self> {
        let page = engine.login_page.as_ref().or(engine.confirm_page.as_ref());
        let wanted = page.and_then(|_| wanted()).map(Box::from);
        let client = engine.flask_login.as_ref().and_then(|logins| client(logins)).map(Box::new);
        // The slot is large, so it is built in place.
        let (state, busy) = (Mutex::default(), tokio::sync::Mutex::default());
        let engine = Arc::clone(engine);
        Arc::new(Self { engine, cookies, keeps_flashes, client, wanted, state, busy })
    }

    /// Returns whether the request must leave flashed messages for the next page.
    pub(crate) fn keeps_flashes(&self) -> bool {
        self.keeps_flashes
    }

    /// Returns the client as Flask-Login identifies it; `None` outside of a request.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.as_deref()
    }

    /// Returns the requested page; `None` also for a request that can't be repeated.
    pub(crate) fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }

    /// Puts the slot into a request's extensions, where the extractors find the innermost layer's.
    /// `engine` is that layer's, which may have left its session to a layer further out.
    pub(crate) fn insert_into(self: &Arc<Self>, extensions: &mut Extensions, engine: &Engine) {
        let current = Current { slot: Arc::clone(self), outer: None };
        if let Some(outer) = extensions.insert(current)
            && let Some(current) = extensions.get_mut::<Current>()
        {
            current.outer = Some(Arc::new(outer));
        }
        if let Some(name) = engine.name {
            (name.insert)(extensions, self);
        }
    }

    /// Returns the slots of the layers that a request has passed, the innermost first.
    pub(crate) fn all(extensions: &Extensions) -> impl Iterator<Item = &Arc<Self>> {
        fn outer<'a>(current: &&'a Current) -> Option<&'a Current> {
            current.outer.as_deref()
        }
        std::iter::successors(extensions.get::<Current>(), outer).map(|current| &current.slot)
    }

    pub(crate) fn insert_named<Marker: 'static>(extensions: &mut Extensions, slot: &Arc<Self>) {
        extensions.insert(Marked::<Marker>(Arc::clone(slot), PhantomData));
    }

    /// Returns the innermost layer's slot.
    pub(crate) fn current(extensions: &Extensions) -> Result<Arc<Self>, Error> {
        extensions.get::<Current>().map(|current| Arc::clone(&current.slot)).ok_or_else(|| {
            Error::new(
                ErrorKind::NoLayer,
                "there is no session here: add `.layer(SessionLayer::flask(key))` to the router, after \
                 the routes and the middleware that use it, since the layer that is added last is \
                 outermost (in a `ServiceBuilder` the first one is; in actix-web it is `.wrap(…)`)",
            )
        })
    }

    /// Returns the slot of the layer that a marker names.
    pub(crate) fn named<Marker: 'static>(extensions: &Extensions) -> Result<Arc<Self>, Error> {
        extensions.get::<Marked<Marker>>().map(|marked| Arc::clone(&marked.0)).ok_or_else(|| {
            let name = std::any::type_name::<Marker>();
            Error::new(
                ErrorKind::NoLayer,
                format!(
                    "there is no session named {name} on this route: add a `SessionLayer` with \
                     `.named::<{name}>()` to the router, after the routes that use it"
                ),
            )
        })
    }

    /// Returns the request's `Cookie` headers in their order.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &HeaderValue> + Clone {
        self.cookies.iter()
    }

    /// Makes every later write an error.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    /// Records that a handler asks for the session. Returns whether it is open already; an error if
    /// the response began before the session was first asked for.
    #[inline]
    pub(crate) fn ask(&self) -> Result<bool, Error> {
        let mut state = self.state();
        if state.closed && !state.accessed {
            return Err(Error::new(
                ErrorKind::Closed,
                "the session was opened after the response had begun, so that caches can't be told \
                 that the response depends on it: open it before the handler returns",
            ));
        }
        state.accessed = true;
        Ok(state.is_open())
    }

    /// Locks the state. The lock is never held across an await, and a panic of a holder leaves the
    /// state consistent: each change is one assignment or one map operation.
    #[inline]
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a request shows its page to no user yet, and so must leave flashed messages for
/// the next one. Such requests ask for the headers alone, or are sent by a browser before the user
/// asks for the page.
#[inline]
fn keeps_flashes<'a>(
    engine: &Engine,
    method: &str,
    header: impl Fn(&'static str) -> Option<&'a [u8]>,
) -> bool {
    match method {
        "HEAD" => !engine.config().head_takes_flashes,
        // `Sec-Purpose: prefetch;prerender`, or `Purpose` from older browsers.
        "GET" => ["sec-purpose", "purpose"]
            .into_iter()
            .filter_map(header)
            .any(|purpose| purpose.trim_ascii_start().starts_with(b"prefetch")),
        _ => false,
    }
}

#[inline]
fn cookies(headers: &HeaderMap) -> SmallVec<[HeaderValue; 1]> {
    let mut cookies = SmallVec::new();
    // There is mostly one line, for which pushing is less work than `collect`.
    for cookie in headers.get_all(COOKIE) {
        cookies.push(cookie.clone());
    }
    cookies
}

/// Returns the error of a change that comes too late to be saved.
pub(crate) fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "the session was changed after the response had begun, so that the change can't be saved: \
         change it before the handler returns, or later through `Session::handle`",
    )
}
