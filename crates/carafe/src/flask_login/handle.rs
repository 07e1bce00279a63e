//! What a session's handle does with a login of Flask-Login's.

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
    /// Has the browser remember the login, with Flask-Login's remember cookie: call it after
    /// [`login`](Self::login). It lasts for `duration`, or else as long as the layer says.
    ///
    /// A user who comes back by that cookie is logged in, and not [fresh](Self::login_is_fresh).
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
    /// [`ErrorKind::Setting`] if the layer isn't one with
    /// [`flask_login`](crate::SessionLayer::flask_login), and [`ErrorKind::Closed`] if the response has
    /// begun.
    pub fn remember_login(&self, duration: Option<Duration>) -> Result<(), Error> {
        self.flask_logins()?;
        self.insert(REMEMBER, "set")?;
        match duration {
            Some(duration) => self.insert(REMEMBER_SECONDS, duration.as_secs_f64()),
            None => Ok(()),
        }
    }

    /// Whether the user has typed the password in this session, and from this client: Flask-Login's
    /// `login_fresh()`. `false` for a user whom the remember cookie has brought back, and in a layer
    /// without [`flask_login`](crate::SessionLayer::flask_login).
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
        // The first look at the user may take it back.
        let _user = self.user();
        let logins = self.slot().engine.flask_login.as_ref();
        logins.is_some_and(|logins| logins.is_fresh(self.slot()))
    }

    /// Makes the login a fresh one, for a user who has typed the password once more: Flask-Login's
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
    /// As [`remember_login`](Self::remember_login).
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
    /// What a login of this request's client writes.
    pub(crate) fn entry(&self, slot: &Slot) -> Entry {
        Entry {
            id: self.fingerprint(slot.client()),
            authenticated_at: self.authentication_time(slot),
        }
    }

    /// `logout_user()`: the login's keys go, and the remember cookie.
    pub(crate) fn log_out(&self, slot: &Slot) -> Result<(), Error> {
        // As there, the user is looked for first.
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

    /// `confirm_login()`
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

    /// The time that Flask-Security is told of an authentication, if the site has it.
    fn authentication_time(&self, slot: &Slot) -> Option<u64> {
        self.settings.flask_security.then(|| slot.engine.clock.now().0)
    }
}

/// Changes the view, if that can still be saved.
fn change(slot: &Slot, change: impl FnOnce(&mut View)) -> Result<(), Error> {
    let mut state = slot.state();
    if state.closed {
        return Err(closed());
    }
    change(state.view.get_or_insert_default());
    Ok(())
}
