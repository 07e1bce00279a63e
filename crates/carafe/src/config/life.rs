//! The settings that say how long sessions live, and what those in a store may do.

use std::time::Duration;

use super::Config;

impl Config {
    /// How long a session in a store lives without being used: 7 days by default, and never more
    /// than [`lifetime`](Self::lifetime). A request uses the session if its handler extracts it. A use is
    /// written at most once per tenth of that time.
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

    /// How long a session in a store lives in any case, and how long after
    /// [`login`](crate::Session::login) one in a cookie does: 31 days by default.
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

    /// After how long a session in a store gets a new id, so that one that leaked is of use for a
    /// limited time: a day by default; zero turns it off. Parts of a second are rounded up.
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

    /// How long after such a renewal requests with the old id are still served, since they may have
    /// been under way: 10 seconds by default, and at most about 30 times
    /// [`renew_after`](Self::renew_after). After a login there is no such grace.
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

    /// How long a call of the store may take before the request fails: 2 seconds by default.
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

    /// How often expired records are removed from the store, in the background: every minute by
    /// default; zero turns it off, for instance where another process does it.
    ///
    /// A record is removed once it has been expired for as long as its session could be
    /// [idle](Self::idle_timeout), and for a day at most, since the clocks of machines differ.
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

    /// How often a session is looked at whose end something waits for
    /// ([`Session::ended`](crate::Session::ended)), in case that what the store told of it was lost: every 5
    /// seconds by default. It is one load per session and interval, up to 32 of them in one call of the store.
    /// With a store that tells nothing, this is how late an end is noticed.
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

    /// How many bytes of JSON a session in a store may have: 64 KiB by default.
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

    /// Whether a request that read a key of a session in a store and then wrote it, while another
    /// request changed it, fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict). Otherwise (the default) the later
    /// write stands, and the log says so. [`Session::update`](crate::Session::update) has no such
    /// conflict.
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
