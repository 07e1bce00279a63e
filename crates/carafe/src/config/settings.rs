use std::time::Duration;

use super::{Caching, Mistyped};
use crate::codec::{CodecOptions, Compression, Format};
use crate::cookie::{Attributes, SameSite};
use crate::inspect::SetCookieLine;
use crate::signing::{CLOCK_SKEW, Digest, KeyDerivation, SigningOptions};
use crate::store::OverLimit;
use crate::{Error, ErrorKind};

/// The requests that renew the cookie of a permanent session: Flask's
/// `SESSION_REFRESH_EACH_REQUEST`, with a choice that Flask lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// Every request that carries the cookie, on all routes: Flask's default. On routes that never
    /// use the session, the cookie is verified after the handler has run.
    #[default]
    EachRequest,
    /// Only requests to routes that extract the session.
    OnExtract,
    /// No request: the cookie is written only when the session changes.
    Never,
}

/// The settings of a session layer.
///
/// The documentation of a setting that Flask has begins with Flask's name for it, which is also its
/// name in the environment: see [`from_prefixed_env`](Self::from_prefixed_env).
///
/// [`Config::flask`] has Flask's defaults, [`Config::hardened`] safer ones. A layer checks all
/// settings together when it is built: see
/// [`SessionLayer::configure`](crate::SessionLayer::configure).
///
/// ```
/// use carafe::config::SameSite;
/// use carafe::{Config, SecretKey, SessionLayer};
/// use std::time::Duration;
///
/// let layer = SessionLayer::flask(SecretKey::new("a key, long and random")?).configure(|config| {
///     config
///         .cookie_name("shop_session")
///         .secure(true)
///         .same_site(SameSite::Lax)
///         .lifetime(Duration::from_secs(14 * 86_400))
/// })?;
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub(crate) cookie_name: String,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) cookie_path: Option<String>,
    pub(crate) application_root: String,
    pub(crate) http_only: bool,
    pub(crate) secure: bool,
    pub(crate) same_site: Option<SameSite>,
    pub(crate) partitioned: bool,
    pub(crate) refresh: Refresh,
    /// Whether requests and responses match Flask's even at a cost in safety: see
    /// [`Config::flask`].
    pub(crate) flask_profile: bool,
    pub(crate) lifetime: Duration,
    /// Whether sessions are permanent by default.
    pub(crate) permanent: bool,
    pub(crate) max_cookie_size: usize,
    pub(crate) signing: SigningOptions,
    /// Whether the cookie's name is part of the salt.
    pub(crate) named_salt: bool,
    pub(crate) compression: Compression,
    pub(crate) inflate_limit: usize,
    /// The number of seconds by which a signature's time may be in the future.
    pub(crate) clock_skew: u64,
    pub(crate) caching: Caching,
    pub(crate) clear_site_data: bool,
    pub(crate) head_takes_flashes: bool,
    /// Whether sessions are written sealed instead of signed.
    #[cfg(feature = "sealed")]
    pub(crate) sealed: bool,
    /// The formats that are read besides the one that is written.
    pub(crate) accepted: Vec<Format>,
    pub(crate) rewrite_outdated: bool,
    pub(crate) refuse_weak_keys: bool,
    pub(crate) idle_timeout: Duration,
    pub(crate) absolute_timeout: Duration,
    pub(crate) renew_after: Duration,
    pub(crate) renewal_grace: Duration,
    pub(crate) store_timeout: Duration,
    pub(crate) sweep_interval: Duration,
    pub(crate) watch_interval: Duration,
    pub(crate) session_limit: usize,
    pub(crate) strict: bool,
    pub(crate) mistyped: Mistyped,
    pub(crate) sessions_per_user: Option<(u32, OverLimit)>,
    pub(crate) pending_login_timeout: Duration,
    pub(crate) remember_for: Option<Duration>,
    pub(crate) watch_old_ids: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self::flask()
    }
}

impl Config {
    /// Returns Flask's defaults: a cookie `session`, `HttpOnly`, for the path `/`, without `Secure`
    /// and `SameSite`, signed with HMAC-SHA-1 and the salt `cookie-session`. Permanent sessions
    /// live 31 days, and every request renews them. As in Flask, a session from a machine whose
    /// clock is ahead is refused until this machine's clock has caught up.
    ///
    /// As in Flask, a response that renews a cookie writes the session as its request read it. A
    /// slow response thus undoes a logout or a change that another response sent in the meantime.
    /// The other profiles renew seldom: see [`refresh`](Self::refresh).
    ///
    /// ```
    /// use carafe::{Config, SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::new(SecretKey::random()?, Config::flask().secure(true))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn flask() -> Self {
        Self {
            cookie_name: "session".to_owned(),
            cookie_domain: None,
            cookie_path: None,
            application_root: "/".to_owned(),
            http_only: true,
            secure: false,
            same_site: None,
            partitioned: false,
            refresh: Refresh::EachRequest,
            flask_profile: true,
            lifetime: Duration::from_secs(31 * 86_400),
            permanent: false,
            max_cookie_size: 4093,
            signing: SigningOptions::default(),
            named_salt: false,
            compression: Compression::Flask,
            inflate_limit: crate::signing::DEFAULT_INFLATE_LIMIT,
            clock_skew: 0,
            caching: Caching::Vary,
            clear_site_data: false,
            head_takes_flashes: true,
            #[cfg(feature = "sealed")]
            sealed: false,
            accepted: Vec::new(),
            rewrite_outdated: false,
            refuse_weak_keys: false,
            idle_timeout: super::check::DEFAULT_IDLE_TIMEOUT,
            absolute_timeout: Duration::from_secs(31 * 86_400),
            renew_after: Duration::from_secs(86_400),
            renewal_grace: Duration::from_secs(10),
            store_timeout: Duration::from_secs(2),
            sweep_interval: Duration::from_secs(60),
            watch_interval: Duration::from_secs(5),
            session_limit: 64 * 1024,
            strict: false,
            mistyped: Mistyped::Error,
            sessions_per_user: None,
            pending_login_timeout: Duration::from_secs(300),
            remember_for: None,
            watch_old_ids: Duration::ZERO,
        }
    }

    /// Returns safer defaults, with Flask's format: a cookie `__Host-session`, `Secure`,
    /// `HttpOnly`, `SameSite=Lax`, for the path `/` of this host alone. Responses that depend on
    /// the session say `Cache-Control: private`, and `no-store` if they set the cookie. Only routes
    /// that extract the session renew it, after a tenth of its lifetime. Weak secret keys are
    /// refused: see [`KeyStrength`](crate::signing::KeyStrength). The clocks of a service's
    /// machines may differ by [`CLOCK_SKEW`](crate::signing::CLOCK_SKEW).
    ///
    /// Chromium and Firefox keep a `Secure` cookie of `http://localhost`, so that development needs
    /// no certificate there. Safari drops it: use HTTPS, or turn [`secure`](Self::secure) off and
    /// rename the cookie while you develop.
    ///
    /// ```
    /// use carafe::{Config, SecretKey, SessionLayer};
    ///
    /// let config = Config::hardened().cookie_name("__Host-shop");
    /// let layer = SessionLayer::new(SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn hardened() -> Self {
        Self {
            cookie_name: "__Host-session".to_owned(),
            secure: true,
            same_site: Some(SameSite::Lax),
            refresh: Refresh::OnExtract,
            flask_profile: false,
            caching: Caching::Private,
            head_takes_flashes: false,
            named_salt: true,
            clock_skew: CLOCK_SKEW,
            refuse_weak_keys: true,
            ..Self::flask()
        }
    }

    /// Returns the settings of sealed sessions, which only the service can read, in the cookie of
    /// [`hardened`](Self::hardened).
    ///
    /// The settings of signatures, [`salt`](Self::salt), [`digest`](Self::digest) and
    /// [`key_derivation`](Self::key_derivation), have no effect on sealed sessions. Neither has
    /// [`compression`](Self::compression), since the compressed size would reveal something of the
    /// content.
    ///
    /// ```
    /// use carafe::{Config, SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::new(SecretKey::random()?, Config::sealed())?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[cfg(feature = "sealed")]
    #[must_use]
    pub fn sealed() -> Self {
        Self::hardened().seal(true)
    }

    /// Sets whether sessions are written sealed instead of signed, and leaves all other settings
    /// unchanged.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().seal(true);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[cfg(feature = "sealed")]
    #[must_use]
    pub fn seal(mut self, on: bool) -> Self {
        self.sealed = on;
        self
    }

    /// `SESSION_COOKIE_NAME`: the name of the cookie.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().cookie_name("__Host-shop");
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_NAME")]
    #[must_use]
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie_name = name.into();
        self
    }

    /// `SESSION_COOKIE_DOMAIN`: the domain whose subdomains get the cookie too. By default only
    /// this host gets the cookie.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::flask().cookie_domain("example.com".to_owned());
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_DOMAIN")]
    #[must_use]
    pub fn cookie_domain(mut self, domain: impl Into<Option<String>>) -> Self {
        self.cookie_domain = domain.into();
        self
    }

    /// `SESSION_COOKIE_PATH`: the path below which the cookie is sent. The default is the
    /// [`application_root`](Self::application_root).
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::flask().cookie_path("/shop");
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_PATH")]
    #[must_use]
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.cookie_path = Some(path.into());
        self
    }

    /// `APPLICATION_ROOT`: the path under which the application is mounted, `/` by default.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::flask().application_root("/shop");
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn application_root(mut self, path: impl Into<String>) -> Self {
        self.application_root = path.into();
        self
    }

    /// `SESSION_COOKIE_HTTPONLY`: whether the cookie is hidden from JavaScript; on by default.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().http_only(false);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_HTTPONLY")]
    #[must_use]
    pub fn http_only(mut self, on: bool) -> Self {
        self.http_only = on;
        self
    }

    /// `SESSION_COOKIE_SECURE`: whether the cookie is sent over HTTPS only.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::flask().secure(true);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_SECURE")]
    #[must_use]
    pub fn secure(mut self, on: bool) -> Self {
        self.secure = on;
        self
    }

    /// `SESSION_COOKIE_SAMESITE`: which requests from other sites carry the cookie.
    ///
    /// ```
    /// use carafe::config::SameSite;
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().same_site(SameSite::Strict);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_SAMESITE")]
    #[must_use]
    pub fn same_site(mut self, same_site: impl Into<Option<SameSite>>) -> Self {
        self.same_site = same_site.into();
        self
    }

    /// `SESSION_COOKIE_PARTITIONED`: whether an embedded page has a session for each site that
    /// embeds it. It makes the cookie secure.
    ///
    /// ```
    /// use carafe::config::SameSite;
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().same_site(SameSite::None).partitioned(true);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_COOKIE_PARTITIONED")]
    #[must_use]
    pub fn partitioned(mut self, on: bool) -> Self {
        self.partitioned = on;
        self
    }

    /// `SESSION_REFRESH_EACH_REQUEST`: which requests renew the cookie of a permanent session.
    ///
    /// In Flask's profile every request renews it. In the other profiles a request renews it if a
    /// tenth of the lifetime has passed since the cookie was written, so that most reading requests
    /// write nothing.
    ///
    /// The setting has no effect on sessions in a store: see [`idle_timeout`](Self::idle_timeout).
    ///
    /// ```
    /// use carafe::config::Refresh;
    /// use carafe::Config;
    ///
    /// let config = Config::flask().refresh(Refresh::OnExtract);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "SESSION_REFRESH_EACH_REQUEST")]
    #[must_use]
    pub fn refresh(mut self, refresh: Refresh) -> Self {
        self.refresh = refresh;
        self
    }

    /// `PERMANENT_SESSION_LIFETIME`: the time after its last signature for which a session is
    /// accepted, and the time after which a permanent session's cookie expires. As in Flask, the
    /// former is in whole seconds, and also applies to sessions that aren't permanent. An unused
    /// session in a store lives no longer than this, for any [`idle_timeout`](Self::idle_timeout).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().lifetime(Duration::from_secs(8 * 3600));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[doc(alias = "PERMANENT_SESSION_LIFETIME")]
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets whether sessions are permanent unless
    /// [`set_permanent(false)`](crate::Session::set_permanent) is called. Off by default, as in
    /// Flask, where a session ends with the browser.
    ///
    /// The default is not stored in the session: a Flask service that shares the cookie writes such
    /// a session as not permanent.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().permanent_by_default(true);
    /// ```
    #[must_use]
    pub fn permanent_by_default(mut self, on: bool) -> Self {
        self.permanent = on;
        self
    }

    /// `MAX_COOKIE_SIZE`: the size in bytes above which a `Set-Cookie` header causes a warning in
    /// the log; 0 turns the warning off. The cookie of a session in a store has the length of an
    /// id, and causes no warning.
    ///
    /// Apart from this setting, a cookie whose name and value exceed 4096 bytes is an error, since
    /// browsers would drop it silently. A proxy needs room for the header as well: nginx answers
    /// 502 if `proxy_buffer_size` has its default of 4 or 8 KiB, and the other headers come with a
    /// cookie of 4 KiB.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().max_cookie_size(2000);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn max_cookie_size(mut self, bytes: usize) -> Self {
        self.max_cookie_size = bytes;
        self
    }

    /// Sets the salt of the signature, an attribute of the session interface in Flask. In Flask's
    /// profile it is `cookie-session`. In the hardened profiles it is `cookie-session`, a space and
    /// the cookie's name, so that a session is valid only in the cookie that it was signed for.
    ///
    /// Two layers that share a key and write Flask's format in differently named cookies need
    /// different salts. That is checked for layers that share [`SharedKeys`](crate::SharedKeys),
    /// and for layers with copies of a key that are built on one thread.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().salt("admin session");
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn salt(mut self, salt: impl Into<Vec<u8>>) -> Self {
        self.signing = self.signing.salt(salt);
        self.named_salt = false;
        self
    }

    /// Sets the digest of the signature, SHA-1 by default. In Flask it is an attribute of the
    /// session interface.
    ///
    /// ```
    /// use carafe::signing::Digest;
    /// use carafe::Config;
    ///
    /// let config = Config::flask().digest(Digest::Sha256);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.signing = self.signing.digest(digest);
        self
    }

    /// Sets the derivation of the signature's key, `hmac` by default. In Flask it is an attribute
    /// of the session interface.
    ///
    /// ```
    /// use carafe::signing::KeyDerivation;
    /// use carafe::Config;
    ///
    /// let config = Config::flask().key_derivation(KeyDerivation::DjangoConcat);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn key_derivation(mut self, key_derivation: KeyDerivation) -> Self {
        self.signing = self.signing.key_derivation(key_derivation);
        self
    }

    /// Sets when the payload is compressed.
    ///
    /// ```
    /// use carafe::config::Compression;
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().compression(Compression::Never);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Sets the greatest size of a decompressed payload in bytes, 1 MiB by default. Flask has no
    /// limit.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().inflate_limit(256 * 1024);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn inflate_limit(mut self, bytes: usize) -> Self {
        self.inflate_limit = bytes;
        self
    }

    /// Sets the directives for caches in responses to requests that open their session:
    /// [`Caching::Private`] by default, and [`Caching::Vary`] in Flask's profile.
    ///
    /// ```
    /// use carafe::config::Caching;
    /// use carafe::Config;
    ///
    /// // A bank: not even the browser's own cache keeps what a user has seen.
    /// let config = Config::hardened().caching(Caching::NoStore);
    /// ```
    #[must_use]
    pub fn caching(mut self, caching: Caching) -> Self {
        self.caching = caching;
        self
    }

    /// Sets whether the response of a logout says `Clear-Site-Data: "cache", "storage"`: browsers
    /// then drop everything that they have cached and stored for this origin. Off by default.
    ///
    /// The header takes effect over HTTPS, and delays some browsers by a second or more. The
    /// session's cookie is removed in any case, and other cookies stay.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().clear_site_data(true);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn clear_site_data(mut self, on: bool) -> Self {
        self.clear_site_data = on;
        self
    }

    /// Sets whether a `HEAD` request takes flashed messages out of the session, as it does in Flask
    /// and in [`Config::flask`]. In the other profiles the messages stay for the `GET` that shows
    /// them.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::flask().head_takes_flashes(false);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn head_takes_flashes(mut self, on: bool) -> Self {
        self.head_takes_flashes = on;
        self
    }

    /// Accepts sessions in a second format, besides the format that is written. This allows a
    /// change of the format that logs no user out. Each call adds one format. Every format is
    /// authenticated separately, and the written format is tried first.
    ///
    /// ```
    /// use carafe::config::Format;
    /// use carafe::signing::Digest;
    /// use carafe::Config;
    ///
    /// // From Flask's SHA-1 to SHA-256, for as long as a session lives.
    /// let config = Config::flask().digest(Digest::Sha256).accept(Format::default());
    /// ```
    #[must_use]
    pub fn accept(mut self, format: Format) -> Self {
        self.accepted.push(format);
        self
    }

    /// Sets whether an outdated session is rewritten by the first request that carries it. A
    /// session is outdated if it came under an older key, or in another format than the written
    /// one. If off (the default), it is rewritten when it is next written for another reason.
    ///
    /// If on, routes that never use the session verify its cookie, too. The id of a session in a
    /// store is signed anew only by routes that extract the session.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().rewrite_outdated(true);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn rewrite_outdated(mut self, on: bool) -> Self {
        self.rewrite_outdated = on;
        self
    }

    /// Reads settings from environment variables with Flask's names and the prefix `FLASK_`, such
    /// as `FLASK_SESSION_COOKIE_SECURE=true`. Values are parsed as JSON where possible, as Flask's
    /// `from_prefixed_env` does; other variables are ignored.
    ///
    /// Settings that Flask lacks are read from `CARAFE_IDLE_TIMEOUT`, `CARAFE_ABSOLUTE_TIMEOUT`,
    /// `CARAFE_RENEW_AFTER`, `CARAFE_RENEWAL_GRACE`, `CARAFE_STORE_TIMEOUT`,
    /// `CARAFE_SWEEP_INTERVAL`, `CARAFE_WATCH_INTERVAL` (all in seconds), `CARAFE_SESSION_LIMIT`
    /// (bytes), `CARAFE_CACHING` (`vary`, `private` or `no-store`), `CARAFE_MISTYPED_VALUES`
    /// (`error` or `missing`), `CARAFE_PERMANENT_BY_DEFAULT`, `CARAFE_CLEAR_SITE_DATA`,
    /// `CARAFE_HEAD_TAKES_FLASHES`, `CARAFE_REWRITE_OUTDATED` and `CARAFE_STRICT`.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().from_prefixed_env()?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if a value isn't allowed; the error names the setting, the value and
    /// the allowed values.
    pub fn from_prefixed_env(self) -> Result<Self, Error> {
        self.with_variables(std::env::vars_os())
    }

    /// Reads settings as [`from_prefixed_env`](Self::from_prefixed_env) does, from the given
    /// variables.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let variables = [("FLASK_PERMANENT_SESSION_LIFETIME", "3600")];
    /// let config = Config::flask().with_variables(variables)?;
    /// assert_eq!(config.session_lifetime(), Duration::from_secs(3600));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`from_prefixed_env`](Self::from_prefixed_env).
    pub fn with_variables<K, V>(
        self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, Error>
    where
        K: AsRef<std::ffi::OsStr>,
        V: AsRef<std::ffi::OsStr>,
    {
        variables.into_iter().try_fold(self, |config, (name, value)| {
            super::env::apply(config, name.as_ref(), value.as_ref())
        })
    }

    /// The variables that [`from_prefixed_env`](Self::from_prefixed_env) reads.
    pub const VARIABLES: [&str; 26] = super::env::VARIABLES;

    /// Returns the time after its last signature for which a session is accepted, as set by
    /// [`lifetime`](Self::lifetime).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// assert_eq!(Config::flask().session_lifetime(), Duration::from_secs(31 * 86_400));
    /// ```
    #[must_use]
    pub fn session_lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns whether weak keys are refused: in the hardened profiles, and wherever sessions are
    /// sealed.
    pub(crate) fn refuses_weak_keys(&self) -> bool {
        #[cfg(feature = "sealed")]
        if self.sealed {
            return true;
        }
        self.refuse_weak_keys
    }

    /// Returns the `Set-Cookie` line that a layer with these settings would send, without the
    /// value.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let flask = Config::flask().set_cookie_line()?;
    /// assert_eq!((flask.name.as_str(), flask.secure), ("session", false));
    /// assert!(Config::hardened().set_cookie_line()?.secure);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if the settings are not allowed or contradict each other.
    pub fn set_cookie_line(&self) -> Result<SetCookieLine, Error> {
        let header = self.check()?.set("", None)?;
        let not_text = || Error::new(ErrorKind::Setting, "the cookie's attributes are not ASCII");
        header.to_str().ok().and_then(SetCookieLine::parse).ok_or_else(not_text)
    }

    /// Returns the settings that the formats need.
    pub(crate) fn codec(&self) -> CodecOptions<'_> {
        CodecOptions {
            cookie_name: &self.cookie_name,
            written: self.format(),
            accepted: &self.accepted,
            compression: self.compression,
            inflate_limit: self.inflate_limit,
            clock_skew: self.clock_skew,
        }
    }

    /// Returns the format that is written.
    fn format(&self) -> Format {
        #[cfg(feature = "sealed")]
        if self.sealed {
            return Format::sealed();
        }
        let signing = self.signing.clone();
        if self.named_salt { Format::signed(signing) } else { Format::flask(signing) }
    }

    /// Refuses this layer if another layer with the same keys would accept its signed sessions as
    /// its own, since the salts do not tell their cookies apart.
    pub(crate) fn refuse_same_signature(&self, other: &Self) -> Result<(), Error> {
        #[cfg(feature = "sealed")]
        if self.sealed || other.sealed {
            return Ok(());
        }
        let is_bound = self.named_salt || other.named_salt;
        if is_bound || self.cookie_name == other.cookie_name || self.format() != other.format() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Setting,
            format!(
                "the layers of the cookies {:?} and {:?} share keys, salt, digest and key derivation, \
                 so that each would accept the sessions of the other: give one of them a salt of its \
                 own (Config::salt)",
                other.cookie_name, self.cookie_name
            ),
        ))
    }

    /// Returns the age up to which a cookie is accepted, in seconds.
    pub(crate) fn max_age(&self) -> u64 {
        self.lifetime.as_secs()
    }

    pub(crate) fn attributes(&self) -> Attributes<'_> {
        // Flask writes `config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]`.
        let path = self.cookie_path.as_deref().filter(|path| !path.is_empty());
        Attributes {
            name: &self.cookie_name,
            domain: self.cookie_domain.as_deref(),
            path: path.unwrap_or(&self.application_root),
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
            partitioned: self.partitioned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookie::SetCookie;

    #[test]
    fn the_profiles_pass_their_own_checks() {
        let profiles = [
            Config::flask(),
            Config::hardened(),
            #[cfg(feature = "sealed")]
            Config::sealed(),
        ];
        for config in profiles {
            assert_eq!(config.check().unwrap(), SetCookie::format(&config.attributes(), None));
        }
    }
}
