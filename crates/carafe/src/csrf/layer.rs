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

/// How much of a form is searched for the token, unless set otherwise: 64 KiB.
const FORM_LIMIT: usize = 64 * 1024;

/// Refuses requests that another site makes a visitor's browser send: see [the module](super).
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
    /// A layer for a service whose pages are at these origins, written as browsers send them: scheme,
    /// host and, if it isn't the scheme's own, port. Each is one from which requests are accepted, so
    /// they are the service's own and no others.
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
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if one isn't written so.
    pub fn new(origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let mut accepted = Origins::default();
        for origin in origins {
            accepted.add(origin.as_ref())?;
        }
        Ok(Self::with_origins(accepted))
    }

    /// A layer that takes the request's own host for its origin: the `Host` header, or the authority
    /// of HTTP/2, must equal the host and port in `Origin`.
    ///
    /// This is for development, and for services whose host isn't known beforehand. It is as good as
    /// what `Host` says: a proxy must hand on the one that the browser sent. It can't tell HTTP from
    /// HTTPS.
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

    /// Lets requests through unchecked: those that other services send, and that carry a signature
    /// of their own. A later call replaces an earlier one's rule.
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

    /// How many bytes of a form are searched for the token; 64 KiB by default. That much of a
    /// request is kept in memory.
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

    /// Makes and checks the tokens of Flask-WTF's `CSRFProtect` and not those of this crate, so that
    /// a form that a Flask service shows can be sent to this one and the other way round.
    ///
    /// The session's key is `csrf_token` then, also for visitors without a session, who get one by
    /// it; a token is accepted for an hour (`WTF_CSRF_TIME_LIMIT`), and the `SECRET_KEY` signs it.
    /// Where requests may come from is checked as ever, which is stricter than Flask-WTF.
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

    /// As [`flask_wtf`](Self::flask_wtf), with the settings of the Flask site.
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

    /// Makes the page of a request that is refused. Without it that is the session layer's
    /// [`on_error`](crate::SessionLayer::on_error), or else a plain text that gives the reason.
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

    /// The field of a form that has the token.
    pub(super) fn field(&self) -> &Field {
        &self.field
    }

    /// The headers that a token may be in.
    pub(super) fn token_headers(&self) -> &[HeaderName] {
        &self.headers
    }

    /// Those of tokens alone.
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
    /// Whether the application lets a request through unchecked.
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
