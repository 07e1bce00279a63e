//! Python functions that make a new value of an old one.

use carafe::Error;
use carafe::value::Value;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::Raised;

/// A change that a Python function makes. The function takes and returns tagged JSON as bytes, `None` for a
/// missing value.
///
/// It may run again when the session is saved, and then in another thread than the one that gave it.
pub(crate) fn change(
    function: Py<PyAny>,
) -> impl Fn(Option<Value>) -> Result<Value, Error> + Send + Sync + 'static {
    move |old| {
        let old = old.map(|value| value.to_tagged_json()).transpose()?;
        let new = Python::attach(|py| call(py, &function, old.as_deref()));
        Ok(Value::from_tagged_json(&new.map_err(Raised::into_error)?)?)
    }
}

fn call(py: Python<'_>, function: &Py<PyAny>, old: Option<&str>) -> PyResult<Vec<u8>> {
    let old = old.map(|json| PyBytes::new(py, json.as_bytes()));
    let new = function.bind(py).call1((old,))?;
    Ok(new.cast::<PyBytes>()?.as_bytes().to_vec())
}
