use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use carafe::store::{StoreError, StoreErrorKind};
use redis::{ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

use crate::RedisStore;
use crate::cluster::Cluster;
use crate::connect::Connecting;
use crate::link::{Link, Settings};
use crate::open;
use crate::store::Server;

/// The settings with which a [`RedisStore`] finds and uses its server.
///
/// ```
/// use carafe_redis::RedisStore;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::options("redis://127.0.0.1:6379").prefix("shop").open()?;
/// # let _ = store;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisOptions {
    url: String,
    prefix: String,
    settings: Settings,
    replicas: u32,
    #[cfg(feature = "tls")]
    tls: crate::tls::Certificates,
}

impl RedisOptions {
    pub(crate) fn new(url: String) -> Self {
        Self {
            url,
            prefix: "carafe".to_owned(),
            settings: Settings {
                connecting: Connecting {
                    timeout: Duration::from_millis(800),
                    password: None,
                    allow_eviction: false,
                    evicts: Arc::default(),
                },
                answer: Duration::from_secs(1),
                max_idle: Duration::from_secs(120),
            },
            replicas: 0,
            #[cfg(feature = "tls")]
            tls: crate::tls::Certificates::default(),
        }
    }

    /// Sets the beginning of all names of keys, for services that share a server: `carafe` by
    /// default.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379")
    ///     .prefix("shop")
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the time limit for connecting: 800 ms by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379")
    ///     .connect_timeout(Duration::from_millis(300))
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connecting.timeout = timeout;
        self
    }

    /// Sets the time limit for the answer to a command: 1 s by default. Together with the time
    /// limit for connecting it should be less than the session layer's own limit
    /// ([`Config::store_timeout`](carafe::Config::store_timeout)).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379")
    ///     .answer_timeout(Duration::from_millis(500))
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.settings.answer = timeout;
        self
    }

    /// Sets the time for which a connection may be idle and still be used: two minutes by default.
    /// After that the next command has a new connection: firewalls and load balancers silently
    /// forget connections, and a command on a forgotten one is lost.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379")
    ///     .max_idle(Duration::from_secs(30))
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_idle(mut self, idle: Duration) -> Self {
        self.settings.max_idle = idle;
        self
    }

    /// Asks for the password whenever a connection is made, instead of taking the one in the URL: for
    /// passwords that change while the service runs. A user's name stays in the URL. Connections that
    /// are there already go on with the password that they were made with, as Redis has it.
    ///
    /// The function is called by the task that connects, and had better not block for long.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://sessions@127.0.0.1:6379")
    ///     .password(|| {
    ///         let password = std::fs::read_to_string("/run/secrets/redis");
    ///         password.unwrap_or_default().trim().to_owned()
    ///     })
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn password(mut self, password: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.settings.connecting.password = Some(Arc::new(password));
        self
    }

    /// Sets whether the store uses a server that drops keys when its memory is full: one with a
    /// `maxmemory` and another `maxmemory-policy` than `noeviction`. By default it does not:
    /// connecting to such a server fails, with an error that says so.
    ///
    /// Such a server forgets sessions in use and ended sessions: a cookie that was logged out works
    /// again when its revocation is dropped, and `logout_everywhere` misses sessions when the index
    /// of the user's sessions is dropped. If this is allowed, the log has a warning for each
    /// connection, and the index of an active user is touched once a minute, so that it isn't
    /// evicted first.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379")
    ///     .allow_eviction(true)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_eviction(mut self, allow: bool) -> Self {
        self.settings.connecting.allow_eviction = allow;
        self
    }

    /// Sets the number of replicas that must know of the end of a session before it is
    /// acknowledged: zero by default. Set it for Redis with automatic failover, where an ended
    /// session returns if the replica that takes over had not heard of its end.
    ///
    /// Logouts, new ids and revocations then take another round trip to the replicas, and fail with
    /// [`StoreErrorKind::Uncertain`] while there are fewer replicas. They have a connection of
    /// their own, which serves one after the other. With more replicas than this number the
    /// protection is not complete, since any of them may take over.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379")
    ///     .replicas_know_of_endings(1)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn replicas_know_of_endings(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// Trusts only servers whose certificate this authority has signed: a certificate in PEM. By
    /// default the operating system's authorities are trusted.
    ///
    /// ```no_run
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("rediss://redis.internal:6379")
    ///     .root_certificate(std::fs::read("/etc/ssl/internal.pem")?)
    ///     .open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.root = Some(pem.into());
        self
    }

    /// Sets the certificate and its key that the client shows to the server, in PEM.
    ///
    /// ```no_run
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("rediss://redis.internal:6379")
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
        self.tls.client = Some((certificate.into(), key.into()));
        self
    }

    /// Creates the store. It connects when it is first used.
    ///
    /// ```
    /// use carafe_redis::RedisStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::options("redis://127.0.0.1:6379").open()?;
    /// # let _ = store;
    /// assert!(RedisStore::options("no URL").open().is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the URL or a certificate can't be read.
    pub fn open(self) -> Result<RedisStore, StoreError> {
        let server = match split_cluster(&self.url) {
            Some(urls) => {
                let seeds = urls.iter().map(|url| self.connection_info(url));
                let seeds = seeds.collect::<Result<_, _>>()?;
                Server::Cluster(Box::new(Cluster::new(seeds, self.settings.clone())))
            }
            None => {
                let (info, server) = (self.connection_info(&self.url)?, open::Server::new());
                let link = || Link::new(info.clone(), self.settings.clone(), Arc::clone(&server));
                Server::Single(Box::new([link(), link()]))
            }
        };
        let evicts = self.settings.connecting.evicts;
        Ok(RedisStore::new_with(server, self.prefix, self.replicas, evicts))
    }

    fn connection_info(&self, url: &str) -> Result<ConnectionInfo, StoreError> {
        let info = url.into_connection_info().map_err(|_| unreadable())?;
        // The newer protocol tells when a connection breaks, before a command is sent on it.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(settings);
        #[cfg(feature = "tls")]
        let info = self.tls.apply(info)?;
        Ok(info)
    }
}

impl fmt::Debug for RedisOptions {
    /// Shows neither the URL, which may hold a password, nor a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The URLs of a Cluster's nodes: `redis-cluster://host:port?node=host:port&node=host:port`, where
/// user, password and the kind of connection are the same for all.
fn split_cluster(url: &str) -> Option<Vec<String>> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme {
        "redis-cluster" | "valkey-cluster" => "redis",
        "rediss-cluster" | "valkeys-cluster" => "rediss",
        _ => return None,
    };
    let (first, query) = rest.split_once('?').unwrap_or((rest, ""));
    let first = first.trim_end_matches('/');
    let credentials = first.rsplit_once('@').map_or("", |(credentials, _)| credentials);
    let at = if credentials.is_empty() { "" } else { "@" };
    let others = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("node="))
        .map(|node| format!("{scheme}://{credentials}{at}{node}"));
    Some(std::iter::once(format!("{scheme}://{first}")).chain(others).collect())
}

fn unreadable() -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "the URL of the Redis server can't be read: it must be like \
         redis://user:password@host:6379/0, rediss://… with TLS, or \
         redis-cluster://host:6379?node=host2:6379 for a Cluster; special characters in the \
         password have to be percent-encoded",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_s_nodes_share_the_credentials() {
        let urls = split_cluster("rediss-cluster://u:p@a:1/?node=b:2&node=c:3").unwrap();
        assert_eq!(urls, ["rediss://u:p@a:1", "rediss://u:p@b:2", "rediss://u:p@c:3"]);
        assert_eq!(split_cluster("redis-cluster://a:1").unwrap(), ["redis://a:1"]);
        assert_eq!(split_cluster("redis://a:1"), None);
    }

    #[test]
    fn nothing_shows_the_password() {
        let options = RedisOptions::new("redis://:pa55@[broken".to_owned());
        let shown = format!("{options:?} {:?}", options.clone().open());
        assert!(!shown.contains("pa55"), "{shown}");
        let store = RedisOptions::new("redis://:pa55@localhost".to_owned()).open().unwrap();
        assert!(!format!("{store:?}").contains("pa55"));
    }
}
