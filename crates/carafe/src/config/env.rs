//! Settings from environment variables, read as Flask's `from_prefixed_env` reads them.

use std::ffi::OsStr;
use std::time::Duration;

use super::{Caching, Config, Mistyped, Refresh};
use crate::Error;
use crate::cookie::SameSite;
use crate::value::Value;

/// The names of the variables that are read.
pub(super) const VARIABLES: [&str; 26] = [
    "FLASK_SESSION_COOKIE_NAME",
    "FLASK_SESSION_COOKIE_DOMAIN",
    "FLASK_SESSION_COOKIE_PATH",
    "FLASK_APPLICATION_ROOT",
    "FLASK_SESSION_COOKIE_HTTPONLY",
    "FLASK_SESSION_COOKIE_SECURE",
    "FLASK_SESSION_COOKIE_SAMESITE",
    "FLASK_SESSION_COOKIE_PARTITIONED",
    "FLASK_SESSION_REFRESH_EACH_REQUEST",
    "FLASK_PERMANENT_SESSION_LIFETIME",
    "FLASK_MAX_COOKIE_SIZE",
    "CARAFE_IDLE_TIMEOUT",
    "CARAFE_ABSOLUTE_TIMEOUT",
    "CARAFE_RENEW_AFTER",
    "CARAFE_RENEWAL_GRACE",
    "CARAFE_STORE_TIMEOUT",
    "CARAFE_WATCH_INTERVAL",
    "CARAFE_SESSION_LIMIT",
    "CARAFE_STRICT",
    "CARAFE_PERMANENT_BY_DEFAULT",
    "CARAFE_CACHING",
    "CARAFE_CLEAR_SITE_DATA",
    "CARAFE_HEAD_TAKES_FLASHES",
    "CARAFE_REWRITE_OUTDATED",
    "CARAFE_SWEEP_INTERVAL",
    "CARAFE_MISTYPED_VALUES",
];

/// Parses a variable as JSON, or takes it as text if it is no JSON; `None` if it isn't Unicode.
fn parse(text: &OsStr) -> Option<Value> {
    let json = Value::from_tagged_json(text.as_encoded_bytes()).ok();
    json.or_else(|| text.to_str().map(Value::from))
}

/// Sets the setting that `name` names, if there is one.
pub(super) fn apply(config: Config, name: &OsStr, text: &OsStr) -> Result<Config, Error> {
    let Some(name) = name.to_str() else { return Ok(config) };
    let variable = |setting| Variable::new(name, setting, text);
    match (name.strip_prefix("FLASK_"), name.strip_prefix("CARAFE_")) {
        (Some(setting), _) => apply_flask(config, &variable(setting)),
        (_, Some(setting)) => apply_own(config, &variable(setting)),
        _ => Ok(config),
    }
}

/// Sets a setting that Flask lacks.
fn apply_own(config: Config, variable: &Variable<'_>) -> Result<Config, Error> {
    Ok(match variable.setting {
        "IDLE_TIMEOUT" => config.idle_timeout(variable.seconds()?),
        "ABSOLUTE_TIMEOUT" => config.absolute_timeout(variable.seconds()?),
        "RENEW_AFTER" => config.renew_after(variable.seconds()?),
        "RENEWAL_GRACE" => config.renewal_grace(variable.seconds()?),
        "STORE_TIMEOUT" => config.store_timeout(variable.seconds()?),
        "WATCH_INTERVAL" => config.watch_interval(variable.seconds()?),
        "SESSION_LIMIT" => config.session_limit(variable.limit()?),
        "STRICT" => config.strict(variable.bool()?),
        "PERMANENT_BY_DEFAULT" => config.permanent_by_default(variable.bool()?),
        "CACHING" => config.caching(variable.one_of(&[
            ("vary", Caching::Vary),
            ("private", Caching::Private),
            ("no-store", Caching::NoStore),
        ])?),
        "CLEAR_SITE_DATA" => config.clear_site_data(variable.bool()?),
        "HEAD_TAKES_FLASHES" => config.head_takes_flashes(variable.bool()?),
        "REWRITE_OUTDATED" => config.rewrite_outdated(variable.bool()?),
        "SWEEP_INTERVAL" => config.sweep_interval(variable.seconds()?),
        "MISTYPED_VALUES" => config.mistyped_values(
            variable.one_of(&[("error", Mistyped::Error), ("missing", Mistyped::Missing)])?,
        ),
        _ => config,
    })
}

fn apply_flask(config: Config, variable: &Variable<'_>) -> Result<Config, Error> {
    Ok(match variable.setting {
        "SESSION_COOKIE_NAME" => config.cookie_name(variable.text()?),
        "SESSION_COOKIE_DOMAIN" => config.cookie_domain(variable.optional_text()?),
        "SESSION_COOKIE_PATH" => Config { cookie_path: variable.optional_text()?, ..config },
        "APPLICATION_ROOT" => config.application_root(variable.text()?),
        "SESSION_COOKIE_HTTPONLY" => config.http_only(variable.bool()?),
        "SESSION_COOKIE_SECURE" => config.secure(variable.bool()?),
        "SESSION_COOKIE_SAMESITE" => config.same_site(variable.same_site()?),
        "SESSION_COOKIE_PARTITIONED" => config.partitioned(variable.bool()?),
        "SESSION_REFRESH_EACH_REQUEST" => {
            let each = variable.bool()?;
            config.refresh(if each { Refresh::EachRequest } else { Refresh::Never })
        }
        "PERMANENT_SESSION_LIFETIME" => config.lifetime(variable.seconds()?),
        "MAX_COOKIE_SIZE" => config.max_cookie_size(variable.bytes()?),
        _ => config,
    })
}

/// An environment variable that names a setting.
pub(crate) struct Variable<'a> {
    name: &'a str,
    setting: &'a str,
    text: &'a OsStr,
    value: Value,
}

impl<'a> Variable<'a> {
    pub(crate) fn new(name: &'a str, setting: &'a str, text: &'a OsStr) -> Self {
        let value = parse(text).unwrap_or_else(|| Value::from(text.to_string_lossy().into_owned()));
        Self { name, setting, text, value }
    }

    /// Returns the parsed value.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    pub(crate) fn not_allowed(&self, allowed: &str) -> Error {
        Error::setting(self.name, &self.text.to_string_lossy(), allowed)
    }

    /// Returns a JSON string's content, or the raw text otherwise, since a name may consist of
    /// digits.
    pub(crate) fn text(&self) -> Result<String, Error> {
        match &self.value {
            Value::Text(text) => text.as_str().map(str::to_owned),
            Value::Null => None,
            _ => self.text.to_str().map(str::to_owned),
        }
        .ok_or_else(|| self.not_allowed("a text"))
    }

    pub(crate) fn optional_text(&self) -> Result<Option<String>, Error> {
        match &self.value {
            Value::Null | Value::Bool(false) => Ok(None),
            _ => self.text().map(Some),
        }
    }

    pub(crate) fn bool(&self) -> Result<bool, Error> {
        match &self.value {
            Value::Bool(on) => Ok(*on),
            // Python's truth of numbers; `null`, which Flask calls unset, is false.
            Value::Int(number) => Ok(number.as_i64() != Some(0)),
            Value::Null => Ok(false),
            // Any text is true in Python, even "False" and "off".
            _ => Err(self.not_allowed("true or false (in lower case, as in JSON)")),
        }
    }

    pub(crate) fn same_site(&self) -> Result<Option<SameSite>, Error> {
        let text = match &self.value {
            Value::Null => return Ok(None),
            Value::Text(text) => text.as_str().unwrap_or_default(),
            _ => "",
        };
        [SameSite::Strict, SameSite::Lax, SameSite::None]
            .into_iter()
            .find(|same_site| same_site.name().eq_ignore_ascii_case(text))
            .map(Some)
            .ok_or_else(|| self.not_allowed("Strict, Lax, None or null (unset)"))
    }

    /// Returns the choice that the text names, in upper or lower case.
    fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, Error> {
        let text = self.text()?;
        let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.not_allowed(&format!("one of {}", names.join(", ")))
        })
    }

    pub(crate) fn seconds(&self) -> Result<Duration, Error> {
        let seconds = match &self.value {
            Value::Int(seconds) => seconds.to_string().parse::<u64>().ok().map(Duration::from_secs),
            Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
            _ => None,
        };
        seconds.ok_or_else(|| self.not_allowed("a number of seconds, not negative"))
    }

    fn bytes(&self) -> Result<usize, Error> {
        self.number().ok_or_else(|| self.not_allowed("a number of bytes, or 0 for no limit"))
    }

    fn limit(&self) -> Result<usize, Error> {
        self.number().ok_or_else(|| self.not_allowed("a number of bytes"))
    }

    fn number(&self) -> Option<usize> {
        match &self.value {
            Value::Int(number) => number.to_string().parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn with(name: &str, value: &str) -> Result<Config, Error> {
        Config::flask().with_variables([(name, value)])
    }

    #[test]
    fn values_are_json_where_they_parse() {
        assert!(with("FLASK_SESSION_COOKIE_SECURE", "true").unwrap().secure);
        assert_eq!(with("FLASK_SESSION_COOKIE_NAME", "sid").unwrap().cookie_name, "sid");
        assert_eq!(with("FLASK_SESSION_COOKIE_NAME", "\"sid\"").unwrap().cookie_name, "sid");
        assert_eq!(with("FLASK_SESSION_COOKIE_NAME", "123").unwrap().cookie_name, "123");
        assert_eq!(with("FLASK_SESSION_COOKIE_DOMAIN", "null").unwrap().cookie_domain, None);
        assert_eq!(
            with("FLASK_SESSION_COOKIE_SAMESITE", "lax").unwrap().same_site,
            Some(SameSite::Lax)
        );
        assert_eq!(
            with("FLASK_SESSION_REFRESH_EACH_REQUEST", "false").unwrap().refresh,
            Refresh::Never
        );
        assert_eq!(
            with("FLASK_PERMANENT_SESSION_LIFETIME", "3600").unwrap().lifetime.as_secs(),
            3600
        );
        assert_eq!(with("FLASK_PERMANENT_SESSION_LIFETIME", "1.5").unwrap().max_age(), 1);
        assert_eq!(with("FLASK_MAX_COOKIE_SIZE", "0").unwrap().max_cookie_size, 0);
        assert_eq!(with("SESSION_COOKIE_SECURE", "true").unwrap(), Config::flask());
        assert_eq!(with("FLASK_SOMETHING", "true").unwrap(), Config::flask());
    }

    #[test]
    fn settings_that_flask_hasnt_have_names_of_their_own() {
        type Case = (&'static str, &'static str, fn(Config) -> Config);
        let own: [Case; 7] = [
            ("CARAFE_PERMANENT_BY_DEFAULT", "true", |c| c.permanent_by_default(true)),
            ("CARAFE_CACHING", "No-Store", |c| c.caching(Caching::NoStore)),
            ("CARAFE_CLEAR_SITE_DATA", "1", |c| c.clear_site_data(true)),
            ("CARAFE_HEAD_TAKES_FLASHES", "false", |c| c.head_takes_flashes(false)),
            ("CARAFE_REWRITE_OUTDATED", "true", |c| c.rewrite_outdated(true)),
            ("CARAFE_SWEEP_INTERVAL", "0.5", |c| c.sweep_interval(Duration::from_millis(500))),
            ("CARAFE_MISTYPED_VALUES", "missing", |c| c.mistyped_values(Mistyped::Missing)),
        ];
        for (name, value, set) in own {
            assert_eq!(with(name, value).unwrap(), set(Config::flask()), "{name}");
        }
    }

    #[test]
    fn numbers_are_bools_as_in_python() {
        for (value, on) in [("1", true), ("0", false), ("-7", true), ("null", false)] {
            let config = with("FLASK_SESSION_COOKIE_SECURE", value).unwrap();
            assert_eq!(config.secure, on, "{value}");
            let config = with("FLASK_SESSION_COOKIE_HTTPONLY", value).unwrap();
            assert_eq!(config.http_only, on, "{value}");
        }
        let huge = "9".repeat(40);
        assert!(with("FLASK_SESSION_COOKIE_SECURE", &huge).unwrap().secure);
    }

    #[test]
    fn a_bad_setting_names_itself_its_value_and_what_is_allowed() {
        for (name, value, allowed) in [
            ("FLASK_SESSION_COOKIE_SECURE", "True", "true or false"),
            ("FLASK_SESSION_COOKIE_SECURE", "yes", "true or false"),
            ("FLASK_SESSION_COOKIE_SAMESITE", "loose", "Strict, Lax, None"),
            ("FLASK_PERMANENT_SESSION_LIFETIME", "-1", "seconds"),
            ("FLASK_PERMANENT_SESSION_LIFETIME", "31 days", "seconds"),
            ("FLASK_MAX_COOKIE_SIZE", "4k", "bytes"),
            ("FLASK_SESSION_COOKIE_NAME", "null", "text"),
            ("CARAFE_CACHING", "public", "one of vary, private, no-store"),
            ("CARAFE_MISTYPED_VALUES", "zero", "one of error, missing"),
        ] {
            let error = with(name, value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Setting);
            let text = error.to_string();
            assert!(
                text.contains(name) && text.contains(value) && text.contains(allowed),
                "{text}"
            );
        }
    }

    #[test]
    fn every_variable_of_the_list_is_read() {
        for name in VARIABLES {
            // Each value changes something or is refused, whatever kind the variable has.
            let read = |value| with(name, value).is_ok_and(|config| config == Config::flask());
            assert!(!read("1234567") || !read("false"), "{name} is ignored");
        }
        assert!(with("FLASK_OTHER", "1").is_ok_and(|config| config == Config::flask()));
    }
}
