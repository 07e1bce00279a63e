//! The session's methods for a login that is shared with Flask-Login.

use std::time::Duration;

use super::Entry;
use super::keys::{
    AUTHENTICATED_AT, CSRF_COOKIE, FRESH, ID, LOGIN_KEYS, REMEMBER, REMEMBER_SECONDS,
    SECURITY_KEYS, seconds,
};
use super::settings::Logins;
use super::user::forget;
use crate::content::{COOKIE_KEYS, View};
use crate::engine::{Slot, closed};
use crate::session::Session;
use crate::value::Value;
use crate::{Error, ErrorKind};

impl Session {
    /// Remembers the login in this browser, by Flask-Login's remember cookie. Call this after
    /// [`login`](Self::login). The cookie lasts for `duration`, or for the layer's setting if that
    /// is `None`.
    ///
    /// A user whom the cookie brings back is logged in, but not [fresh](Self::login_is_fresh).
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn log_in(session: Session) -> Result<(), Error> {
    ///     session.login("42")?;
    ///     session.remember_login(None)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if the layer has no
    /// [`flask_login`](crate::SessionLayer::flask_login), and [`ErrorKind::Closed`] if the response
    /// has begun.
    pub fn remember_login(&self, duration: Option<Duration>) -> Result<(), Error> {
        self.flask_logins()?;
        self.insert(REMEMBER, "set")?;
        match duration {
            Some(duration) => self.insert(REMEMBER_SECONDS, duration.as_secs_f64()),
            None => Ok(()),
        }
    }

    /// Returns whether the user has typed the password in this session, and from this client:
    /// Flask-Login's `login_fresh()`. `false` for a user whom the remember cookie has brought back,
    /// and in a layer without [`flask_login`](crate::SessionLayer::flask_login).
    ///
    /// ```
    /// # use carafe::{CurrentUser, Error, ErrorKind};
    /// async fn change_password(user: CurrentUser) -> &'static str {
    ///     match user.session().login_is_fresh() {
    ///         true => "The new password, please",
    ///         false => "Your password again, please",
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn login_is_fresh(&self) -> bool {
        // The first look at the user applies the protection, which may make the login stale.
        let _user = self.user();
        let logins = self.slot().engine.flask_login.as_ref();
        logins.is_some_and(|logins| logins.is_fresh(self.slot()))
    }

    /// Makes the login fresh again, after the user has typed the password once more: Flask-Login's
    /// `confirm_login()`.
    ///
    /// ```
    /// use carafe::{CurrentUser, Error};
    ///
    /// # fn is_right(user: &str, password: &str) -> bool { true }
    /// async fn confirm(user: CurrentUser, password: String) -> Result<bool, Error> {
    ///     if !is_right(user.id(), &password) {
    ///         return Ok(false);
    ///     }
    ///     user.session().confirm_login()?;
    ///     Ok(true)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`remember_login`](Self::remember_login).
    pub fn confirm_login(&self) -> Result<(), Error> {
        self.flask_logins()?.confirm(self.slot())
    }

    fn flask_logins(&self) -> Result<&Logins, Error> {
        self.slot().engine.flask_login.as_deref().ok_or_else(|| {
            Error::new(
                ErrorKind::Setting,
                "the layer shares no logins with Flask-Login: give it `.flask_login(…)`",
            )
        })
    }
}

impl Logins {
    /// Returns the values that a login of this request's client writes.
    pub(crate) fn entry(&self, slot: &Slot) -> Entry {
        Entry {
            id: self.fingerprint(slot.client()),
            authenticated_at: self.authentication_time(slot),
        }
    }

    /// Removes the login's keys and the remember cookie: `logout_user()`.
    pub(crate) fn log_out(&self, slot: &Slot) -> Result<(), Error> {
        // The user is looked up first, as in Flask-Login.
        let _user = self.user(slot);
        let has_cookie = self.token(slot.cookies()).is_some();
        change(slot, |view| {
            let seconds = has_cookie.then_some(REMEMBER_SECONDS);
            let security = self.settings.flask_security.then_some(SECURITY_KEYS);
            let keys = LOGIN_KEYS.into_iter().chain(COOKIE_KEYS).chain(seconds);
            forget(view, &keys.chain(security.into_iter().flatten()).collect::<Vec<_>>());
            if self.settings.flask_security {
                view.set(CSRF_COOKIE, Value::from("clear"));
            }
            if has_cookie {
                view.set(REMEMBER, Value::from("clear"));
            }
        })?;
        let mut state = slot.state();
        state.flask_login.note(None);
        state.logged_out = true;
        Ok(())
    }

    /// Makes the login fresh: `confirm_login()`.
    fn confirm(&self, slot: &Slot) -> Result<(), Error> {
        let Entry { id, authenticated_at } = self.entry(slot);
        change(slot, |view| {
            view.set(FRESH, Value::from(true));
            view.set(ID, Value::from(id));
            if let Some(time) = authenticated_at {
                view.set(AUTHENTICATED_AT, seconds(time));
            }
        })
    }

    /// Returns the time of an authentication for Flask-Security, if the site has it.
    fn authentication_time(&self, slot: &Slot) -> Option<u64> {
        self.settings.flask_security.then(|| slot.engine.clock.now().0)
    }
}

/// Changes the view; an error if the session is closed.
fn change(slot: &Slot, change: impl FnOnce(&mut View)) -> Result<(), Error> {
    let mut state = slot.state();
    if state.closed {
        return Err(closed());
    }
    change(state.view.get_or_insert_default());
    Ok(())
}
