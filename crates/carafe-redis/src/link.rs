use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use carafe::store::TimeLimit;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, Pipeline,
    PushInfo, PushKind, RedisError, ServerErrorKind, Value,
};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::error::Failure;
use crate::gathered::Gathered;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) answer: Duration,
}

/// A server, and the one connection that all commands to it share.
///
/// A connection that broke is replaced when the next command comes. No command is sent twice.
pub(crate) struct Link {
    client: Client,
    timeouts: Timeouts,
    /// For each answer.
    limit: TimeLimit,
    open: Mutex<Option<Open>>,
    /// Held while connecting, so that all who wait share one attempt: how the last one failed.
    connecting: tokio::sync::Mutex<Option<RedisError>>,
    /// Whether the last connection broke, or couldn't be made.
    failed: AtomicBool,
}

#[derive(Clone)]
struct Open {
    connection: MultiplexedConnection,
    fate: Arc<Fate>,
}

/// What becomes of a connection.
#[derive(Default)]
struct Fate {
    /// Set when the connection breaks, by the task that reads from it.
    broken: AtomicBool,
    /// The task that reads and writes, unless the client has one for that.
    task: OnceLock<AbortHandle>,
}

impl Fate {
    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    fn break_off(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl Open {
    /// What is known of a command that failed with this error.
    fn judge(&self, error: RedisError) -> Failure {
        if error.code().is_none() {
            // After a timeout too: the server may be gone without a word.
            self.fate.break_off();
            return Failure::Lost(error);
        }
        // A primary that has become a replica: its name may lead to another server now.
        if error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly) {
            self.fate.break_off();
        }
        Failure::Refused(error)
    }
}

impl Link {
    pub(crate) fn new(info: ConnectionInfo, timeouts: Timeouts) -> Result<Self, RedisError> {
        Ok(Self {
            client: Client::open(info)?,
            timeouts,
            limit: TimeLimit::new(timeouts.answer),
            open: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            failed: AtomicBool::new(false),
        })
    }

    /// Whether the server may be gone: to find out takes as long as connecting may take.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.usable().is_none() && self.failed.load(Ordering::Relaxed)
    }

    /// Sends a command and waits for the answer.
    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        let mut open = self.connection().await?;
        let answer = {
            let answer = pin!(open.connection.send_packed_command(command));
            self.in_time(answer).await
        };
        answer.and_then(Value::extract_error).map_err(|error| open.judge(error))
    }

    /// Sends a command, and waits until so many replicas have done it as well. Until then the
    /// connection does nothing else.
    pub(crate) async fn send_to_replicas(
        &self,
        command: &Cmd,
        replicas: u32,
    ) -> Result<Value, Failure> {
        let mut all = Pipeline::with_capacity(2);
        all.add_command(command.clone()).add_command(self.wait_for(replicas));
        let [answer, have] = self.send_all(&all).await?;
        acknowledged(answer?, &have?, replicas)
    }

    /// Sends a command to a node that is taking the key over from another, and waits until so many
    /// replicas have done it as well.
    pub(crate) async fn send_asking(&self, command: &Cmd, replicas: u32) -> Result<Value, Failure> {
        // In one write, since the word counts for the connection's next command only.
        let mut all = Pipeline::with_capacity(3);
        all.cmd("ASKING").add_command(command.clone());
        if replicas == 0 {
            let [_, answer] = self.send_all(&all).await?;
            return answer;
        }
        all.add_command(self.wait_for(replicas));
        let [_, answer, have] = self.send_all(&all).await?;
        acknowledged(answer?, &have?, replicas)
    }

    fn wait_for(&self, replicas: u32) -> Cmd {
        // Its own answer has to be in time.
        let patience = self.timeouts.answer.mul_f32(0.8).as_millis();
        let patience = u64::try_from(patience).unwrap_or(u64::MAX).max(1);
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas).arg(patience);
        wait
    }

    /// Sends commands in one write. What the outer error says goes for all.
    async fn send_all<const N: usize>(
        &self,
        all: &Pipeline,
    ) -> Result<[Result<Value, Failure>; N], Failure> {
        let mut open = self.connection().await?;
        let answers = {
            let answers = pin!(open.connection.send_packed_commands(all, 0, N));
            self.in_time(answers).await
        };
        let answers = answers.map_err(|error| open.judge(error))?;
        let answers = <[Value; N]>::try_from(answers).map_err(|_| {
            let text = "there were not as many answers as commands";
            open.judge((ErrorKind::UnexpectedReturnType, text).into())
        })?;
        Ok(answers.map(|answer| answer.extract_error().map_err(|error| open.judge(error))))
    }

    /// The answer is pinned already, since each function that it is handed to would make its own
    /// future larger by it.
    async fn in_time<T>(
        &self,
        answer: Pin<&mut impl Future<Output = Result<T, RedisError>>>,
    ) -> Result<T, RedisError> {
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut).into());
        self.limit.run(answer).await.unwrap_or_else(late)
    }

    async fn connection(&self) -> Result<Open, Failure> {
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        let (mut last_error, waited) = match self.connecting.try_lock() {
            Ok(guard) => (guard, false),
            Err(_) => (self.connecting.lock().await, true),
        };
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        // Whoever waited for another's attempt shares its outcome.
        if waited && let Some(error) = last_error.as_ref() {
            return Err(Failure::NotSent(error.clone()));
        }
        match Box::pin(self.connect()).await {
            Ok(open) => {
                *last_error = None;
                self.failed.store(false, Ordering::Relaxed);
                *self.slot() = Some(open.clone());
                Ok(open)
            }
            Err(error) => {
                *last_error = Some(error.clone());
                self.failed.store(true, Ordering::Relaxed);
                Err(Failure::NotSent(error))
            }
        }
    }

    async fn connect(&self) -> Result<Open, RedisError> {
        let fate = Arc::new(Fate::default());
        let told = Arc::downgrade(&fate);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeouts.connect))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(1024)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection
                    && let Some(fate) = told.upgrade()
                {
                    fate.break_off();
                }
                Ok::<(), std::convert::Infallible>(())
            });
        let info = self.client.get_connection_info();
        let is_alone = Handle::current().metrics().num_workers() == 1;
        let (ConnectionAddr::Tcp(host, port), true) = (info.addr(), is_alone) else {
            // With TLS, over a socket of Unix', or where several threads share the work.
            let client = &self.client;
            let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            return Ok(Open { connection, fate });
        };
        let connecting = async {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            let stream = Gathered::new(stream);
            MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await
        };
        let late = |_| RedisError::from(io::Error::from(io::ErrorKind::TimedOut));
        let (connection, work) =
            timeout(self.timeouts.connect, connecting).await.map_err(late)??;
        let _ = fate.task.set(tokio::spawn(work).abort_handle());
        Ok(Open { connection, fate })
    }

    fn usable(&self) -> Option<Open> {
        let mut slot = self.slot();
        if slot.as_ref().is_some_and(|open| open.fate.is_broken()) {
            *slot = None;
            self.failed.store(true, Ordering::Relaxed);
        }
        slot.clone()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer to a command, if enough replicas have done it.
fn acknowledged(answer: Value, have: &Value, replicas: u32) -> Result<Value, Failure> {
    match have {
        Value::Int(have) if *have >= i64::from(replicas) => Ok(answer),
        _ => Err(Failure::Lost(
            (ErrorKind::Io, "it is done, and fewer replicas have it than were asked for").into(),
        )),
    }
}
