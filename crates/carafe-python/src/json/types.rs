//! The Python types and functions that the tags stand for.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

macro_rules! imported {
    ($($(#[$doc:meta])* $name:ident = $module:literal, $attribute:literal;)*) => {
        $($(#[$doc])*
        pub(super) fn $name<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
            static OBJECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            OBJECT.import(py, $module, $attribute)
        })*
    };
}

imported! {
    /// `markupsafe.Markup`
    markup = "markupsafe", "Markup";
    /// `uuid.UUID`
    uuid = "uuid", "UUID";
    /// `datetime.datetime`
    datetime = "datetime", "datetime";
    /// Writes a date as Flask does.
    http_date = "werkzeug.http", "http_date";
    /// Reads a date as Flask does.
    parse_date = "werkzeug.http", "parse_date";
    /// Writes bytes as Flask does.
    b64encode = "base64", "b64encode";
    /// Reads bytes as Flask does.
    b64decode = "base64", "b64decode";
    /// Writes a float as Python's JSON does.
    float_repr = "builtins", "repr";
}
