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

/// The largest pool: what a semaphore of tokio's can count is larger by far.
const MOST_CONNECTIONS: usize = 1 << 16;

/// How a [`PostgresStore`] finds and uses its server.
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

    /// The largest number of connections, 8 by default. Each serves one statement at a time, which
    /// takes about a millisecond. Where the server has room for fewer, requests wait for those.
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

    /// How long connecting may take, 800 ms by default. Several hosts, and several addresses of one,
    /// share this time.
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

    /// How long a connection may be idle, 3 minutes by default: then it is closed rather than used. Set
    /// it below the time after which a proxy or a firewall in between forgets a connection. A
    /// connection that was idle for 10 seconds has to show a sign of life before it is used, which
    /// takes a round trip.
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

    /// How long the answer to a statement may take, 1 s by default. Together with the time to
    /// connect it should be less than the session layer's own limit
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

    /// Whether the store makes its tables when it is first used, and brings them up to date: on by
    /// default. Switch it off where the service's user may not create tables, and call
    /// [`PostgresStore::migrate`] as one who may.
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

    /// Whether the store learns of sessions that end in other processes by `LISTEN`, on a connection besides
    /// the pool's: on by default. Nothing listens unless the application waits for the end of a session
    /// ([`Session::ended`](carafe::Session::ended)).
    ///
    /// Behind PgBouncer that pools by transaction nothing is heard. The store finds that out, and then asks
    /// in the interval that [`Config::watch_interval`](carafe::Config::watch_interval) sets; without
    /// listening it does only that.
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

    /// The schema with the tables. It is made at first use if it is missing and the role may do so. By
    /// default it is the first schema of the role's search path that exists.
    ///
    /// Two services in one database need a schema each: in the same one they share their sessions, and
    /// the end of a user's sessions in one is their end in the other.
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

    /// A file with the password, which is read for every new connection: a password that is changed
    /// there takes no restart. Line breaks at its end don't count.
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

    /// Whether the server parses each statement once per connection and remembers it, which takes
    /// more than half off what it has to do for a session: off by default. Switch it on where no
    /// pooler is in between, or one that knows of prepared statements. PgBouncer that pools by
    /// transaction does from version 1.21 on, if `max_prepared_statements` is set; an older one may run
    /// another process' statement instead.
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

    /// Trusts servers whose certificate this authority has signed, and no others: a certificate in
    /// PEM. By default the operating system's authorities are trusted, or those in the file that
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

    /// Shows servers that ask for one a certificate, with its key, both in PEM. `sslcert` and `sslkey`
    /// in the URL name files with them.
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

    /// The store. It connects when it is first used.
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
