//! Flask's tagged JSON from and to Python's own objects, for what most sessions hold.
//!
//! Unusual values are left to Flask's serializer: the functions return `None`, and the caller asks
//! it. So every value is written and read as Flask does it.

mod read;
mod snapshot;
mod types;
mod write;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

pub(crate) use snapshot::Snapshot;

/// The deepest nesting of containers; deeper ones are left to Flask.
const DEPTH: usize = 64;

/// The reason why a value is left to Flask's serializer.
enum Left {
    /// The value is unusual.
    Unusual,
}

impl From<PyErr> for Left {
    /// Flask's serializer meets the same error, and raises it.
    fn from(_: PyErr) -> Self {
        Self::Unusual
    }
}

impl<'a, 'py> From<pyo3::CastError<'a, 'py>> for Left {
    fn from(_: pyo3::CastError<'a, 'py>) -> Self {
        Self::Unusual
    }
}

/// The tagged JSON of a value as Flask writes it with its defaults.
#[pyfunction]
pub(crate) fn tagged_dumps<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    let mut out = Vec::with_capacity(512);
    write::value(&mut out, value, 0).ok()?;
    Some(PyBytes::new(value.py(), &out))
}

/// The value of tagged JSON as Flask reads it with its defaults.
#[pyfunction]
pub(crate) fn tagged_loads<'py>(py: Python<'py>, json: &[u8]) -> Option<Bound<'py, PyAny>> {
    read::document(py, json).ok()
}

/// Reads a session's tagged JSON into an empty dict, which may be of a derived class; `None` where Flask's
/// serializer has to read it.
pub(crate) fn fill_session(session: &Bound<'_, PyDict>, json: Vec<u8>) -> Option<Snapshot> {
    read::session(session, &json).ok()?;
    Some(Snapshot::of(session, json))
}

/// The tagged JSON of a session's dict, which may be of a class derived from `dict`.
pub(crate) fn session_json(session: &Bound<'_, PyDict>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(512);
    write::dict(&mut out, session, 0).ok()?;
    Some(out)
}
