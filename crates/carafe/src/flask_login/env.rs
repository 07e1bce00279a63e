//! Settings from environment variables, read as Flask's `from_prefixed_env` reads them.

use std::ffi::OsStr;

use super::settings::{FlaskLogin, Protection};
use crate::Error;
use crate::config::env::Variable;
use crate::value::Value;

impl FlaskLogin {
    /// Reads the settings of the remember cookie and of the protection from the environment, where Flask
    /// reads them: `FLASK_REMEMBER_COOKIE_NAME` and the others, and `FLASK_SESSION_PROTECTION`.
    ///
    /// ```
    /// use carafe::flask_login::FlaskLogin;
    ///
    /// let logins = FlaskLogin::default().from_prefixed_env()?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if a value isn't allowed.
    pub fn from_prefixed_env(self) -> Result<Self, Error> {
        self.with_variables(std::env::vars_os())
    }

    fn with_variables(
        self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Result<Self, Error> {
        variables
            .into_iter()
            .try_fold(self, |login, (name, text)| apply(login, name.as_ref(), text.as_ref()))
    }
}

fn apply(login: FlaskLogin, name: &OsStr, text: &OsStr) -> Result<FlaskLogin, Error> {
    let Some((name, setting)) =
        name.to_str().and_then(|name| Some((name, name.strip_prefix("FLASK_")?)))
    else {
        return Ok(login);
    };
    let variable = Variable::new(name, setting, text);
    Ok(match setting {
        "REMEMBER_COOKIE_NAME" => login.remember_cookie_name(variable.text()?),
        "REMEMBER_COOKIE_DURATION" => login.remember_cookie_duration(variable.seconds()?),
        "REMEMBER_COOKIE_DOMAIN" => login.remember_cookie_domain(variable.optional_text()?),
        "REMEMBER_COOKIE_PATH" => login.remember_cookie_path(variable.text()?),
        "REMEMBER_COOKIE_SECURE" => login.remember_cookie_secure(variable.bool()?),
        "REMEMBER_COOKIE_HTTPONLY" => login.remember_cookie_http_only(variable.bool()?),
        "REMEMBER_COOKIE_SAMESITE" => login.remember_cookie_same_site(variable.same_site()?),
        "REMEMBER_COOKIE_REFRESH_EACH_REQUEST" => {
            login.remember_cookie_refresh_each_request(variable.bool()?)
        }
        "SESSION_PROTECTION" => login.protection(protection(&variable)?),
        _ => login,
    })
}

fn protection(variable: &Variable<'_>) -> Result<Protection, Error> {
    match variable.value() {
        Value::Null | Value::Bool(false) => return Ok(Protection::None),
        Value::Text(text) => match text.as_str() {
            Some("basic") => return Ok(Protection::Basic),
            Some("strong") => return Ok(Protection::Strong),
            _ => {}
        },
        _ => {}
    }
    Err(variable.not_allowed("basic, strong or null (none)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::cookie::SameSite;

    #[test]
    fn every_setting_has_its_variable() {
        let login = FlaskLogin::default()
            .with_variables([
                ("FLASK_REMEMBER_COOKIE_NAME", "keep"),
                ("FLASK_REMEMBER_COOKIE_DURATION", "60"),
                ("FLASK_REMEMBER_COOKIE_DOMAIN", "example.com"),
                ("FLASK_REMEMBER_COOKIE_PATH", "/app"),
                ("FLASK_REMEMBER_COOKIE_SECURE", "true"),
                ("FLASK_REMEMBER_COOKIE_HTTPONLY", "false"),
                ("FLASK_REMEMBER_COOKIE_SAMESITE", "Lax"),
                ("FLASK_REMEMBER_COOKIE_REFRESH_EACH_REQUEST", "true"),
                ("FLASK_SESSION_PROTECTION", "strong"),
                ("REMEMBER_COOKIE_NAME", "not this one"),
            ])
            .unwrap();
        let cookie = &login.remember;
        assert_eq!((cookie.name.as_str(), cookie.duration.as_secs()), ("keep", 60));
        assert_eq!((cookie.domain.as_deref(), cookie.path.as_str()), (Some("example.com"), "/app"));
        assert!(cookie.secure && !cookie.http_only && cookie.refresh_each_request);
        assert_eq!(cookie.same_site, Some(SameSite::Lax));
        assert_eq!(login.protection, Protection::Strong);
    }

    #[test]
    fn the_protection_may_be_off_and_not_anything() {
        let read =
            |value| FlaskLogin::default().with_variables([("FLASK_SESSION_PROTECTION", value)]);
        assert_eq!(read("null").unwrap().protection, Protection::None);
        assert_eq!(read("basic").unwrap().protection, Protection::Basic);
        assert_eq!(read("Strong").unwrap_err().kind(), ErrorKind::Setting);
    }
}
