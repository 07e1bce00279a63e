//! The remember cookie.

use std::borrow::Cow;
use std::time::Duration;

use carafe_format::cookie::{Attributes, SetCookie, quote};
use carafe_format::flask_login::{read_remember_token, remember_key, remember_token};
use http::HeaderValue;
use zeroize::Zeroizing;

use super::settings::Logins;
use crate::cookie::{Finder, SameSite};
use crate::engine::Engine;
use crate::value::DateTime;
use crate::{Error, ErrorKind};

/// Flask-Login's settings `REMEMBER_COOKIE_…`.
#[derive(Clone, Debug)]
pub(super) struct RememberSettings {
    pub(super) name: String,
    pub(super) duration: Duration,
    pub(super) domain: Option<String>,
    pub(super) path: String,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) refresh_each_request: bool,
}

impl Default for RememberSettings {
    fn default() -> Self {
        Self {
            name: "remember_token".to_owned(),
            duration: Duration::from_secs(365 * 86_400),
            domain: None,
            path: "/".to_owned(),
            secure: false,
            http_only: true,
            same_site: None,
            refresh_each_request: false,
        }
    }
}

/// The cookie with its attributes, checked and formatted once.
#[derive(Debug)]
pub(super) struct RememberCookie {
    finder: Finder,
    set: SetCookie,
    /// The removal of the cookie, which has only the domain and the path, as in Flask-Login.
    remove: SetCookie,
}

impl RememberCookie {
    pub(super) fn new(settings: &RememberSettings) -> Result<Self, Error> {
        let all = Attributes {
            name: &settings.name,
            domain: settings.domain.as_deref(),
            path: &settings.path,
            secure: settings.secure,
            http_only: settings.http_only,
            same_site: settings.same_site,
            partitioned: false,
        };
        let set = SetCookie::new(&all).map_err(|error| {
            // The checks name the session cookie's settings.
            let text = error.to_string().replace("SESSION_COOKIE_", "REMEMBER_COOKIE_");
            Error::new(ErrorKind::from(error.kind()), format!("the remember cookie: {text}"))
        })?;
        let remove = SetCookie::without_flags(&all)?;
        Ok(Self { finder: Finder::new(&settings.name), set, remove })
    }
}

impl Logins {
    /// Returns the value of the request's remember cookie, before its signature is checked.
    pub(super) fn token<'a>(
        &self,
        cookies: impl Iterator<Item = &'a HeaderValue>,
    ) -> Option<Cow<'a, [u8]>> {
        self.cookie.finder.find(cookies).map(|found| found.value)
    }

    /// Returns the user of a remember cookie; `None` if the layer's key didn't sign it.
    pub(super) fn user_of(&self, engine: &Engine, token: &[u8]) -> Option<String> {
        let key = self.key(engine).ok()?;
        read_remember_token(&String::from_utf8_lossy(token), &key).map(str::to_owned)
    }

    /// Returns the header that sets a user's remember cookie for this many microseconds.
    pub(super) fn set(
        &self,
        engine: &Engine,
        user: &str,
        duration: Option<i128>,
    ) -> Result<HeaderValue, Error> {
        let token = remember_token(user, &self.key(engine)?);
        let configured = || i128::try_from(self.settings.remember.duration.as_micros());
        let duration = duration.unwrap_or_else(|| configured().unwrap_or(i128::MAX));
        let seconds = i128::from(engine.clock.now().0) + duration.div_euclid(1_000_000);
        let expires = i64::try_from(seconds).ok().and_then(DateTime::from_unix);
        let expires = expires.ok_or_else(|| {
            Error::new(
                ErrorKind::Setting,
                "the remember cookie would last beyond the year 9999: give \
                 REMEMBER_COOKIE_DURATION, or the login, a shorter duration",
            )
        })?;
        Ok(self.cookie.set.set(&quote(&token), Some(expires))?)
    }

    /// Returns the header that removes the remember cookie.
    pub(super) fn remove(&self) -> Result<HeaderValue, Error> {
        Ok(self.cookie.remove.remove()?)
    }

    /// Returns the key that signs remember cookies: the current key alone, as in Flask-Login.
    fn key(&self, engine: &Engine) -> Result<Zeroizing<Vec<u8>>, Error> {
        if let Some(key) = &self.settings.remember_key {
            return Ok(Zeroizing::new(key.expose().to_vec()));
        }
        let ring = engine.keys().ring();
        match ring.iter().next() {
            Some(key) => Ok(remember_key(key)?),
            None => Err(Error::new(ErrorKind::MissingSecretKey, "the layer has no key")),
        }
    }
}
