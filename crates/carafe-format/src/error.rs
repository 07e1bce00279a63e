//! The error of every fallible operation of this crate.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The category of an error, which a program can act on.
///
/// The enum is exhaustive, so that the compiler tells a crate that turns these errors into its own
/// about a new category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// There is no secret key, or it is empty.
    MissingSecretKey,
    /// A secret key is published, can be guessed, or is too short for what it is used for.
    WeakKey,
    /// The operating system gave no random bytes.
    Entropy,
    /// A setting has a value that is not allowed, or two settings contradict each other.
    Setting,
    /// A value has another type than the one asked for.
    Type,
    /// A value can't be written to a session.
    Value,
    /// The session's cookie is larger than browsers keep.
    CookieTooLarge,
    /// The text has not the form of a signed session, or of a sealed one.
    NotSigned,
    /// The signature is not one that any of the keys makes, or none of the keys opens the sealed
    /// session.
    BadSignature,
    /// The signature is good, but older than allowed.
    Expired,
    /// The signature is good, but its time is in the future.
    FromTheFuture,
    /// The signature is good, but the payload behind it can't be read.
    BadPayload,
}

/// An error of this crate: what happened, and what to do about it.
///
/// The error never contains a key, a cookie or a session's value. `carafe::Error` is made of it by
/// `?`.
///
/// ```
/// use carafe_format::{ErrorKind, Value};
///
/// let error = Value::from_tagged_json(b"{").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::BadPayload);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

/// In a box, so that what can fail returns hardly more than what it returns otherwise.
#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    source: Option<Source>,
}

/// The error behind an [`Error`], shared by its clones.
type Source = Arc<dyn std::error::Error + Send + Sync>;

impl Error {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// A setting whose value isn't allowed.
    pub(crate) fn setting(name: &str, value: &str, allowed: &str) -> Self {
        Self::new(
            ErrorKind::Setting,
            format!("{name} is {value:?}, which is not allowed: it must be {allowed}"),
        )
    }

    pub(crate) fn with_source(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn with_prefix(mut self, prefix: &str) -> Self {
        self.0.message = Cow::Owned(format!("{prefix}{}", self.0.message));
        self
    }

    /// Returns the category of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Splits the error into its category, its text and the error that caused it, for a crate that
    /// makes an error of its own of it.
    #[must_use]
    pub fn into_parts(
        self,
    ) -> (ErrorKind, Cow<'static, str>, Option<Arc<dyn std::error::Error + Send + Sync>>) {
        let Inner { kind, message, source } = *self.0;
        (kind, message, source)
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
