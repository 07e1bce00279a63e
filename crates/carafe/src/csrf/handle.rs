use std::fmt;
use std::sync::Arc;

use http::header::ORIGIN;
use http::{Extensions, HeaderMap};

use super::protection::Protection;
use crate::engine::Slot;
#[cfg(feature = "actix")]
use crate::session::{Extracting, extract};
use crate::{Error, ErrorKind, event};

/// The visitor's CSRF token, for the page that a handler makes: see [the module](super).
///
/// Handlers get it from an extractor. It opens the session.
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
    /// The token of a request that passed a [`CsrfLayer`](super::CsrfLayer), by its extensions: what
    /// an extractor does, for services that are built on tower alone.
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
    /// [`ErrorKind::NoLayer`](crate::ErrorKind::NoLayer) if it passed none, and those of
    /// [`LazySession::open`](crate::LazySession::open).
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        let protection = Protection::current(extensions.get())?;
        protection.open().await?;
        Ok(Self { protection })
    }

    /// The token of a request for an extractor.
    #[cfg(feature = "actix")]
    pub(crate) fn extract(protection: Result<Arc<Protection>, Error>) -> Extracting<Self> {
        let slot = protection.as_ref().map(|protection| Arc::clone(protection.slot()));
        let slot = slot.map_err(Error::clone);
        extract(slot, move |_| protection.map(|protection| Self { protection }))
    }

    /// The token of a request, whether it passed a [`CsrfLayer`](super::CsrfLayer) or not: for a page
    /// that [checks](Self::verify) its own forms. Without a layer, the visitor must have a session.
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
    /// [`ErrorKind::NoLayer`] if no [`SessionLayer`](crate::SessionLayer) is around the service, and
    /// those of [`LazySession::open`](crate::LazySession::open).
    pub async fn of_request(extensions: &Extensions) -> Result<Self, Error> {
        let protection = match extensions.get::<Arc<Protection>>() {
            Some(protection) => Arc::clone(protection),
            None => Protection::without_layer(Slot::current(extensions)?),
        };
        protection.open().await?;
        Ok(Self { protection })
    }

    /// Checks that a token that came with a form is the visitor's. A [`CsrfLayer`](super::CsrfLayer)
    /// has done so for the requests that it lets through.
    ///
    /// `headers` are the request's: the log has the origin of a form that is refused.
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
    /// [`ErrorKind::Csrf`] if it is not, and those of
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

    /// The token: letters, digits and `-`, `_` or `.`, so that it needs no escaping in HTML and in
    /// URLs. It is the same for all of a page, and another one for the next page.
    ///
    /// Ask for it when the session is in the state that it will be left in: after a login, not
    /// before.
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

    /// The name of the form's field: [`FIELD`](super::FIELD), unless
    /// [`FlaskWtf::field_name`](super::FlaskWtf::field_name) gives another one.
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

    /// The field for a form, in HTML: `<input type="hidden" name="csrf_token" value="…">`.
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
    /// As [`token`](Self::token).
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
