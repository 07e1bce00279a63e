//! Remember cookies: tokens that log a browser in again.

use super::Session;
use crate::content::{Operation, View};
use crate::engine::Backend;
use crate::{Error, ErrorKind};

impl Session {
    /// Remembers this browser: after its session has ended, a second cookie logs the user in again.
    /// It lives as long as [`Config::remember_for`](crate::Config::remember_for) says. Call this
    /// after [`login`](Self::login), if the user asks for it.
    ///
    /// A login by the cookie isn't [fresh](crate::FreshUser), since the user was not authenticated.
    /// The cookie holds a token for a single use, which each use replaces. If a token is used
    /// twice, as after a theft of the cookie, the whole series of tokens and its sessions end, and
    /// the layer reports a [sign of theft](crate::SessionLayer::on_sign_of_theft).
    ///
    /// The series of tokens ends with a [`logout`](Self::logout) of this browser, with
    /// [`logout_everywhere`](Self::logout_everywhere), and with
    /// [`logout_others`](Self::logout_others) in another browser. The latter two count each series
    /// as a session.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn login(session: Session, remember_me: bool) -> Result<(), Error> {
    ///     // … after the password was checked:
    ///     session.login("42")?;
    ///     if remember_me {
    ///         session.remember().await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// In a layer that shares logins with [Flask-Login](crate::flask_login), the cookie is Flask-Login's.
    ///
    /// # Errors
    /// [`ErrorKind::NoStore`] if sessions are in cookies, [`ErrorKind::Setting`] if the layer has no
    /// [`Config::remember_for`](crate::Config::remember_for), the error of
    /// [`login_required`](Self::login_required) if no user is logged in, [`ErrorKind::Store`] if the store
    /// fails, and [`ErrorKind::Closed`] if the response has begun.
    pub async fn remember(&self) -> Result<(), Error> {
        self.check_open()?;
        let Some(user) = self.user() else { return Err(self.login_required()) };
        let engine = &self.slot().engine;
        if engine.flask_login.is_some() {
            return self.remember_login(None);
        }
        let Backend::Stored(backend) = &engine.backend else {
            return Err(Error::new(
                ErrorKind::NoStore,
                "remember tokens are kept in a store: use a layer with one (`SessionLayer::stored`)",
            ));
        };
        let (from, credential) = (self.read(View::logged_in_from), self.read(View::credential));
        let (series, cookie) = engine.remember(backend, user, from, credential).await?;
        self.perform(Operation::Series(series))?;
        self.slot().state().remember_cookies.push(cookie);
        Ok(())
    }
}
