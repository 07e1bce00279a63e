//! Settings of session lifetimes, and of sessions in a store.

use std::time::Duration;

use super::Config;

impl Config {
    /// Sets the idle timeout: the time after which an unused session in a store ends. The default
    /// is 7 days, and [`lifetime`](Self::lifetime) is an upper limit. A request uses the session if
    /// its handler extracts it. Uses are written at most once per tenth of the idle timeout.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().idle_timeout(Duration::from_secs(3600));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Sets the absolute timeout: 31 days by default. A session in a store ends that long after it
    /// began, and a session in a cookie that long after its [`login`](crate::Session::login),
    /// however often it is used.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().absolute_timeout(Duration::from_secs(7 * 86_400));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn absolute_timeout(mut self, timeout: Duration) -> Self {
        self.absolute_timeout = timeout;
        self
    }

    /// Sets the interval of renewals: a session in a store gets a new id that often, which limits
    /// the use of a leaked id. The default is a day; zero turns renewals off. Fractions of a second
    /// are rounded up.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().renew_after(Duration::from_secs(3600));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn renew_after(mut self, interval: Duration) -> Self {
        self.renew_after = interval;
        self
    }

    /// Sets the grace period after a [renewal](Self::renew_after): requests with the old id, which
    /// may have been under way, are still served. The default is 10 seconds, and the maximum about
    /// 30 times [`renew_after`](Self::renew_after). A login has no grace period.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().renewal_grace(Duration::from_secs(30));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn renewal_grace(mut self, grace: Duration) -> Self {
        self.renewal_grace = grace;
        self
    }

    /// Sets the time after which a call of the store fails: 2 seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().store_timeout(Duration::from_secs(5));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Sets the interval at which a background task removes expired records from the store: a
    /// minute by default. Zero turns it off, for instance if another process sweeps.
    ///
    /// Because the clocks of machines differ, a record stays for some time after it has expired:
    /// for the [idle timeout](Self::idle_timeout), and at most a day.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().sweep_interval(Duration::ZERO);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn sweep_interval(mut self, interval: Duration) -> Self {
        self.sweep_interval = interval;
        self
    }

    /// Sets the interval at which watched sessions are checked for their end: 5 seconds by default.
    /// A session is watched while [`Session::ended`](crate::Session::ended) is awaited. The check
    /// covers for lost notices of the store; with a store that sends no notices, it is the delay
    /// after which an end is seen. It costs one load per session and interval, with up to 32
    /// sessions in one call of the store.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().watch_interval(Duration::from_secs(2));
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn watch_interval(mut self, interval: Duration) -> Self {
        self.watch_interval = interval;
        self
    }

    /// Sets the greatest size of a session in a store, in bytes of JSON: 64 KiB by default.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().session_limit(16 * 1024);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn session_limit(mut self, bytes: usize) -> Self {
        self.session_limit = bytes;
        self
    }

    /// Sets whether conflicts are errors, for sessions in a store. A conflict is a request that
    /// wrote a key which it had read before, while another request changed the key. If on, the
    /// request fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict). If off (the
    /// default), the later write wins and the log records the conflict.
    /// [`Session::update`](crate::Session::update) never conflicts.
    ///
    /// ```
    /// use carafe::Config;
    ///
    /// let config = Config::hardened().strict(true);
    /// # carafe::SessionLayer::new(carafe::SecretKey::random()?, config)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn strict(mut self, on: bool) -> Self {
        self.strict = on;
        self
    }
}
