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

/// Where a request's session is, opened or not: what the service puts into the request, and every
/// handle of the session shares.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) engine: Arc<Engine>,
    /// The request's `Cookie` headers, kept until somebody asks for the session.
    cookies: SmallVec<[HeaderValue; 1]>,
    /// Whether the request must leave flashed messages for the next page.
    keeps_flashes: bool,
    /// What Flask-Login knows the client by, if the layer shares its logins.
    client: Option<Box<Client>>,
    /// The page that the request asks for, if the layer has a page that may have to lead back to it.
    wanted: Option<Box<str>>,
    state: Mutex<State>,
    /// Held while the session is loaded from a store or saved there.
    pub(crate) busy: tokio::sync::Mutex<()>,
}

/// The slot of the innermost layer, in a request's extensions.
#[derive(Clone)]
struct Current {
    slot: Arc<Slot>,
    /// That of the next layer further out.
    outer: Option<Arc<Current>>,
}

/// The slot of a named layer, in a request's extensions. The function type makes it `Send`
/// whatever the marker is.
struct Marked<Marker>(Arc<Slot>, PhantomData<fn() -> Marker>);

impl<Marker> Clone for Marked<Marker> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

/// What a request's cookie held.
#[derive(Debug, Default)]
pub(crate) struct FromCookie {
    /// `None` if there is no session that counts.
    pub(crate) view: Option<View>,
    /// See [`State::outdated`].
    pub(crate) outdated: bool,
    /// See [`State::useless`].
    pub(crate) useless: bool,
    /// See [`State::issued`].
    pub(crate) issued: u64,
}

/// How far a session has come in its request.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// What the cookie held; `None` until the session is opened.
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
    /// Where the session came from, if it came from a store.
    pub(crate) origin: Option<Box<Origin>>,
    /// Where a session in a store is found again, also after its request.
    pub(crate) seat: Option<Seat>,
    /// The ids of sessions in cookies that this request ended.
    pub(crate) ended: Vec<SessionId>,
    /// What a commit before the response's has to say about the cookie.
    pub(crate) set_id: SetId,
    /// How often what was done until then was taken, to be saved.
    pub(crate) takes: u64,
    /// Which of those could not be saved last, and why.
    pub(crate) lost: Option<(u64, Error)>,
    /// Whether this request logged in.
    pub(crate) logged_in: bool,
    /// Whether this request logged out.
    pub(crate) logged_out: bool,
    /// What the request has found out of a login that Flask-Login shares.
    pub(crate) flask_login: flask_login::Seen,
    /// What the response has to say about remember tokens.
    pub(crate) remember_cookies: Vec<HeaderValue>,
    /// Why a handler went on without the session, and doesn't know.
    pub(crate) failed: Option<Error>,
}

impl State {
    /// Whether the session has been opened.
    pub(crate) fn is_open(&self) -> bool {
        self.view.is_some()
    }

    /// Opens the session, unless somebody else was quicker.
    #[inline]
    pub(crate) fn open(&mut self, read: FromCookie) {
        if self.view.is_none() {
            self.outdated = read.outdated;
            self.useless = read.useless;
            self.issued = read.issued;
            self.view = Some(read.view.unwrap_or_default());
        }
    }

    /// Whether somebody is logged in.
    pub(crate) fn has_user(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.user().is_some())
    }

    /// Whether the visitor has a session: one that holds something, or one in a store.
    pub(crate) fn has_session(&self) -> bool {
        let Some(view) = &self.view else { return false };
        !view.is_empty() || view.user().is_some() || (self.origin.is_some() && !view.is_ended())
    }

    /// Whether this request wrote a session that lasts: messages alone are gone with the next page.
    pub(crate) fn writes_session(&self) -> bool {
        let Some(view) = &self.view else { return false };
        let messages = usize::from(view.contains(FLASHES.as_bytes()));
        let has_login = || view.user().is_some() || view.pending().is_some();
        view.modified() && (view.len() > messages || has_login())
    }
}

impl Slot {
    /// A slot of no request in particular.
    #[cfg(feature = "testing")]
    pub(crate) fn new(engine: &Arc<Engine>, headers: &HeaderMap) -> Arc<Self> {
        let client = |_: &Logins| Client::default();
        Self::with_cookies(engine, cookies(headers), false, || None, client)
    }

    /// The slot of a request.
    #[inline]
    pub(crate) fn of_request<B>(engine: &Arc<Engine>, request: &Request<B>) -> Arc<Self> {
        let lines = |name| request.headers().get_all(name).iter().map(HeaderValue::as_bytes);
        let path = || request.uri().path_and_query().map_or("/", |path| path.as_str());
        let peer = |logins: &Logins| logins.peer(request.extensions());
        let method = request.method().as_str();
        Self::of_head(engine, cookies(request.headers()), method, lines, path, peer)
    }

    /// The slot of a request of any framework, by what matters of its head.
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
            Client::new(lines("user-agent"), lines("x-forwarded-for"), peer)
        };
        let wanted = || matches!(method, "GET" | "HEAD").then(path);
        Self::with_cookies(engine, cookies, keeps_flashes, wanted, client)
    }

    /// A slot with the page that the request asks for, where that is needed. `wanted` tells it of a
    /// request that can be sent again, `client` of the request's client.
    #[inline]
    pub(crate) fn with_cookies<'a>(
        engine: &Arc<Engine>,
        cookies: SmallVec<[HeaderValue; 1]>,
        keeps_flashes: bool,
        wanted: impl FnOnce() -> Option<&'a str>,
        client: impl FnOnce(&Logins) -> Client,
    ) -> Arc<Self> {
        let page = engine.login_page.as_ref().or(engine.confirm_page.as_ref());
        let wanted = page.and_then(|_| wanted()).map(Box::from);
        let client = engine.flask_login.as_ref().map(|logins| Box::new(client(logins)));
        // Made where it is to stay, since it is large.
        let (state, busy) = (Mutex::default(), tokio::sync::Mutex::default());
        let engine = Arc::clone(engine);
        Arc::new(Self { engine, cookies, keeps_flashes, client, wanted, state, busy })
    }

    /// Whether the request must leave flashed messages for the next page.
    pub(crate) fn keeps_flashes(&self) -> bool {
        self.keeps_flashes
    }

    /// What Flask-Login knows the request's client by.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.as_deref()
    }

    /// The page that the request asks for. `None` also for a request that can't be sent again.
    pub(crate) fn wanted(&self) -> Option<&str> {
        self.wanted.as_deref()
    }

    /// Puts the slot into a request, where the extractors find it. The innermost layer's counts.
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

    /// The slots of the layers that a request has passed, the innermost first.
    pub(crate) fn all(extensions: &Extensions) -> impl Iterator<Item = &Arc<Self>> {
        fn outer<'a>(current: &&'a Current) -> Option<&'a Current> {
            current.outer.as_deref()
        }
        std::iter::successors(extensions.get::<Current>(), outer).map(|current| &current.slot)
    }

    pub(crate) fn insert_named<Marker: 'static>(extensions: &mut Extensions, slot: &Arc<Self>) {
        extensions.insert(Marked::<Marker>(Arc::clone(slot), PhantomData));
    }

    /// The innermost layer's slot.
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

    /// The slot of the layer that a marker names.
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

    /// The request's `Cookie` headers in their order.
    pub(crate) fn cookies(&self) -> impl Iterator<Item = &HeaderValue> + Clone {
        self.cookies.iter()
    }

    /// Makes every later write an error.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    /// Notes that a handler asks for the session; whether it is open already. An error if the response
    /// began before anybody asked.
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

    /// The state, under its lock. It is never held across an await, and a panic of another holder
    /// leaves it as consistent as it was: each change is one assignment or one map operation.
    #[inline]
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request shows its page to no user yet, and so must leave flashed messages for the next:
/// one for the headers alone, or one that a browser sends before the user has asked for the page.
#[inline]
fn keeps_flashes<'a>(
    engine: &Engine,
    method: &str,
    header: impl Fn(&'static str) -> Option<&'a [u8]>,
) -> bool {
    match method {
        "HEAD" => !engine.config().head_takes_flashes,
        // `Sec-Purpose: prefetch;prerender`, or `Purpose` as older browsers have it.
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
    // Pushed one by one, which is less work than `collect` for the one that there mostly is.
    for cookie in headers.get_all(COOKIE) {
        cookies.push(cookie.clone());
    }
    cookies
}

/// The error of a change that can't be saved any more.
pub(crate) fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "the session was changed after the response had begun, so that the change can't be saved: \
         change it before the handler returns, or later through `Session::handle`",
    )
}
