//! Settings of logins.

use std::time::Duration;

use super::Config;
use super::check::seconds;
use crate::Error;
use crate::store::OverLimit;

impl Config {
    /// Limits the number of sessions that a user may have at once, and sets how a further login is
    /// treated. There is no limit by default. The limit needs a store: without one, a login is an
    /// error.
    ///
    /// The limit also holds for simultaneous logins in several processes. The session that a login
    /// replaces doesn't count. A refused login is an error of the kind
    /// [`ErrorKind::TooManySessions`](crate::ErrorKind::TooManySessions). A handler sees that error
    /// from [`Session::login_now`](crate::Session::login_now); after
    /// [`Session::login`](crate::Session::login) it becomes the response.
    ///
    /// ```
    /// use carafe::store::{MemoryStore, OverLimit};
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .configure(|config| config.sessions_per_user(3, OverLimit::EndOldest))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn sessions_per_user(mut self, most: u32, over: OverLimit) -> Self {
        self.sessions_per_user = Some((most, over));
        self
    }

    /// Sets the time that a user has for the second step of a login in two steps: 5 minutes by
    /// default. See [`Session::login_pending`](crate::Session::login_pending).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().pending_login_timeout(Duration::from_secs(600));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn pending_login_timeout(mut self, timeout: Duration) -> Self {
        self.pending_login_timeout = timeout;
        self
    }

    /// Sets how long browsers are remembered after their last use: see
    /// [`Session::remember`](crate::Session::remember). Without this setting, they are not
    /// remembered. Remembering needs a store.
    ///
    /// The token is in a cookie with the session cookie's attributes and `_remember` after its
    /// name.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::store::MemoryStore;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .configure(|config| config.remember_for(Duration::from_secs(30 * 86_400)))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn remember_for(mut self, lifetime: Duration) -> Self {
        self.remember_for = Some(lifetime);
        self
    }

    /// Sets how long the store remembers replaced ids, beyond the minute in which requests with
    /// them may still be under way: zero by default. If such an id comes back, that is a sign of
    /// theft: see [`SessionLayer::on_sign_of_theft`](crate::SessionLayer::on_sign_of_theft). Each
    /// new id costs a small record in the store.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::store::MemoryStore;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let layer = SessionLayer::stored(MemoryStore::new(), SecretKey::random()?)?
    ///     .configure(|config| config.watch_old_ids(Duration::from_secs(7 * 86_400)))?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn watch_old_ids(mut self, time: Duration) -> Self {
        self.watch_old_ids = time;
        self
    }

    pub(super) fn check_logins(&self) -> Result<(), Error> {
        if let Some((0, _)) = self.sessions_per_user {
            let allowed = "at least 1, or no user could log in";
            return Err(Error::setting("sessions_per_user", "0", allowed));
        }
        if self.pending_login_timeout.as_secs() == 0 {
            let allowed = "at least a second, or every second step would be too late";
            let timeout = seconds(self.pending_login_timeout);
            return Err(Error::setting("pending_login_timeout", &timeout, allowed));
        }
        if let Some(lifetime) = self.remember_for.filter(|lifetime| lifetime.as_secs() == 0) {
            let allowed = "at least a second, or every token would be too old";
            return Err(Error::setting("remember_for", &seconds(lifetime), allowed));
        }
        Ok(())
    }
}
