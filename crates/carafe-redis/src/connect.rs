//! The way a connection is made.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use carafe::store::TimeLimit;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, PushInfo, PushKind, RedisError,
    cmd,
};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::error::Failure;
use crate::eviction::Policy;
use crate::gathered::Gathered;
use crate::open::{Fate, Open};

/// Returns the current password.
pub(crate) type Password = Arc<dyn Fn() -> String + Send + Sync>;

/// A connection that listens to a channel.
pub(crate) struct Listening {
    pub(crate) connection: MultiplexedConnection,
    /// The messages that the server sends without a question.
    pub(crate) told: mpsc::UnboundedReceiver<PushInfo>,
}

/// The settings of connections, the same for all servers of a store.
#[derive(Clone)]
pub(crate) struct Connecting {
    /// The time limit for connecting.
    pub(crate) timeout: Duration,
    /// The function that returns the password, instead of the password in the URL.
    pub(crate) password: Option<Password>,
    /// Whether the server may drop keys.
    pub(crate) allow_eviction: bool,
    /// Whether a server was found that drops keys, or that doesn't tell its policy.
    pub(crate) evicts: Arc<AtomicBool>,
}

impl Connecting {
    /// Connects, and checks whether the server is fit to keep sessions.
    pub(crate) async fn connect(&self, info: &ConnectionInfo) -> Result<Open, Failure> {
        let late = || Failure::NotSent(io::Error::from(io::ErrorKind::TimedOut).into());
        let limit = TimeLimit::new(self.timeout);
        limit.run(self.connect_and_look(info)).await.unwrap_or_else(|| Err(late()))
    }

    async fn connect_and_look(&self, info: &ConnectionInfo) -> Result<Open, Failure> {
        let mut open = self.open(info).await.map_err(Failure::NotSent)?;
        let answer = open.connection.send_packed_command(cmd("INFO").arg("memory")).await;
        let policy = match answer {
            // The answer may also be an error, such as for a missing right.
            Ok(answer) => Policy::read(&answer),
            Err(error) => return Err(Failure::NotSent(error)),
        };
        policy.accept(self.allow_eviction).map_err(Failure::Unfit)?;
        self.evicts.store(policy != Policy::Keeps, Ordering::Relaxed);
        Ok(open)
    }

    /// Connects, and subscribes to a channel.
    pub(crate) async fn listen(
        &self,
        info: &ConnectionInfo,
        channel: &[u8],
    ) -> Result<Listening, Failure> {
        let subscribe = async {
            let (pushes, told) = mpsc::unbounded_channel();
            let config = plain_config().set_push_sender(pushes);
            let client = Client::open(self.with_password(info))?;
            let mut connection =
                client.get_multiplexed_async_connection_with_config(&config).await?;
            connection.subscribe(channel).await?;
            Ok(Listening { connection, told })
        };
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut).into());
        let subscribed = TimeLimit::new(self.timeout).run(subscribe).await;
        subscribed.unwrap_or_else(late).map_err(Failure::NotSent)
    }

    /// Returns the address and the current password.
    fn with_password(&self, info: &ConnectionInfo) -> ConnectionInfo {
        let info = info.clone();
        match &self.password {
            Some(password) => {
                let settings = info.redis_settings().clone().set_password(password());
                info.set_redis_settings(settings)
            }
            None => info,
        }
    }

    async fn open(&self, info: &ConnectionInfo) -> Result<Open, RedisError> {
        let info = self.with_password(info);
        let fate = Arc::new(Fate::default());
        let told = Arc::downgrade(&fate);
        let config = plain_config().set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection
                && let Some(fate) = told.upgrade()
            {
                fate.break_off();
            }
            Ok::<(), std::convert::Infallible>(())
        });
        let is_alone = Handle::current().metrics().num_workers() == 1;
        let (ConnectionAddr::Tcp(host, port), true) = (info.addr(), is_alone) else {
            // For TLS, for Unix sockets, and where several threads share the work.
            let client = Client::open(info)?;
            let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            return Ok(Open::new(connection, fate, std::future::pending()));
        };
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let stream = Gathered::new(stream);
        let (connection, work) =
            MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
        Ok(Open::new(connection, fate, work))
    }
}

/// Without time limits of the client's own.
fn plain_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None)
        .set_pipeline_buffer_size(1024)
}

impl fmt::Debug for Connecting {
    /// Shows no password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting")
            .field("timeout", &self.timeout)
            .field("allow_eviction", &self.allow_eviction)
            .finish_non_exhaustive()
    }
}
