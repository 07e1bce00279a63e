use std::fmt;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use tower_layer::Layer;

use super::check::TOKEN_HEADERS;
use super::field::Field;
use super::origin::Origins;
use super::{CsrfService, FlaskWtf};
use crate::engine::MakeErrorPage;
use crate::{Error, ErrorPage};

/// The default number of bytes of a form that are searched for the token: 64 KiB.
const FORM_LIMIT: usize = 64 * 1024;

/// A layer that refuses forged requests, which another site makes a visitor's browser send: see
/// [the module](super).
///
/// ```
/// use carafe::csrf::CsrfLayer;
///
/// let layer = CsrfLayer::new(["https://shop.example", "http://localhost:5000"])?;
/// assert!(CsrfLayer::new(["https://shop.example/"]).is_err());
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsrfLayer {
    settings: Arc<Settings>,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(super) origins: Origins,
    pub(super) exempt: Option<Exempt>,
    pub(super) form_limit: usize,
    pub(super) flask_wtf: Option<FlaskWtf>,
    field: Field,
    headers: Vec<HeaderName>,
    pub(super) error_page: Option<MakeErrorPage>,
}

pub(super) type Exempt = Arc<dyn Fn(&Parts) -> bool + Send + Sync>;

impl CsrfLayer {
    /// Creates a layer for a service whose pages are at these origins, written as browsers send
    /// them: scheme, host and, unless it is the scheme's default, port. Requests are accepted from
    /// each of them, so list only the service's own.
    ///
    /// ```
    /// use carafe::csrf::CsrfLayer;
    ///
    /// let layer = CsrfLayer::new(["https://shop.example", "http://localhost:5000"])?;
    /// assert!(CsrfLayer::new(["shop.example"]).is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if one of them isn't written in this form.
    pub fn new(origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let mut accepted = Origins::default();
        for origin in origins {
            accepted.add(origin.as_ref())?;
        }
        Ok(Self::with_origins(accepted))
    }

    /// Creates a layer that accepts the request's own host as its origin: the `Host` header, or the
    /// authority of HTTP/2, must equal the host and port in `Origin`.
    ///
    /// Use it for development, and for services whose host isn't known beforehand. It relies on
    /// `Host`: a proxy must pass on the header that the browser sent. HTTP and HTTPS are not told
    /// apart.
    ///
    /// ```
    /// use carafe::csrf::CsrfLayer;
    ///
    /// let layer = CsrfLayer::same_host();
    /// ```
    #[must_use]
    pub fn same_host() -> Self {
        Self::with_origins(Origins::same_host())
    }

    fn with_origins(origins: Origins) -> Self {
        Self { settings: Arc::new(Settings::new(origins)) }
    }

    /// Exempts requests from the check, such as requests of other services that carry a signature
    /// of their own. A later call replaces the rule of an earlier one.
    ///
    /// ```
    /// use carafe::csrf::CsrfLayer;
    ///
    /// let layer = CsrfLayer::new(["https://shop.example"])?
    ///     .exempt(|request| request.uri.path() == "/webhooks/payment");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn exempt(self, rule: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.map(|settings| settings.exempt = Some(Arc::new(rule)))
    }

    /// Sets how many bytes of a form are searched for the token; 64 KiB by default. Up to that many
    /// bytes of each request are kept in memory.
    ///
    /// ```
    /// use carafe::csrf::CsrfLayer;
    ///
    /// let layer = CsrfLayer::new(["https://shop.example"])?.form_limit(16 * 1024);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn form_limit(self, bytes: usize) -> Self {
        self.map(|settings| settings.form_limit = bytes)
    }

    /// Uses the tokens of Flask-WTF's `CSRFProtect` instead of this crate's, so that a form of a
    /// Flask service can be sent to this one, and the other way round.
    ///
    /// The session's key is then `csrf_token`, and a visitor without a session gets one. A token is
    /// accepted for an hour (`WTF_CSRF_TIME_LIMIT`), and the `SECRET_KEY` signs it. The origin of
    /// requests is still checked, which is stricter than Flask-WTF.
    ///
    /// ```
    /// use carafe::csrf::CsrfLayer;
    ///
    /// let layer = CsrfLayer::new(["https://shop.example"])?.flask_wtf();
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn flask_wtf(self) -> Self {
        self.flask_wtf_with(FlaskWtf::default())
    }

    /// Uses the tokens of Flask-WTF as [`flask_wtf`](Self::flask_wtf) does, with the settings of
    /// the Flask site.
    ///
    /// ```
    /// use carafe::csrf::{CsrfLayer, FlaskWtf};
    ///
    /// let tokens = FlaskWtf::default().from_prefixed_env()?;
    /// let layer = CsrfLayer::new(["https://shop.example"])?.flask_wtf_with(tokens);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn flask_wtf_with(self, tokens: FlaskWtf) -> Self {
        self.map(|settings| {
            settings.field = tokens.field.clone();
            settings.headers.clone_from(&tokens.headers);
            settings.flask_wtf = Some(tokens);
        })
    }

    /// Sets the page for refused requests. Without it, they get the session layer's
    /// [`on_error`](crate::SessionLayer::on_error) page, or else a plain text with the reason.
    ///
    /// ```
    /// use carafe::csrf::CsrfLayer;
    /// use http::StatusCode;
    ///
    /// let layer = CsrfLayer::new(["https://shop.example"])?
    ///     .on_error(|error| (StatusCode::FORBIDDEN, format!("Please go back and reload: {error}")));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn on_error<F, P>(self, page: F) -> Self
    where
        F: Fn(&Error) -> P + Send + Sync + 'static,
        P: Into<ErrorPage>,
    {
        let make_page = move |error: &Error| page(error).into();
        self.map(|settings| settings.error_page = Some(Arc::new(make_page)))
    }

    #[cfg(feature = "actix")]
    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    fn map(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Arc::unwrap_or_clone(self.settings);
        change(&mut settings);
        Self { settings: Arc::new(settings) }
    }
}

impl Settings {
    fn new(origins: Origins) -> Self {
        Self {
            origins,
            exempt: None,
            form_limit: FORM_LIMIT,
            flask_wtf: None,
            field: Field::default(),
            headers: TOKEN_HEADERS.to_vec(),
            error_page: None,
        }
    }

    /// Returns the form field that holds the token.
    pub(super) fn field(&self) -> &Field {
        &self.field
    }

    /// Returns the headers that may carry a token.
    pub(super) fn token_headers(&self) -> &[HeaderName] {
        &self.headers
    }

    /// Returns default settings without origins, for tokens that are used without a layer.
    pub(super) fn without_origins() -> Arc<Self> {
        Arc::new(Self::new(Origins::default()))
    }
}

impl<S> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService::new(inner, Arc::clone(&self.settings))
    }
}

impl Settings {
    /// Returns whether the application exempts a request from the check.
    pub(crate) fn exempts(&self, request: &Parts) -> bool {
        self.exempt.as_ref().is_some_and(|exempt| exempt(request))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("origins", &self.origins)
            .field("form_limit", &self.form_limit)
            .field("flask_wtf", &self.flask_wtf)
            .finish_non_exhaustive()
    }
}
