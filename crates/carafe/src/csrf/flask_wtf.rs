//! The settings of Flask-WTF's tokens.

use std::ffi::OsStr;
use std::fmt;
use std::time::Duration;

use http::HeaderName;

use super::field::Field;
use crate::config::env::Variable;
use crate::value::Value;
use crate::{Error, SecretKey};

/// The settings of Flask-WTF's tokens: see
/// [`CsrfLayer::flask_wtf_with`](super::CsrfLayer::flask_wtf_with).
///
/// The defaults are Flask-WTF's own.
///
/// ```
/// use std::time::Duration;
/// use carafe::csrf::{CsrfLayer, FlaskWtf};
///
/// let tokens = FlaskWtf::default()
///     .field_name("_token")?
///     .time_limit(Duration::from_secs(8 * 3600));
/// let layer = CsrfLayer::new(["https://shop.example"])?.flask_wtf_with(tokens);
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone)]
pub struct FlaskWtf {
    pub(super) field: Field,
    pub(super) headers: Vec<HeaderName>,
    pub(super) time_limit: Option<Duration>,
    pub(super) key: Option<SecretKey>,
}

impl Default for FlaskWtf {
    fn default() -> Self {
        Self {
            field: Field::prefixed(super::FIELD),
            headers: super::check::TOKEN_HEADERS.to_vec(),
            time_limit: Some(Duration::from_secs(3600)),
            key: None,
        }
    }
}

impl FlaskWtf {
    /// Sets the name of the form's field and of the session's key: `WTF_CSRF_FIELD_NAME`, by
    /// default `csrf_token`. A field whose name ends with it, as in forms with a prefix, counts
    /// too.
    ///
    /// ```
    /// use carafe::csrf::FlaskWtf;
    ///
    /// let tokens = FlaskWtf::default().field_name("_token")?;
    /// assert!(FlaskWtf::default().field_name("a token").is_err());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if the name contains other characters than
    /// ASCII letters, digits, `-`, `_` and `.`, since forms escape them.
    pub fn field_name(self, name: &str) -> Result<Self, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(allowed) {
            let allowed = "made of letters, digits, -, _ and .";
            return Err(Error::setting("WTF_CSRF_FIELD_NAME", name, allowed));
        }
        Ok(Self { field: Field::prefixed(name), ..self })
    }

    /// Sets the headers that may carry a token: `WTF_CSRF_HEADERS`, by default `X-CSRFToken` and
    /// `X-CSRF-Token`.
    ///
    /// ```
    /// use carafe::csrf::FlaskWtf;
    /// use http::HeaderName;
    ///
    /// let tokens = FlaskWtf::default().headers([HeaderName::from_static("x-xsrf-token")]);
    /// ```
    #[must_use]
    pub fn headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self { headers: names.into_iter().collect(), ..self }
    }

    /// Sets how long a token is accepted: `WTF_CSRF_TIME_LIMIT`, by default an hour. With `None`, a
    /// token is accepted as long as its session.
    ///
    /// ```
    /// use carafe::csrf::FlaskWtf;
    ///
    /// // A token is accepted for as long as its session.
    /// let tokens = FlaskWtf::default().time_limit(None);
    /// ```
    #[must_use]
    pub fn time_limit(self, limit: impl Into<Option<Duration>>) -> Self {
        Self { time_limit: limit.into(), ..self }
    }

    /// Sets the key that signs tokens: `WTF_CSRF_SECRET_KEY`. Without this setting, the session
    /// layer's keys sign them.
    ///
    /// ```
    /// use carafe::SecretKey;
    /// use carafe::csrf::FlaskWtf;
    ///
    /// let tokens = FlaskWtf::default().secret_key(SecretKey::new("another key, long and random")?);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn secret_key(self, key: SecretKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Reads the settings from the environment, where Flask reads them: `FLASK_WTF_CSRF_FIELD_NAME`,
    /// `FLASK_WTF_CSRF_HEADERS`, `FLASK_WTF_CSRF_TIME_LIMIT` and `FLASK_WTF_CSRF_SECRET_KEY`.
    ///
    /// ```
    /// use carafe::csrf::FlaskWtf;
    ///
    /// let tokens = FlaskWtf::default().from_prefixed_env()?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if a value isn't allowed.
    pub fn from_prefixed_env(self) -> Result<Self, Error> {
        std::env::vars_os().try_fold(self, |wtf, (name, text)| wtf.with_variable(&name, &text))
    }

    fn with_variable(self, name: &OsStr, text: &OsStr) -> Result<Self, Error> {
        let parts =
            name.to_str().and_then(|name| Some((name, name.strip_prefix("FLASK_WTF_CSRF_")?)));
        let Some((name, setting)) = parts else { return Ok(self) };
        let variable = Variable::new(name, setting, text);
        Ok(match setting {
            "FIELD_NAME" => self.field_name(&variable.text()?)?,
            "HEADERS" => {
                let headers = header_names(variable.value());
                self.headers(headers.ok_or_else(|| variable.not_allowed("a JSON list of names"))?)
            }
            "TIME_LIMIT" => match variable.value() {
                Value::Null => self.time_limit(None),
                _ => self.time_limit(variable.seconds()?),
            },
            "SECRET_KEY" => match variable.value() {
                Value::Null => Self { key: None, ..self },
                _ => self.secret_key(SecretKey::new(variable.text()?)?),
            },
            _ => self,
        })
    }
}

fn header_names(list: &Value) -> Option<Vec<HeaderName>> {
    let names = list.as_slice()?.iter();
    names.map(|name| HeaderName::from_bytes(name.as_str()?.as_bytes()).ok()).collect()
}

impl fmt::Debug for FlaskWtf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlaskWtf")
            .field("field", &self.field)
            .field("headers", &self.headers)
            .field("time_limit", &self.time_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn with(name: &str, text: &str) -> Result<FlaskWtf, Error> {
        FlaskWtf::default().with_variable(OsStr::new(name), OsStr::new(text))
    }

    #[test]
    fn every_setting_has_its_variable() {
        let field = with("FLASK_WTF_CSRF_FIELD_NAME", "_token").unwrap().field;
        assert_eq!(field.name(), "_token");
        let headers = with("FLASK_WTF_CSRF_HEADERS", r#"["X-Token"]"#).unwrap().headers;
        assert_eq!(headers, ["x-token"]);
        let limit = |text| with("FLASK_WTF_CSRF_TIME_LIMIT", text).unwrap().time_limit;
        assert_eq!((limit("60"), limit("null")), (Some(Duration::from_secs(60)), None));
        let key = with("FLASK_WTF_CSRF_SECRET_KEY", "a key").unwrap().key;
        assert_eq!(key.unwrap().expose(), b"a key");
        for (name, text) in [
            ("FLASK_WTF_CSRF_FIELD_NAME", "a b"),
            ("FLASK_WTF_CSRF_FIELD_NAME", ""),
            ("FLASK_WTF_CSRF_HEADERS", "X-Token"),
            ("FLASK_WTF_CSRF_HEADERS", r#"["a b"]"#),
            ("FLASK_WTF_CSRF_TIME_LIMIT", "an hour"),
        ] {
            assert_eq!(with(name, text).unwrap_err().kind(), ErrorKind::Setting, "{name}={text}");
        }
    }
}
