use std::fmt;
use std::sync::Arc;

use http::header::ORIGIN;
use http::{Extensions, HeaderMap};

use super::protection::Protection;
use crate::engine::Slot;
#[cfg(feature = "actix")]
use crate::session::{Extracting, extract};
use crate::{Error, ErrorKind, event};

/// The visitor's CSRF token, to be put into the handler's page: see [the module](super).
///
/// Handlers get it from an extractor, which opens the session.
///
/// ```
/// use carafe::csrf::Csrf;
/// use carafe::Error;
///
/// async fn form(csrf: Csrf) -> Result<String, Error> {
///     Ok(format!(r#"<form method="post">{}<button>Send</button></form>"#, csrf.field()?))
/// }
/// ```
///
/// Clones are handles of the same token; in a template it can be a function:
/// `env.add_function("csrf_token", …)` with [`token`](Self::token).
#[derive(Clone)]
pub struct Csrf {
    protection: Arc<Protection>,
}

impl Csrf {
    /// Returns the token of a request that passed a [`CsrfLayer`](super::CsrfLayer), from the
    /// request's extensions. Use it in services that are built on tower alone; it does the work of
    /// an extractor.
    ///
    /// ```
    /// use carafe::Error;
    /// use carafe::csrf::Csrf;
    /// use http::Request;
    ///
    /// async fn form<B>(request: Request<B>) -> Result<String, Error> {
    ///     let csrf = Csrf::from_extensions(request.extensions()).await?;
    ///     Ok(format!(r#"<form method="post">{}<button>Send</button></form>"#, csrf.field()?))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoLayer`](crate::ErrorKind::NoLayer) if the request passed no such layer, and
    /// the errors of [`LazySession::open`](crate::LazySession::open).
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        let protection = Protection::current(extensions.get())?;
        protection.open().await?;
        Ok(Self { protection })
    }

    /// Opens the token of a request for an extractor.
    #[cfg(feature = "actix")]
    pub(crate) fn extract(protection: Result<Arc<Protection>, Error>) -> Extracting<Self> {
        let slot = protection.as_ref().map(|protection| Arc::clone(protection.slot()));
        let slot = slot.map_err(Error::clone);
        extract(slot, move |_| protection.map(|protection| Self { protection }))
    }

    /// Returns the token of any request, whether it passed a [`CsrfLayer`](super::CsrfLayer) or
    /// not. Use it for a page that [checks](Self::verify) its own forms. Without a layer, the
    /// visitor must have a session.
    ///
    /// ```
    /// use carafe::csrf::Csrf;
    /// use carafe::Error;
    /// use http::request::Parts;
    ///
    /// /// Whether the form with this token is one that the page made for this visitor.
    /// async fn check(request: &Parts, token: &[u8]) -> Result<(), Error> {
    ///     let csrf = Csrf::of_request(&request.extensions).await?;
    ///     csrf.verify(token, &request.headers).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoLayer`] if no [`SessionLayer`](crate::SessionLayer) is around the service,
    /// and the errors of [`LazySession::open`](crate::LazySession::open).
    pub async fn of_request(extensions: &Extensions) -> Result<Self, Error> {
        let protection = match extensions.get::<Arc<Protection>>() {
            Some(protection) => Arc::clone(protection),
            None => Protection::without_layer(Slot::current(extensions)?),
        };
        protection.open().await?;
        Ok(Self { protection })
    }

    /// Checks that a form's token is the visitor's. Requests that passed a
    /// [`CsrfLayer`](super::CsrfLayer) need no second check.
    ///
    /// `headers` are the request's headers: the log records the origin of a refused form.
    ///
    /// ```
    /// use carafe::Error;
    /// use carafe::csrf::Csrf;
    /// use http::HeaderMap;
    ///
    /// async fn import(csrf: Csrf, headers: HeaderMap, token: &str) -> Result<(), Error> {
    ///     csrf.verify(token.as_bytes(), &headers).await
    ///     // … and then import.
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Csrf`] if the token is not the visitor's, and the errors of
    /// [`LazySession::open`](crate::LazySession::open).
    pub async fn verify(&self, token: &[u8], headers: &HeaderMap) -> Result<(), Error> {
        let verified = self.protection.verify(token).await;
        if let Err(error) = &verified
            && error.kind() == ErrorKind::Csrf
        {
            event::csrf_refused(error, headers.get(ORIGIN));
        }
        verified
    }

    /// Returns the token: letters, digits and `-`, `_` or `.`, so that it needs no escaping in HTML
    /// and in URLs. It is the same within one page, and differs between pages.
    ///
    /// Call this after the handler's last change of the login: a login makes earlier tokens
    /// invalid.
    ///
    /// ```
    /// use carafe::Error;
    /// use carafe::csrf::Csrf;
    ///
    /// /// For scripts, which send it in the header `X-CSRFToken`.
    /// async fn page(csrf: Csrf) -> Result<String, Error> {
    ///     Ok(format!(r#"<meta name="csrf-token" content="{}">"#, csrf.token()?))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`](crate::ErrorKind::Entropy) if the operating system gives no random bytes
    /// for a visitor's first token, and [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response
    /// has begun.
    pub fn token(&self) -> Result<String, Error> {
        self.protection.token()
    }

    /// Returns the name of the form's field: [`FIELD`](super::FIELD), unless
    /// [`FlaskWtf::field_name`](super::FlaskWtf::field_name) sets another name.
    ///
    /// ```
    /// use carafe::Error;
    /// use carafe::csrf::Csrf;
    ///
    /// async fn form(csrf: Csrf) -> Result<String, Error> {
    ///     let (name, token) = (csrf.field_name(), csrf.token()?);
    ///     Ok(format!(r#"<input type="hidden" name="{name}" value="{token}">"#))
    /// }
    /// ```
    #[must_use]
    pub fn field_name(&self) -> &str {
        self.protection.settings().field().name()
    }

    /// Returns the form's field in HTML: `<input type="hidden" name="csrf_token" value="…">`.
    ///
    /// ```
    /// use carafe::Error;
    /// use carafe::csrf::Csrf;
    ///
    /// async fn form(csrf: Csrf) -> Result<String, Error> {
    ///     Ok(format!(r#"<form method="post">{}<button>Send</button></form>"#, csrf.field()?))
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`token`](Self::token).
    pub fn field(&self) -> Result<String, Error> {
        let token = self.token()?;
        let name = self.field_name();
        Ok(format!(r#"<input type="hidden" name="{name}" value="{token}">"#))
    }
}

impl fmt::Debug for Csrf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Csrf").finish_non_exhaustive()
    }
}
