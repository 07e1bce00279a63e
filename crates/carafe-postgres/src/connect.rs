//! The opening of connections.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use carafe::store::{StoreError, TimeLimit};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, SslMode, TargetSessionAttrs};

use crate::connection::{Connection, Heard};
use crate::error::{cannot_connect, reason};
use crate::greeting::{Accepts, Greeting};
use crate::socket::Socket;
use crate::sqlstate::Verdict;
use crate::tls::Tls;

/// The reason why a program without TLS connects to this machine only.
const WITHOUT_TLS: &str = "TLS is required beyond this machine, and this program was built without it; \
                           build `carafe-postgres` with its feature `tls`, or add `sslmode=disable` to \
                           the URL if nothing in between can listen";

/// Opens connections to the hosts of a URL.
pub(crate) struct Connector {
    config: Config,
    tls: Tls,
    /// Whether the URL sets the use of TLS.
    says_tls: bool,
    password_file: Option<PathBuf>,
    limit: Duration,
    /// The channel for notifications of a connection that listens; `None` for other connections.
    heard: Option<Heard>,
    /// The time and the failure of the last failed attempt.
    failed: Mutex<Option<(Instant, Failed)>>,
}

/// A connection that could not be opened.
pub(crate) struct Refused {
    pub(crate) error: StoreError,
    /// Whether the server has no room for another connection, while the open ones go on.
    pub(crate) is_full: bool,
}

/// The reason why a connection could not be opened.
#[derive(Clone)]
struct Failed {
    reason: String,
    is_full: bool,
}

/// A host, or one of its addresses.
struct Target {
    /// The name that the server's certificate must have.
    name: String,
    address: Address,
    port: u16,
}

enum Address {
    Tcp(IpAddr),
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Connector {
    pub(crate) fn new(
        config: Config,
        tls: Tls,
        says_tls: bool,
        password_file: Option<PathBuf>,
        limit: Duration,
    ) -> Self {
        let (heard, failed) = (None, Mutex::default());
        Self { config, tls, says_tls, password_file, limit, heard, failed }
    }

    /// Returns a connector whose connections put their notifications into `heard`.
    pub(crate) fn listening(&self, heard: Heard) -> Self {
        Self {
            config: self.config.clone(),
            tls: self.tls.clone(),
            says_tls: self.says_tls,
            password_file: self.password_file.clone(),
            limit: self.limit,
            heard: Some(heard),
            failed: Mutex::default(),
        }
    }

    /// Opens a connection. A request that waited while another one failed shares its outcome.
    pub(crate) async fn connect(&self, began: Instant) -> Result<Connection, Refused> {
        if let Some((at, failed)) = self.failed().as_ref()
            && *at > began
        {
            return Err(failed.clone().into());
        }
        let failed = match self.connect_in_time().await {
            Ok(connection) => return Ok(connection),
            Err(failed) => failed,
        };
        // Another host may have room.
        if !failed.is_full {
            *self.failed() = Some((Instant::now(), failed.clone()));
        }
        Err(failed.into())
    }

    async fn connect_in_time(&self) -> Result<Connection, Failed> {
        let config = self.config_with_password()?;
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        let count = hosts.len().max(addresses.len());
        let share = share(self.limit, count);
        let mut failed = Failed::because("its URL names no host");
        for at in self.order(count) {
            // A silent host leaves time for the others.
            let connecting = self.connect_to(&config, at, share);
            failed = match TimeLimit::new(share).run(connecting).await {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(failed)) => failed,
                None => Failed::late(share),
            };
        }
        Err(failed)
    }

    fn config_with_password(&self) -> Result<Config, Failed> {
        let mut config = self.config.clone();
        if let Some(file) = &self.password_file {
            let password = std::fs::read(file).map_err(|error| {
                Failed::because(format!("the file with its password can't be read: {error}"))
            })?;
            config.password(password.trim_ascii_end());
        }
        Ok(config)
    }

    /// The hosts' numbers, in the order in which they are tried.
    fn order(&self, count: usize) -> impl Iterator<Item = usize> {
        let first = match self.config.get_load_balance_hosts() {
            LoadBalanceHosts::Random => random(count),
            _ => 0,
        };
        (0..count).map(move |at| (first + at) % count)
    }

    async fn connect_to(
        &self,
        config: &Config,
        at: usize,
        limit: Duration,
    ) -> Result<Connection, Failed> {
        let targets = targets(config, at).await.map_err(|error| Failed::by(&error))?;
        let limit = share(limit, targets.len());
        let limit = config.get_connect_timeout().map_or(limit, |most| limit.min(*most));
        let mut failed = Failed::because("its name has no address");
        for target in targets {
            failed = match TimeLimit::new(limit).run(self.open(config, target)).await {
                Some(Ok(connection)) => return Ok(connection),
                Some(Err(failed)) => failed,
                None => Failed::late(limit),
            };
        }
        Err(failed)
    }

    async fn open(&self, config: &Config, target: Target) -> Result<Connection, Failed> {
        let mut config = config.clone();
        let socket = match target.address {
            Address::Tcp(address) => {
                let accepts = self.accepts(&config, address);
                if accepts == Accepts::NoServer && !cfg!(feature = "tls") {
                    return Err(Failed::because(WITHOUT_TLS));
                }
                let asks_for_tls =
                    cfg!(feature = "tls") && config.get_ssl_mode() != SslMode::Disable;
                let greeting = Greeting::new(asks_for_tls, accepts);
                let stream = TcpStream::connect((address, target.port)).await;
                let stream = stream.and_then(|stream| set_up(&config, stream));
                Socket::tcp(stream.map_err(|error| Failed::by(&error))?, greeting)
            }
            #[cfg(unix)]
            Address::Unix(folder) => {
                config.ssl_mode(SslMode::Disable);
                let file = folder.join(format!(".s.PGSQL.{}", target.port));
                let stream = tokio::net::UnixStream::connect(file).await;
                Socket::unix(stream.map_err(|error| Failed::by(&error))?)
            }
        };
        let connecting = self.tls.connect(&config, socket, target.name, self.heard.clone());
        let mut connection = connecting.await.map_err(|error| Failed::of(&error))?;
        let wanted = config.get_target_session_attrs();
        if wanted != TargetSessionAttrs::Any {
            let is_read_only =
                connection.is_read_only().await.map_err(|error| Failed::of(&error))?;
            if is_read_only != (wanted == TargetSessionAttrs::ReadOnly) {
                return Err(Failed::because("no host is as `target_session_attrs` wants it"));
            }
        }
        Ok(connection)
    }

    /// Returns which servers without TLS are accepted at an address.
    fn accepts(&self, config: &Config, address: IpAddr) -> Accepts {
        let is_local = address.to_canonical().is_loopback();
        match (config.get_ssl_mode(), self.says_tls) {
            _ if is_local => Accepts::Anything,
            // With `require` the driver itself insists on TLS.
            (SslMode::Disable | SslMode::Require, _) => Accepts::Anything,
            (_, true) => Accepts::HashedPassword,
            (_, false) => Accepts::NoServer,
        }
    }

    fn failed(&self) -> MutexGuard<'_, Option<(Instant, Failed)>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failed {
    fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_full: false }
    }

    fn late(limit: Duration) -> Self {
        Self::because(format!("it took over {limit:?}"))
    }

    fn by(error: &io::Error) -> Self {
        Self::because(format!("error connecting to server: {error}"))
    }

    fn of(error: &tokio_postgres::Error) -> Self {
        let is_full = error.code().is_some_and(|code| Verdict::is_full(code.code()));
        Self { reason: reason(error), is_full }
    }
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        Self { error: cannot_connect(&failed.reason), is_full: failed.is_full }
    }
}

/// The share of the time that each of several attempts gets.
fn share(time: Duration, attempts: usize) -> Duration {
    time / u32::try_from(attempts).unwrap_or(1).max(1)
}

/// The addresses of a host, by its number.
async fn targets(config: &Config, at: usize) -> io::Result<Vec<Target>> {
    let ports = config.get_ports();
    let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let host = config.get_hosts().get(at);
    let name = match host {
        Some(Host::Tcp(name)) => name.clone(),
        _ => String::new(),
    };
    let target = |name: &str, address| Target { name: name.to_owned(), address, port };
    if let Some(&address) = config.get_hostaddrs().get(at) {
        let name = if name.is_empty() { address.to_string() } else { name };
        return Ok(vec![target(&name, Address::Tcp(address))]);
    }
    #[cfg(unix)]
    if let Some(Host::Unix(folder)) = host {
        return Ok(vec![target("", Address::Unix(folder.clone()))]);
    }
    let addresses = lookup_host((name.as_str(), port)).await?;
    Ok(addresses.map(|address| target(&name, Address::Tcp(address.ip()))).collect())
}

fn set_up(config: &Config, stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    if config.get_keepalives() {
        let keepalive = TcpKeepalive::new().with_time(config.get_keepalives_idle());
        #[cfg(not(target_os = "openbsd"))]
        let keepalive = match config.get_keepalives_interval() {
            Some(interval) => keepalive.with_interval(interval),
            None => keepalive,
        };
        #[cfg(not(any(target_os = "openbsd", target_os = "windows")))]
        let keepalive = match config.get_keepalives_retries() {
            Some(retries) => keepalive.with_retries(retries),
            None => keepalive,
        };
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    if let Some(timeout) = config.get_tcp_user_timeout() {
        socket.set_tcp_user_timeout(Some(*timeout))?;
    }
    Ok(stream)
}

/// A number below a bound, for the choice of a host.
fn random(below: usize) -> usize {
    use std::hash::{BuildHasher as _, RandomState};
    let number = RandomState::new().hash_one(0);
    usize::try_from(number % (below.max(1) as u64)).unwrap_or(0)
}
