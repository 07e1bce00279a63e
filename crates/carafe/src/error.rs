//! The error type of this crate.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The category of an [`Error`], for programs to act on.
///
/// The text of an [`Error`] is for people and may change between versions; its kind is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no secret key, or it is empty.
    MissingSecretKey,
    /// A secret key is publicly known, can be guessed, or is too short for its use.
    WeakKey,
    /// The operating system gave no random bytes.
    Entropy,
    /// A setting has a value that is not allowed, or two settings contradict each other.
    Setting,
    /// The session was extracted on a route that no [`SessionLayer`](crate::SessionLayer) covers.
    NoLayer,
    /// The session was changed, or first opened, after the response had begun.
    Closed,
    /// A stored value has another type than the requested one.
    Type,
    /// A key, or a part of the path to a nested value, is missing.
    KeyMissing,
    /// A value can't be written to a session.
    Value,
    /// A key is reserved for this library.
    ReservedKey,
    /// The session ended while the request was under way, so that its changes can't be saved.
    Ended,
    /// Another request changed a key that this request had read and then written, and the layer is
    /// strict.
    Conflict,
    /// The session is larger than the layer allows.
    SessionTooLarge,
    /// The store failed, or was too slow.
    Store,
    /// The operation needs a store, and the layer has none.
    NoStore,
    /// The request may come from another site: see [`csrf`](crate::csrf).
    Csrf,
    /// No user is logged in, and the handler is for users only.
    LoginRequired,
    /// The user's last authentication is too long ago for what the handler does.
    NotFresh,
    /// The user has as many sessions as allowed: see
    /// [`Config::sessions_per_user`](crate::Config::sessions_per_user).
    TooManySessions,
    /// The session's cookie is larger than browsers keep.
    CookieTooLarge,
    /// The text does not have the form of a signed or sealed session.
    NotSigned,
    /// None of the keys made the signature, or none of the keys opens the sealed session.
    BadSignature,
    /// The signature is valid, but older than allowed.
    Expired,
    /// The signature is valid, but its time is in the future.
    FromTheFuture,
    /// The signature is valid, but the signed payload can't be read.
    BadPayload,
    /// A function that the application gave to the session failed: see [`Error::from_application`].
    Application,
}

/// The error of every fallible operation of this crate.
///
/// Its text says what happened and what to do about it, and never contains a key, an identifier, a
/// cookie or a session's value. In axum and actix-web it is a response, so that `?` works in
/// handlers.
///
/// ```
/// use carafe::value::Value;
/// use carafe::ErrorKind;
///
/// let error = Value::from_tagged_json(b"{").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::BadPayload);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

/// The content of an error, in a box so that a `Result` stays small.
#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    /// The page that the visitor is redirected to, instead of an error page.
    redirect: Option<Box<str>>,
}

impl Error {
    /// Creates an error, for crates that integrate this one into another framework. `message` says
    /// what happened and what to do about it, and must not contain a key, an identifier, a cookie
    /// or a session's value.
    ///
    /// ```
    /// use carafe::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Setting, "the page's home is empty: it must be a path");
    /// assert_eq!(error.kind(), ErrorKind::Setting);
    /// ```
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None, redirect: None }))
    }

    /// Wraps an error of the application, for instance for
    /// [`Session::try_update`](crate::Session::try_update). The caller finds the wrapped error as
    /// the [`source`](std::error::Error::source).
    ///
    /// ```
    /// use std::error::Error as _;
    ///
    /// use carafe::Error;
    ///
    /// let error = Error::from_application(std::io::Error::other("not enough money"));
    /// assert_eq!(error.source().unwrap().to_string(), "not enough money");
    /// ```
    #[cold]
    pub fn from_application(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        let message =
            "a function that the application gave to the session failed: see the error's source";
        Self::new(ErrorKind::Application, message).with_source(source)
    }

    /// Makes the error's response a redirect.
    pub(crate) fn with_redirect(mut self, url: String) -> Self {
        self.0.redirect = Some(url.into());
        self
    }

    pub(crate) fn redirect(&self) -> Option<&str> {
        self.0.redirect.as_deref()
    }

    /// Creates the error of a setting with a value that isn't allowed.
    pub(crate) fn setting(name: &str, value: &str, allowed: &str) -> Self {
        Self::new(
            ErrorKind::Setting,
            format!("{name} is {value:?}, which is not allowed: it must be {allowed}"),
        )
    }

    /// Sets the error's cause, its [`source`](std::error::Error::source).
    ///
    /// ```
    /// use std::error::Error as _;
    ///
    /// use carafe::{Error, ErrorKind};
    ///
    /// let cause = std::io::Error::other("permission denied");
    /// let error = Error::new(ErrorKind::Setting, "the key file can't be read").with_source(cause);
    /// assert!(error.source().is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Returns the category of this error.
    ///
    /// ```
    /// use carafe::{Error, ErrorKind};
    ///
    /// fn is_worth_a_retry(error: &Error) -> bool {
    ///     matches!(error.kind(), ErrorKind::Store | ErrorKind::Conflict)
    /// }
    /// # assert!(!is_worth_a_retry(&Error::new(ErrorKind::Setting, "")));
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl From<carafe_format::Error> for Error {
    /// Converts an error of a format, to the kind of the same name.
    fn from(error: carafe_format::Error) -> Self {
        let (kind, message, source) = error.into_parts();
        Self(Box::new(Inner { kind: kind.into(), message, source, redirect: None }))
    }
}

impl From<carafe_format::ErrorKind> for ErrorKind {
    fn from(kind: carafe_format::ErrorKind) -> Self {
        use carafe_format::ErrorKind as Format;
        match kind {
            Format::MissingSecretKey => Self::MissingSecretKey,
            Format::WeakKey => Self::WeakKey,
            Format::Entropy => Self::Entropy,
            Format::Setting => Self::Setting,
            Format::Type => Self::Type,
            Format::Value => Self::Value,
            Format::CookieTooLarge => Self::CookieTooLarge,
            Format::NotSigned => Self::NotSigned,
            Format::BadSignature => Self::BadSignature,
            Format::Expired => Self::Expired,
            Format::FromTheFuture => Self::FromTheFuture,
            Format::BadPayload => Self::BadPayload,
        }
    }
}

impl PartialEq<ErrorKind> for carafe_format::ErrorKind {
    /// Compares kinds of both crates, so that a caller need not know which type an error is of.
    fn eq(&self, other: &ErrorKind) -> bool {
        ErrorKind::from(*self) == *other
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, .. } = &*self.0;
        f.debug_struct("Error").field("kind", kind).field("message", message).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
