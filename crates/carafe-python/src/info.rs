//! Descriptions and numbers as Python's own objects.

use carafe::SessionInfo;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// The fields of a session's description, by their names.
fn describe<'py>(py: Python<'py>, info: &SessionInfo) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("public_id", info.public_id.to_string())?;
    fields.set_item("created", info.created.0)?;
    fields.set_item("logged_in", info.logged_in.map(|time| time.0))?;
    fields.set_item("last_seen", info.last_seen.0)?;
    fields.set_item("address", info.address.as_deref())?;
    fields.set_item("agent", info.agent.as_deref())?;
    fields.set_item("current", info.current)?;
    Ok(fields)
}

/// The descriptions of sessions.
#[expect(clippy::needless_pass_by_value, reason = "it takes what a future gave")]
pub(crate) fn describe_all(py: Python<'_>, list: Vec<SessionInfo>) -> PyResult<Py<PyAny>> {
    let fields = list.iter().map(|info| describe(py, info)).collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, fields)?.into_any().unbind())
}

/// A number.
pub(crate) fn to_python(py: Python<'_>, number: u64) -> PyResult<Py<PyAny>> {
    Ok(number.into_pyobject(py)?.into_any().unbind())
}
