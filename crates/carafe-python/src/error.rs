//! The conversion of Carafe's errors into Python's.

use std::error::Error as _;
use std::fmt;

use carafe::{Error, ErrorKind};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(
    carafe_sessions._core,
    CoreError,
    PyException,
    "An error of the native part: its arguments are the kind's name and a message."
);

/// The exception of a Python function that the session has called.
#[derive(Debug)]
pub(crate) struct Raised(PyErr);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An exception's text may hold a session's values.
        f.write_str("a Python function raised an exception")
    }
}

impl std::error::Error for Raised {}

impl Raised {
    /// Carries an exception through code that knows no Python.
    pub(crate) fn into_error(exception: PyErr) -> Error {
        Error::from_application(Self(exception))
    }
}

/// Returns the exception for an error. The exception of a Python function is raised again as it
/// was.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    if let Some(Raised(exception)) = error.source().and_then(|source| source.downcast_ref()) {
        return exception.clone_ref(py);
    }
    CoreError::new_err((name(error.kind()), error.to_string()))
}

/// The name of a kind for Python's side.
fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Ended => "ended",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Store => "store",
        ErrorKind::NoStore => "no_store",
        ErrorKind::Type => "type",
        ErrorKind::Value => "value",
        ErrorKind::ReservedKey => "reserved_key",
        ErrorKind::Closed => "closed",
        ErrorKind::Setting => "setting",
        ErrorKind::MissingSecretKey => "missing_secret_key",
        ErrorKind::WeakKey => "weak_key",
        ErrorKind::SessionTooLarge => "session_too_large",
        ErrorKind::CookieTooLarge => "cookie_too_large",
        _ => "other",
    }
}
