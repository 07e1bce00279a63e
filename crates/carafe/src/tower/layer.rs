use std::sync::Arc;

use tower_layer::Layer;

use super::SessionService;
use crate::config::Format;
use crate::engine::{Engine, Name, Slot};
use crate::flask_login::FlaskLogin;
use crate::login_page::LoginPage;
use crate::store::{RevocationStore, SessionStore};
use crate::{
    Clock, Config, Error, ErrorPage, KeyRing, Reaction, SharedKeys, SignOfTheft, UserSessions,
};

/// A layer that opens and saves the [`Session`](crate::Session) of each request.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # fn main() -> Result<(), carafe::Error> {
/// use axum::{Router, routing::get};
/// use carafe::{Error, SecretKey, Session, SessionLayer};
///
/// async fn index(session: Session) -> Result<String, Error> {
///     let name: Option<String> = session.get("username")?;
///     Ok(name.unwrap_or_else(|| "You are not logged in".to_owned()))
/// }
///
/// let key = SecretKey::new("a key, long and random")?;
/// let app: Router = Router::new().route("/", get(index)).layer(SessionLayer::flask(key));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "axum"))]
/// # fn main() {}
/// ```
///
/// # Nested layers
///
/// Clones of one layer may be around the whole application and around parts of it: the outermost
/// clone owns the session, and the others pass the request on. A clone may have its own page for
/// errors ([`on_error`](Self::on_error)) and its own [name](Self::named).
///
/// Two layers with different settings need different cookies. If a request passes two such layers
/// with the same cookie (name, domain and path), the answer is an error that describes both, since
/// each would overwrite the other's cookie.
///
/// # Order of layers
///
/// - A `CsrfLayer` belongs inside. - A layer that cancels its handler, such as tower-http's
///   `TimeoutLayer`, belongs outside: changes of a cancelled handler are then dropped. Inside, its
///   answer counts as an ordinary response, and the changes that the handler made before it was
///   cancelled are saved. The same is true of `CatchPanicLayer`. - Layers that change bodies, such
///   as `CompressionLayer`, may be inside or outside. They see the pages for errors only if they
///   are outside.
///
/// # actix-web
///
/// In actix-web the layer is middleware. Build it outside of the function that builds an `App` for
/// each worker, since the workers share its keys and its store:
///
/// ```no_run
/// # #[cfg(feature = "actix")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use carafe::{Error, SecretKey, Session, SessionLayer};
/// # async fn index(session: Session) -> Result<String, Error> { Ok(String::new()) }
/// use actix_web::{App, HttpServer, web};
///
/// let sessions = SessionLayer::flask(SecretKey::from_env("SECRET_KEY")?);
/// let server = HttpServer::new(move || {
///     App::new().route("/", web::get().to(index)).wrap(sessions.clone())
/// });
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "actix"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer {
    engine: Arc<Engine>,
}

impl SessionLayer {
    /// Creates a layer with Flask's cookie, to the byte, and Flask's defaults. A Flask service with
    /// the same key shares the session.
    ///
    /// [`Config::flask`] lists the defaults: no `Secure`, no `SameSite`, and SHA-1. A layer that
    /// lacks one of the two attributes logs that once, when it is put around a service.
    ///
    /// Every key is accepted, as in Flask. A weak key causes a warning in the log: see
    /// [`KeyStrength`](crate::signing::KeyStrength).
    ///
    /// ```
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::flask(SecretKey::new("a key, long and random")?);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn flask(keys: impl Into<SharedKeys>) -> Self {
        Self { engine: Arc::new(Engine::flask(&keys.into())) }
    }

    /// Creates a layer with Flask's format in a hardened cookie: see [`Config::hardened`].
    ///
    /// ```
    /// use carafe::{ErrorKind, SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::random()?)?;
    /// let error = SessionLayer::signed(SecretKey::new("dev")?).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::WeakKey);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if a key is publicly known or can be
    /// guessed.
    pub fn signed(keys: impl Into<SharedKeys>) -> Result<Self, Error> {
        Self::new(keys, Config::hardened())
    }

    /// Creates a layer with sealed sessions in a hardened cookie: they are encrypted, so that
    /// visitors can't read them. See [`Config::sealed`].
    ///
    /// ```
    /// use carafe::config::Format;
    /// use carafe::signing::SigningOptions;
    /// use carafe::{KeyRing, SecretKey, SessionLayer};
    ///
    /// let keys = KeyRing::new(SecretKey::random()?);
    /// // While sessions that `SessionLayer::signed` has written are still about:
    /// let before = Format::signed(SigningOptions::default());
    /// let layer = SessionLayer::sealed(keys)?.accept(before)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if a key is publicly known or can be
    /// guessed, or if the current key has fewer than 32 bytes.
    #[cfg(feature = "sealed")]
    pub fn sealed(keys: impl Into<SharedKeys>) -> Result<Self, Error> {
        Self::new(keys, Config::sealed())
    }

    /// Creates a layer with sessions in a store on the server: the hardened cookie carries only a
    /// signed id. See [`Config::hardened`].
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if a key is publicly known or can be
    /// guessed.
    pub fn stored(store: impl SessionStore, keys: impl Into<SharedKeys>) -> Result<Self, Error> {
        Ok(Self::new(keys, Config::hardened())?.in_store(store))
    }

    /// Moves the sessions from the cookie to a store, and leaves all settings unchanged.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    /// use carafe::{Config, SecretKey, SessionLayer};
    ///
    /// let config = Config::hardened().cookie_name("__Host-shop");
    /// let layer = SessionLayer::new(SecretKey::random()?, config)?.in_store(MemoryStore::new());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn in_store(self, store: impl SessionStore) -> Self {
        Self { engine: Arc::new(Arc::unwrap_or_clone(self.engine).in_store(store)) }
    }

    /// Makes logout final for sessions in cookies, even for copies of the cookie: the store keeps a
    /// revocation mark for each ended session. It is asked about sessions whose users logged in
    /// with [`Session::login`](crate::Session::login).
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::random()?)?.with_revocations(MemoryStore::new());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn with_revocations(self, store: impl RevocationStore) -> Self {
        Self { engine: Arc::new(Arc::unwrap_or_clone(self.engine).with_revocations(store)) }
    }

    /// Returns the sessions of all users, for administrators to list and end. `None` if sessions
    /// are in cookies, which leave no list on the server.
    ///
    /// ```
    /// use carafe::{Error, SessionLayer};
    ///
    /// /// Ends all sessions of a user whose account was closed.
    /// async fn close_account(layer: &SessionLayer, user: &str) -> Result<(), Error> {
    ///     if let Some(sessions) = layer.sessions() {
    ///         sessions.logout(user).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn sessions(&self) -> Option<UserSessions> {
        self.engine.user_sessions()
    }

    /// Creates a layer with the given settings.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::{Config, SecretKey, SessionLayer};
    ///
    /// let config = Config::hardened().lifetime(Duration::from_secs(8 * 3600));
    /// let layer = SessionLayer::new(SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if a setting isn't allowed, and
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if a key is too weak for the settings.
    pub fn new(keys: impl Into<SharedKeys>, config: Config) -> Result<Self, Error> {
        Ok(Self { engine: Arc::new(Engine::new(&keys.into(), config)?) })
    }

    /// Creates a layer for Flask's sessions with all settings from the environment:
    /// `FLASK_SECRET_KEY`, `FLASK_SECRET_KEY_FALLBACKS`, `FLASK_SESSION_COOKIE_SECURE` and the
    /// others of [`Config`], as Flask's `app.config.from_prefixed_env()` reads them.
    ///
    /// ```no_run
    /// use carafe::SessionLayer;
    ///
    /// let layer = SessionLayer::from_flask_env()?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::MissingSecretKey`](crate::ErrorKind::MissingSecretKey) without a key, and
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if a setting isn't allowed.
    pub fn from_flask_env() -> Result<Self, Error> {
        Self::new(KeyRing::from_flask_env()?, Config::flask().from_prefixed_env()?)
    }

    /// Changes settings, and checks all of them afterwards.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::random()?)?
    ///     .configure(|config| config.lifetime(Duration::from_secs(8 * 3600)))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if a setting isn't allowed: the error
    /// names the setting, the value and what is allowed.
    pub fn configure(self, change: impl FnOnce(Config) -> Config) -> Result<Self, Error> {
        let engine = Arc::unwrap_or_clone(self.engine);
        let config = change(engine.config().clone());
        Ok(Self { engine: Arc::new(engine.with_config(config)?) })
    }

    /// Accepts sessions in a second format, besides the format that is written: see
    /// [`Config::accept`].
    ///
    /// ```
    /// use carafe::config::Format;
    /// use carafe::signing::Digest;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// // From Flask's SHA-1 to SHA-256, for as long as a session lives.
    /// let layer = SessionLayer::flask(SecretKey::new("a key, long and random")?)
    ///     .configure(|config| config.digest(Digest::Sha256))?
    ///     .accept(Format::default())?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::WeakKey`](crate::ErrorKind::WeakKey) if sealed sessions are to be accepted and
    /// no key is long enough for them.
    pub fn accept(self, format: Format) -> Result<Self, Error> {
        self.configure(|config| config.accept(format))
    }

    /// Returns the layer's keys, which can be replaced while it runs: see [`SharedKeys::replace`].
    ///
    /// ```
    /// use carafe::{KeyRing, SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::random()?)?;
    /// let keys = layer.keys();
    /// // Later, while the layer serves requests:
    /// keys.replace(KeyRing::new(SecretKey::random()?))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn keys(&self) -> SharedKeys {
        self.engine.keys().clone()
    }

    /// Replaces the system's clock, which decides when sessions expire and which signs them.
    ///
    /// ```
    /// use carafe::{Clock, SecretKey, SessionLayer};
    ///
    /// let clock = Clock::fixed(1_700_000_000);
    /// let layer = SessionLayer::signed(SecretKey::random()?)?.with_clock(clock.clone());
    /// clock.advance(60);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        let engine = Arc::unwrap_or_clone(self.engine);
        Self { engine: Arc::new(engine.with_clock(clock)) }
    }

    /// Sets the page for errors of the session: it is shown if a handler returns a
    /// [`carafe::Error`](Error), or if the session can't be saved.
    ///
    /// ```
    /// use carafe::{ErrorKind, SecretKey, SessionLayer};
    /// use http::StatusCode;
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let layer = SessionLayer::flask(key).on_error(|error| match error.kind() {
    ///     ErrorKind::CookieTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "That is too much to remember"),
    ///     _ => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong"),
    /// });
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn on_error<F, P>(self, page: F) -> Self
    where
        F: Fn(&Error) -> P + Send + Sync + 'static,
        P: Into<ErrorPage>,
    {
        let make_page = move |error: &Error| page(error).into();
        self.map(|engine| engine.error_page = Some(Arc::new(make_page)))
    }

    /// Shares logins with a Flask site that uses Flask-Login: see
    /// [`flask_login`](crate::flask_login).
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let layer = SessionLayer::flask(key).flask_login(FlaskLogin::default())?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if a setting of the remember cookie isn't
    /// allowed.
    pub fn flask_login(self, logins: FlaskLogin) -> Result<Self, Error> {
        let engine = Arc::unwrap_or_clone(self.engine);
        Ok(Self { engine: Arc::new(engine.with_flask_login(logins)?) })
    }

    /// Sets the login page. A visitor who isn't logged in is redirected there if the handler
    /// extracts a [`CurrentUser`](crate::CurrentUser). `path` is a path of this site. The field
    /// `next` of the query names the page that the visitor wanted: see
    /// [`WantedPage`](crate::WantedPage).
    ///
    /// Only a `GET` is redirected. Other requests, which could not be repeated after the login, are
    /// answered with 401. The wanted page is the URI as this layer sees it: put the layer around
    /// nested routers, and not into them.
    ///
    /// ```
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::random()?)?.with_login_page("/login")?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if the path isn't a path of this site.
    pub fn with_login_page(self, path: &str) -> Result<Self, Error> {
        let page = LoginPage::new("login_page", path)?;
        Ok(self.map(|engine| engine.login_page = Some(page)))
    }

    /// Sets the confirmation page. A user whose last authentication is too long ago is redirected
    /// there if the handler extracts a [`FreshUser`](crate::FreshUser). The page asks for the
    /// password again, calls [`Session::reauthenticated`](crate::Session::reauthenticated) and
    /// leads back to the page in the field `next` of its query, like a [login
    /// page](Self::with_login_page).
    ///
    /// ```
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::signed(SecretKey::random()?)?
    ///     .with_login_page("/login")?
    ///     .with_confirm_page("/confirm")?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if the path isn't a path of this site.
    pub fn with_confirm_page(self, path: &str) -> Result<Self, Error> {
        let page = LoginPage::new("confirm_page", path)?;
        Ok(self.map(|engine| engine.confirm_page = Some(page)))
    }

    /// Sets a function that is called for each sign that a session was stolen. The log records the
    /// signs in any case, as events `theft.…`.
    ///
    /// Replaced ids are remembered for the time of
    /// [`Config::watch_old_ids`](crate::Config::watch_old_ids). An old id that comes back within a
    /// minute is not reported, since its request may have been under way.
    ///
    /// ```
    /// use std::time::Duration;
    /// use carafe::store::MemoryStore;
    /// use carafe::{Reaction, SecretKey, SessionLayer, TheftKind};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .configure(|config| config.watch_old_ids(Duration::from_secs(7 * 86_400)))?
    ///     .on_sign_of_theft(|sign| match sign.kind() {
    ///         TheftKind::UsedToken => Reaction::EndAllSessions,
    ///         TheftKind::ReplacedId => Reaction::EndSession,
    ///         _ => Reaction::Log,
    ///     });
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn on_sign_of_theft(
        self,
        decide: impl Fn(&SignOfTheft) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        self.map(|engine| engine.on_theft = Some(Arc::new(decide)))
    }

    /// Names this layer's session by a marker type. Handlers below several layers extract it as
    /// [`Named<Marker>`](crate::Named); `Session` is the session of the innermost layer.
    ///
    /// ```
    /// use carafe::{Config, Named, SecretKey, SessionLayer};
    ///
    /// struct Admin;
    ///
    /// async fn handler(session: carafe::Session, admin: Named<Admin>) -> Result<(), carafe::Error> {
    ///     admin.session().insert("seen", true)
    /// }
    ///
    /// let key = SecretKey::new("a key, long and random")?;
    /// let admin = SessionLayer::flask(key)
    ///     .configure(|config| {
    ///         // With the salt of other sessions, a visitor's would be taken for an admin's.
    ///         config.cookie_name("admin").cookie_path("/admin").salt("admin session")
    ///     })?
    ///     .named::<Admin>();
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn named<Marker: 'static>(self) -> Self {
        let name =
            Name { marker: std::any::type_name::<Marker>(), insert: Slot::insert_named::<Marker> };
        self.map(|engine| engine.name = Some(name))
    }

    #[cfg(any(feature = "actix", feature = "testing"))]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    fn map(self, change: impl FnOnce(&mut Engine)) -> Self {
        let mut engine = Arc::unwrap_or_clone(self.engine);
        change(&mut engine);
        Self { engine: Arc::new(engine) }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.engine.in_use();
        SessionService::new(inner, Arc::clone(&self.engine))
    }
}
