//! The settings of logins.

use std::time::Duration;

use super::Config;
use super::check::seconds;
use crate::Error;
use crate::store::OverLimit;

impl Config {
    /// How many sessions a user may have at once, and what becomes of a login beyond that: as many as
    /// they like by default. It takes a store; without one a login is an error.
    ///
    /// The limit holds also where logins come at the same moment, in several processes. The session that
    /// a login replaces doesn't count. A refused login is an error of the kind
    /// [`ErrorKind::TooManySessions`](crate::ErrorKind::TooManySessions), which a handler sees that logs
    /// in by [`Session::login_now`](crate::Session::login_now); after
    /// [`Session::login`](crate::Session::login) it is the response.
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

    /// How long a user has for the second step of a login in two steps: 5 minutes by default. See
    /// [`Session::login_pending`](crate::Session::login_pending).
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

    /// Lets browsers be remembered for so long after their last use: see
    /// [`Session::remember`](crate::Session::remember). They aren't by default. It takes a store.
    ///
    /// The token is in a cookie of the session cookie's attributes, whose name has `_remember` at its end.
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

    /// For how long the store knows the ids that sessions had before, besides the minute in which requests
    /// with them may be under way: not at all by default. As long as it does, such an id is a sign of
    /// theft when it comes back: see
    /// [`SessionLayer::on_sign_of_theft`](crate::SessionLayer::on_sign_of_theft). It costs a small record
    /// for each new id.
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
