use std::fmt;
use std::time::Duration;

use carafe::store::{StoreError, StoreErrorKind};
use tokio_postgres::Config;

use crate::PostgresStore;
use crate::pool::{Pool, Timeouts};
use crate::tls::Tls;

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
    pool_size: usize,
    timeouts: Timeouts,
    migrates: bool,
    prepares: bool,
    #[cfg(feature = "tls")]
    root_certificate: Option<Vec<u8>>,
}

impl PostgresOptions {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            pool_size: 8,
            timeouts: Timeouts {
                connect: Duration::from_millis(800),
                answer: Duration::from_secs(1),
            },
            migrates: true,
            prepares: false,
            #[cfg(feature = "tls")]
            root_certificate: None,
        }
    }

    /// The largest number of connections, 8 by default. Each serves one statement at a time, which
    /// takes about a millisecond.
    pub fn pool_size(mut self, connections: usize) -> Self {
        self.pool_size = connections.max(1);
        self
    }

    /// How long connecting may take, 800 ms by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// How long the answer to a statement may take, 1 s by default. Together with the time to
    /// connect it should be less than the session layer's own limit
    /// ([`Config::store_timeout`](carafe::Config::store_timeout)).
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.answer = timeout;
        self
    }

    /// Whether the store makes its tables when it is first used, and brings them up to date: on by
    /// default. Switch it off where the service's user may not create tables, and call
    /// [`PostgresStore::migrate`] as one who may.
    pub fn migrate_at_first_use(mut self, on: bool) -> Self {
        self.migrates = on;
        self
    }

    /// Whether the server parses each statement once per connection and remembers it, which takes
    /// more than half off what it has to do for a session: off by default. Switch it on where no
    /// pooler is in between, or one that knows of prepared statements. PgBouncer that pools by
    /// transaction does from version 1.21 on, if `max_prepared_statements` is set; an older one may run
    /// another process' statement instead.
    pub fn prepared_statements(mut self, on: bool) -> Self {
        self.prepares = on;
        self
    }

    /// Trusts servers whose certificate this authority has signed, and no others: a certificate in
    /// PEM. By default the operating system's authorities are trusted.
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// The store. It connects when it is first used.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the URL or the certificate can't be read.
    pub fn open(self) -> Result<PostgresStore, StoreError> {
        let mut config: Config = self.url.parse().map_err(|_| unreadable())?;
        if config.get_application_name().is_none() {
            config.application_name("carafe");
        }
        #[cfg(feature = "tls")]
        let tls = Tls::new(self.root_certificate.as_deref())?;
        #[cfg(not(feature = "tls"))]
        let tls = Tls;
        let pool = Pool::new(config, tls, self.timeouts, self.pool_size, self.prepares);
        Ok(PostgresStore::new_with(pool, self.migrates))
    }
}

impl fmt::Debug for PostgresOptions {
    /// Shows nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("pool_size", &self.pool_size)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

fn unreadable() -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "the URL of the PostgreSQL server can't be read: it must be like \
         postgres://user:password@host:5432/database, with ?sslmode=require to insist on TLS; \
         special characters in the password have to be percent-encoded",
    )
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
