//! What is told of a user's sessions.

use carafe::SessionInfo;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The fields of a session's description, by their names.
pub(crate) fn describe<'py>(py: Python<'py>, info: &SessionInfo) -> PyResult<Bound<'py, PyDict>> {
    let fields = PyDict::new(py);
    fields.set_item("public_id", info.public_id.to_string())?;
    fields.set_item("created", info.created)?;
    fields.set_item("logged_in", info.logged_in)?;
    fields.set_item("last_seen", info.last_seen)?;
    fields.set_item("address", info.address.as_deref())?;
    fields.set_item("agent", info.agent.as_deref())?;
    fields.set_item("current", info.current)?;
    Ok(fields)
}
