//! What the benchmarks measure, and the public interface has only as a part of a request. It can
//! change with every version.

use http::HeaderMap;
use http::header::COOKIE;

use serde::de::DeserializeOwned;

use crate::codec::Decoded;
use crate::session::convert;
use crate::{Error, SessionLayer};

/// Finds the session's cookie in a request's headers, verifies and decodes it, and reads a key:
/// what `Session::get` does in a handler, without the framework's part.
///
/// # Errors
/// Those of the cookie, and that of a value of another type.
pub fn read<T: DeserializeOwned>(
    layer: &SessionLayer,
    headers: &HeaderMap,
    key: &str,
) -> Result<Option<T>, Error> {
    let found = layer.engine().cookie.find(headers.get_all(COOKIE).iter());
    match found.filter(|found| !found.value.is_empty()) {
        Some(found) => read_decoded(layer, layer.engine().decode_value(&found.value)?, key),
        None => Ok(None),
    }
}

/// The same of a cookie that is found: verifies and decodes its value, and reads a key.
///
/// # Errors
/// Those of the cookie, and that of a value of another type.
pub fn read_value<T: DeserializeOwned>(
    layer: &SessionLayer,
    value: &str,
    key: &str,
) -> Result<Option<T>, Error> {
    read_decoded(layer, layer.engine().decode_value(value.as_bytes())?, key)
}

#[inline]
fn read_decoded<T: DeserializeOwned>(
    layer: &SessionLayer,
    decoded: Decoded,
    key: &str,
) -> Result<Option<T>, Error> {
    let Some(view) = layer.engine().view(decoded.payload) else {
        return Ok(None);
    };
    let value = view.get(key.as_bytes()).map(std::borrow::Cow::into_owned);
    value.map(|value| convert(&key, value)).transpose()
}
