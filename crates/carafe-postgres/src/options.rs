use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use carafe::store::StoreError;

use crate::PostgresStore;
use crate::connect::Connector;
use crate::pool::{Pool, Settings};
use crate::tables::check_schema;
use crate::tls::Tls;
use crate::url;

/// The largest pool. A semaphore of tokio's can count far more.
const MOST_CONNECTIONS: usize = 1 << 16;

/// The settings with which a [`PostgresStore`] finds and uses its server.
///
/// ```
/// use carafe_postgres::PostgresStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::options("postgres://app@127.0.0.1/app").pool_size(16).open()?;
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct PostgresOptions {
    url: String,
    pool: Settings,
    pub(crate) migrates: bool,
    pub(crate) listens: bool,
    pub(crate) schema: Option<String>,
    password_file: Option<PathBuf>,
    #[cfg(feature = "tls")]
    root_certificate: Option<Vec<u8>>,
    #[cfg(feature = "tls")]
    client_certificate: Option<(Vec<u8>, Vec<u8>)>,
}

impl PostgresOptions {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            pool: Settings {
                size: 8,
                connect: Duration::from_millis(800),
                answer: Duration::from_secs(1),
                idle: Duration::from_secs(180),
                prepares: false,
            },
            migrates: true,
            listens: true,
            schema: None,
            password_file: None,
            #[cfg(feature = "tls")]
            root_certificate: None,
            #[cfg(feature = "tls")]
            client_certificate: None,
        }
    }

    /// Sets the largest number of connections: 8 by default. Each serves one statement at a time,
    /// which takes about a millisecond. If the server has room for fewer connections, requests wait
    /// for them.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app")
    ///     .pool_size(16)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool.size = connections.clamp(1, MOST_CONNECTIONS);
        self
    }

    /// Sets the time limit for connecting: 800 ms by default. Several hosts, and several addresses
    /// of one host, share this time.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app")
    ///     .connect_timeout(Duration::from_millis(300))
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.pool.connect = timeout;
        self
    }

    /// Sets the time for which a connection may be idle: 3 minutes by default. An older connection
    /// is closed instead of used. Set it below the time after which a proxy or a firewall in
    /// between forgets a connection. A connection that was idle for 10 seconds has to show a sign
    /// of life before it is used, which takes a round trip.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app")
    ///     .idle_timeout(Duration::from_secs(60))
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool.idle = timeout;
        self
    }

    /// Sets the time limit for the answer to a statement: 1 s by default. Together with the time
    /// limit for connecting it should be less than the session layer's own limit
    /// ([`Config::store_timeout`](carafe::Config::store_timeout)).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app")
    ///     .answer_timeout(Duration::from_millis(500))
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.pool.answer = timeout;
        self
    }

    /// Sets whether the store makes its tables when it is first used, and brings them up to date:
    /// `true` by default. Set it to `false` where the service's user may not create tables, and
    /// call [`PostgresStore::migrate`] as a user who may.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app")
    ///     .migrate_at_first_use(false)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn migrate_at_first_use(mut self, on: bool) -> Self {
        self.migrates = on;
        self
    }

    /// Sets whether the store uses `LISTEN`, on a connection besides the pool's, to learn of
    /// sessions that end in other processes: `true` by default. It listens only if the application
    /// waits for the end of a session ([`Session::ended`](carafe::Session::ended)).
    ///
    /// Behind PgBouncer that pools by transaction no notification arrives. The store detects that,
    /// and then asks at the interval that
    /// [`Config::watch_interval`](carafe::Config::watch_interval) sets. Without listening it always
    /// asks.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@pgbouncer.internal/app").listen(false).open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen(mut self, on: bool) -> Self {
        self.listens = on;
        self
    }

    /// Sets the schema of the tables. It is made at first use if it is missing and the role may
    /// create it. By default it is the first existing schema of the role's search path.
    ///
    /// Two services in one database need a schema each: in the same schema they share their
    /// sessions, and a logout everywhere in one ends the sessions of that user in the other, too.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let shop = PostgresStore::options("postgres://app@127.0.0.1/app").schema("shop").open()?;
    /// let blog = PostgresStore::options("postgres://app@127.0.0.1/app").schema("blog").open()?;
    /// # let _ = (shop, blog);
    /// # Ok(())
    /// # }
    /// ```
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.schema = Some(name.into());
        self
    }

    /// Sets a file with the password. It is read for every new connection, so a new password in it
    /// takes no restart. Line breaks at its end don't count.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@db.internal/app")
    ///     .password_file("/run/secrets/postgres")
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn password_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.password_file = Some(file.into());
        self
    }

    /// Sets whether the server parses each statement once per connection and remembers it, which
    /// more than halves its work for a session: `false` by default. Set it to `true` without a
    /// pooler, or with a pooler that supports prepared statements. PgBouncer that pools by
    /// transaction supports them from version 1.21 on, if `max_prepared_statements` is set; an
    /// older version may run another process' statement instead.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app")
    ///     .prepared_statements(true)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prepared_statements(mut self, on: bool) -> Self {
        self.pool.prepares = on;
        self
    }

    /// Trusts only servers whose certificate this authority has signed: a certificate in PEM. By
    /// default the operating system's authorities are trusted, or the authorities in the file that
    /// `sslrootcert` in the URL names.
    ///
    /// ```no_run
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@db.internal/app?sslmode=require")
    ///     .root_certificate(std::fs::read("/etc/ssl/internal.pem")?)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// Sets the certificate and its key, both in PEM, that the client shows to a server that asks
    /// for one. `sslcert` and `sslkey` in the URL name files with them.
    ///
    /// ```no_run
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@db.internal/app?sslmode=require")
    ///     .client_certificate(
    ///         std::fs::read("/etc/ssl/shop.pem")?,
    ///         std::fs::read("/etc/ssl/private/shop.key")?,
    ///     )
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Creates the store. It connects when it is first used.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options("postgres://app@127.0.0.1/app").open()?;
    /// # let _ = store;
    /// assert!(PostgresStore::options("no URL").open().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`](carafe::store::StoreErrorKind::Unavailable) if the URL, a
    /// certificate or a key can't be read, or if the schema's name can't be one.
    pub fn open(self) -> Result<PostgresStore, StoreError> {
        if let Some(name) = &self.schema {
            check_schema(name)?;
        }
        let parsed = url::parse(&self.url)?;
        #[cfg_attr(not(feature = "tls"), allow(unused_mut, reason = "it is as the URL says"))]
        let (mut config, mut tls) = (parsed.config, parsed.tls);
        if config.get_application_name().is_none() {
            config.application_name("carafe");
        }
        #[cfg(feature = "tls")]
        {
            tls.roots = self.root_certificate.clone().or(tls.roots);
            tls.client = self.client_certificate.clone().or(tls.client);
        }
        let connector = Connector::new(
            config,
            Tls::new(&tls)?,
            parsed.says_tls,
            self.password_file.clone(),
            self.pool.connect,
        );
        Ok(PostgresStore::new_with(Pool::new(connector, self.pool), &self))
    }
}

impl fmt::Debug for PostgresOptions {
    /// Shows nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("pool", &self.pool)
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_the_password() {
        let options = PostgresOptions::new("postgres://u:pa55@host:port/".to_owned());
        let shown = format!("{options:?} {:?}", options.clone().open());
        assert!(!shown.contains("pa55"), "{shown}");
        let store = PostgresOptions::new("postgres://u:pa55@host/".to_owned()).open().unwrap();
        assert!(!format!("{store:?}").contains("pa55"));
    }
}
