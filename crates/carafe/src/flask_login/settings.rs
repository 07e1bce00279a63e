use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::Extensions;

use super::cookie::{RememberCookie, RememberSettings};
use crate::cookie::SameSite;
use crate::{Error, SecretKey};

/// The settings for sharing logins with a Flask site that uses Flask-Login: see
/// [`SessionLayer::flask_login`](crate::SessionLayer::flask_login).
///
/// The defaults are Flask-Login's own.
///
/// ```
/// use carafe::flask_login::{ClientAddress, FlaskLogin, Protection};
/// use carafe::{SecretKey, SessionLayer};
///
/// let logins = FlaskLogin::default()
///     .protection(Protection::Strong)
///     .address(ClientAddress::FirstForwarded)
///     .remember_cookie_secure(true);
/// let key = SecretKey::new("a key, long and random")?;
/// let layer = SessionLayer::flask(key).flask_login(logins)?;
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct FlaskLogin {
    pub(super) protection: Protection,
    pub(super) release: Release,
    pub(super) address: ClientAddress,
    pub(super) peer: Option<PeerOf>,
    pub(super) is_user: Option<IsUser>,
    pub(super) remember: RememberSettings,
    pub(super) remember_key: Option<SecretKey>,
    pub(super) flask_security: bool,
}

type PeerOf = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;
type IsUser = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The treatment of a login whose client now has another address or another `User-Agent` than at
/// the login: Flask-Login's `SESSION_PROTECTION`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// The login stays as it is.
    None,
    /// The login stays, and is no longer fresh.
    #[default]
    Basic,
    /// The user is logged out. In a permanent session, [`Basic`](Self::Basic) applies instead.
    Strong,
}

impl Protection {
    pub(super) fn is_none(self) -> bool {
        self == Self::None
    }
}

/// The release of Flask-Login that the Flask site uses.
///
/// The two releases compute a client's `_id` differently: logins made by one release are not fresh
/// in the other, and end under [`Protection::Strong`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// 0.6, up to 0.6.3 of October 2023.
    #[default]
    V0_6,
    /// 0.7, which is not released yet.
    V0_7,
}

/// The source of a client's address.
///
/// Flask and this service must compute the same address. Otherwise a login that one of them made
/// isn't fresh for the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// The connection. Behind a proxy, its address is the proxy's.
    #[default]
    Peer,
    /// The first entry of `X-Forwarded-For`, or the connection if the header is missing.
    /// Flask-Login 0.6 always uses it. A client can forge the header unless a proxy replaces it.
    FirstForwarded,
    /// The entry of `X-Forwarded-For` that the outermost of several proxies has added. It matches
    /// Werkzeug's `ProxyFix(app, x_for=proxies)`, which Flask-Login 0.7 expects.
    Forwarded {
        /// The number of proxies in front of this service; at least 1.
        proxies: usize,
    },
}

impl FlaskLogin {
    /// Sets the treatment of a login whose client has changed: `SESSION_PROTECTION`, or
    /// `LoginManager.session_protection` if that isn't configured.
    ///
    /// ```
    /// use carafe::flask_login::{FlaskLogin, Protection};
    ///
    /// let logins = FlaskLogin::default().protection(Protection::Strong);
    /// ```
    #[must_use]
    pub fn protection(self, protection: Protection) -> Self {
        Self { protection, ..self }
    }

    /// Sets the release of Flask-Login that the Flask site uses.
    ///
    /// ```
    /// use carafe::flask_login::{FlaskLogin, Release};
    ///
    /// let logins = FlaskLogin::default().release(Release::V0_6);
    /// ```
    #[must_use]
    pub fn release(self, release: Release) -> Self {
        Self { release, ..self }
    }

    /// Sets the source of the client's address.
    ///
    /// ```
    /// use carafe::flask_login::{FlaskLogin, ClientAddress};
    ///
    /// let logins = FlaskLogin::default().address(ClientAddress::Forwarded { proxies: 1 });
    /// ```
    #[must_use]
    pub fn address(self, address: ClientAddress) -> Self {
        Self { address, ..self }
    }

    /// Sets how the connection's address is found in a request's extensions. In actix-web the layer
    /// finds it without this setting.
    ///
    /// ```
    /// # mod axum { pub mod extract { #[derive(Clone)] pub struct ConnectInfo<T>(pub T); } }
    /// use std::net::SocketAddr;
    /// use axum::extract::ConnectInfo;
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// // With `axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())`:
    /// let logins = FlaskLogin::default().peer(|extensions| {
    ///     extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
    /// });
    /// ```
    #[must_use]
    pub fn peer(
        self,
        find: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self { peer: Some(Arc::new(find)), ..self }
    }

    /// Sets which ids belong to users. An id for which Flask-Login's `user_loader` finds no user
    /// counts as no login, and the remember cookie is tried. Without this setting every id counts
    /// as a user's, and the application looks the user up later.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().user_ids(|id| id.parse::<u64>().is_ok());
    /// ```
    #[must_use]
    pub fn user_ids(self, is_user: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { is_user: Some(Arc::new(is_user)), ..self }
    }

    /// Sets the name of the remember cookie: `REMEMBER_COOKIE_NAME`, by default `remember_token`.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_name("keep");
    /// ```
    #[must_use]
    pub fn remember_cookie_name(self, name: impl Into<String>) -> Self {
        self.with_cookie(|cookie| cookie.name = name.into())
    }

    /// Sets how long browsers keep the remember cookie: `REMEMBER_COOKIE_DURATION`, by default 365 days.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_duration(Duration::from_secs(30 * 86_400));
    /// ```
    #[must_use]
    pub fn remember_cookie_duration(self, duration: Duration) -> Self {
        self.with_cookie(|cookie| cookie.duration = duration)
    }

    /// Sets the domain whose subdomains get the remember cookie: `REMEMBER_COOKIE_DOMAIN`.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_domain("example.com".to_owned());
    /// ```
    #[must_use]
    pub fn remember_cookie_domain(self, domain: impl Into<Option<String>>) -> Self {
        self.with_cookie(|cookie| cookie.domain = domain.into())
    }

    /// Sets the path of the remember cookie: `REMEMBER_COOKIE_PATH`, by default `/`.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_path("/app");
    /// ```
    #[must_use]
    pub fn remember_cookie_path(self, path: impl Into<String>) -> Self {
        self.with_cookie(|cookie| cookie.path = path.into())
    }

    /// Sets whether the remember cookie is for HTTPS only: `REMEMBER_COOKIE_SECURE`.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_secure(true);
    /// ```
    #[must_use]
    pub fn remember_cookie_secure(self, secure: bool) -> Self {
        self.with_cookie(|cookie| cookie.secure = secure)
    }

    /// Sets whether the remember cookie is hidden from scripts: `REMEMBER_COOKIE_HTTPONLY`, by default
    /// true.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_http_only(true);
    /// ```
    #[must_use]
    pub fn remember_cookie_http_only(self, http_only: bool) -> Self {
        self.with_cookie(|cookie| cookie.http_only = http_only)
    }

    /// Sets which requests from other sites carry the remember cookie: `REMEMBER_COOKIE_SAMESITE`.
    ///
    /// ```
    /// use carafe::config::SameSite;
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_same_site(SameSite::Lax);
    /// ```
    #[must_use]
    pub fn remember_cookie_same_site(self, same_site: impl Into<Option<SameSite>>) -> Self {
        self.with_cookie(|cookie| cookie.same_site = same_site.into())
    }

    /// Sets whether responses renew the remember cookie: `REMEMBER_COOKIE_REFRESH_EACH_REQUEST`.
    ///
    /// As in Flask-Login 0.6, each response to a logged-in user then sets the cookie, even if the
    /// user did not ask to be remembered. With release 0.7, a response sets it only if the request
    /// carried it.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().remember_cookie_refresh_each_request(true);
    /// ```
    #[must_use]
    pub fn remember_cookie_refresh_each_request(self, refresh: bool) -> Self {
        self.with_cookie(|cookie| cookie.refresh_each_request = refresh)
    }

    /// Sets the key that signs remember cookies, for a Flask site whose `SECRET_KEY` contains bytes
    /// beyond ASCII. The default is the text of the layer's current key.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let key = SecretKey::new(b"\x8f\xd2 bytes that are no text".to_vec())?;
    /// let logins = FlaskLogin::default().remember_key(key);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn remember_key(self, key: SecretKey) -> Self {
        Self { remember_key: Some(key), ..self }
    }

    /// Sets whether the keys of Flask-Security are written as well, for a Flask site that has it on
    /// top of Flask-Login.
    ///
    /// - A login and [`confirm_login`](crate::Session::confirm_login) write the time to `fs_paa`,
    ///   by which Flask-Security judges freshness, and a login asks for its CSRF cookie (`fs_cc`).
    /// - A logout removes `fs_paa`, `fs_gexp`, `fs_oauth_next`, `identity.name`,
    ///   `identity.auth_type` and `csrf_token`.
    ///
    /// The id of a user is then the `fs_uniquifier`, and not the primary key.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().flask_security(true);
    /// ```
    #[must_use]
    pub fn flask_security(self, on: bool) -> Self {
        Self { flask_security: on, ..self }
    }

    fn with_cookie(mut self, change: impl FnOnce(&mut RememberSettings)) -> Self {
        change(&mut self.remember);
        self
    }
}

impl fmt::Debug for FlaskLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlaskLogin")
            .field("protection", &self.protection)
            .field("release", &self.release)
            .field("address", &self.address)
            .field("remember", &self.remember)
            .finish_non_exhaustive()
    }
}

/// The settings as a layer uses them.
#[derive(Debug)]
pub(crate) struct Logins {
    pub(super) settings: FlaskLogin,
    pub(super) cookie: RememberCookie,
    /// Whether the log has a warning that the client's address is unknown.
    pub(super) warned_of_address: AtomicBool,
}

impl Logins {
    pub(crate) fn new(settings: FlaskLogin) -> Result<Self, Error> {
        let cookie = RememberCookie::new(&settings.remember)?;
        Ok(Self { settings, cookie, warned_of_address: AtomicBool::new(false) })
    }

    /// Returns the address of a request's connection.
    pub(crate) fn peer(&self, extensions: &Extensions) -> Option<SocketAddr> {
        let address = self.settings.peer.as_ref().and_then(|find| find(extensions));
        address.map(|address| SocketAddr::new(address, 0))
    }

    /// Returns whether an id is a user's, by the setting.
    pub(super) fn is_user(&self, id: &str) -> bool {
        self.settings.is_user.as_ref().is_none_or(|is_user| is_user(id))
    }
}
