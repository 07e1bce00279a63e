//! The value of a request's cookie.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::PyString;

/// The value of a cookie in a request's `Cookie` header; `None` where Werkzeug has to look for it.
pub(crate) fn of_request(header: &Bound<'_, PyAny>, name: &Bound<'_, PyAny>) -> Option<String> {
    value(&text(header)?, &text(name)?).map(str::to_owned)
}

fn text<'a>(value: &'a Bound<'_, PyAny>) -> Option<Cow<'a, str>> {
    value.cast::<PyString>().ok()?.to_cow().ok()
}

/// Takes values of letters, digits, `_`, `-` and `.` alone, which are not quoted.
fn value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    for pair in header.split(';') {
        let pair = pair.strip_prefix(' ').unwrap_or(pair);
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key == name {
            return Some(value).filter(|value| !value.is_empty() && value.bytes().all(is_plain));
        }
        // With white space around it, it may be the same name to Werkzeug.
        if key.contains(name) {
            return None;
        }
    }
    None
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}
