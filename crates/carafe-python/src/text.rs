//! Python's strings, which may hold lone surrogates, from and to texts.

use carafe::value::Text;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// The text of a Python string.
pub(crate) fn from_python(string: &Bound<'_, PyString>) -> PyResult<Text> {
    if let Ok(text) = string.to_cow() {
        return Ok(Text::from(text.as_ref()));
    }
    let py = string.py();
    let encoded = string.call_method1(intern!(py, "encode"), ("utf-8", "surrogatepass"))?;
    Ok(Text::from_wtf8(encoded.cast::<PyBytes>()?.as_bytes()))
}

/// The Python string of a text.
pub(crate) fn to_python<'py>(py: Python<'py>, text: &Text) -> PyResult<Bound<'py, PyString>> {
    if let Some(text) = text.as_str() {
        return Ok(PyString::new(py, text));
    }
    let bytes = PyBytes::new(py, text.as_wtf8());
    let decoded = bytes.call_method1(intern!(py, "decode"), ("utf-8", "surrogatepass"))?;
    Ok(decoded.cast_into::<PyString>()?)
}
