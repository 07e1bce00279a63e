//! Secret keys from the environment, as Flask's `from_prefixed_env` reads them.

use std::ffi::OsStr;

use super::SecretKey;
use crate::{Error, ErrorKind, Value};

/// The value of a variable: JSON where it parses, its text elsewhere; `None` where it is no text.
fn parse(text: &OsStr) -> Option<Value> {
    let json = Value::from_tagged_json(text.as_encoded_bytes()).ok();
    json.or_else(|| text.to_str().map(Value::from))
}

/// The secret key in a variable with Flask's prefix.
pub(super) fn secret_key(name: &str, text: &OsStr) -> Result<SecretKey, Error> {
    match parse(text) {
        // Bytes that are no UTF-8 are a key as they are: Flask fails with them.
        None => SecretKey::new(text.as_encoded_bytes()),
        Some(Value::Text(key)) => key_of_text(name, key.as_str()),
        Some(Value::Null) => missing(name),
        // Flask would make a number of a key of digits, and fail when it signs.
        _ => SecretKey::ambiguous(name, text.as_encoded_bytes()),
    }
}

/// The keys of `FLASK_SECRET_KEY_FALLBACKS`.
pub(super) fn secret_key_fallbacks(text: &OsStr) -> Result<Vec<SecretKey>, Error> {
    const NAME: &str = "FLASK_SECRET_KEY_FALLBACKS";
    let no_list = || {
        Error::new(
            ErrorKind::Setting,
            format!("{NAME} must be a JSON list of texts, such as [\"the old key\"], or null"),
        )
    };
    match parse(text) {
        Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(keys)) => keys
            .iter()
            .map(|key| match key {
                Value::Text(key) => key_of_text(NAME, key.as_str()),
                _ => Err(no_list()),
            })
            .collect(),
        _ => Err(no_list()),
    }
}

fn key_of_text(name: &str, key: Option<&str>) -> Result<SecretKey, Error> {
    match key {
        Some("") => missing(name),
        Some(key) => SecretKey::new(key),
        None => Err(Error::new(
            ErrorKind::Setting,
            format!("a key in {name} has a lone surrogate, which has no UTF-8: use another key"),
        )),
    }
}

fn missing<T>(name: &str) -> Result<T, Error> {
    Err(Error::new(
        ErrorKind::MissingSecretKey,
        format!(
            "there is no secret key: set the environment variable {name} to something long and \
             random, such as the output of `openssl rand -hex 32`"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_key_that_is_no_text_is_its_bytes() {
        use std::os::unix::ffi::OsStrExt as _;

        for bytes in [b"\xff\xfe key".as_slice(), b"\xfe\xff key"] {
            let key = secret_key("FLASK_SECRET_KEY", OsStr::from_bytes(bytes)).unwrap();
            assert_eq!(key.expose(), bytes, "two such keys must not become one");
        }
    }

    #[test]
    fn keys_are_texts() {
        let key = |text: &str| secret_key("FLASK_SECRET_KEY", OsStr::new(text));
        assert_eq!(key("dev").unwrap().expose(), b"dev");
        assert_eq!(key("\"dev\"").unwrap().expose(), b"dev");
        assert_eq!(key("0123").unwrap().expose(), b"0123");
        assert_eq!(key("123").unwrap().expose(), b"123");
        assert_eq!(key("").unwrap_err().kind(), ErrorKind::MissingSecretKey);
        assert_eq!(key("\"\"").unwrap_err().kind(), ErrorKind::MissingSecretKey);
        let fallbacks = |text: &str| secret_key_fallbacks(OsStr::new(text));
        assert_eq!(fallbacks("[\"a\", \"b\"]").unwrap().len(), 2);
        assert_eq!(fallbacks("null").unwrap().len(), 0);
        for bad in ["old", "\"old\"", "[1]", "{}"] {
            assert_eq!(fallbacks(bad).unwrap_err().kind(), ErrorKind::Setting);
        }
    }
}
