//! A server, and the connections to it: one for each runtime.
//!
//! A connection belongs to the runtime of its task. Another runtime, such as another actix-web
//! worker's or the next test's, has a connection of its own: a shared one would lose its answers
//! when the first runtime ends.

use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carafe::store::TimeLimit;
use redis::{Cmd, ConnectionInfo, ErrorKind, Pipeline, RedisError, Value};
use tokio::runtime::{Handle, Id};

use crate::connect::{Connecting, Listening};
use crate::error::Failure;
use crate::open::{Open, Server};

/// The time limits for the use of a server.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) connecting: Connecting,
    /// The time limit for an answer.
    pub(crate) answer: Duration,
    /// The time for which a connection may be idle and still be used.
    pub(crate) max_idle: Duration,
}

/// A server, and the one connection of each runtime that all its commands share.
///
/// A connection that broke is replaced when the next command comes. No command is sent twice.
pub(crate) struct Link {
    info: ConnectionInfo,
    settings: Settings,
    server: Arc<Server>,
    /// The time limit of each answer.
    limit: TimeLimit,
    /// The connections by runtime. There are few.
    places: Mutex<Vec<(Id, Arc<Place>)>>,
    /// Whether the last connection broke, or couldn't be made.
    failed: AtomicBool,
}

/// A runtime's connection.
#[derive(Default)]
struct Place {
    open: Mutex<Option<Open>>,
    /// The lock of the attempt to connect, so that all waiting requests share one attempt, with the
    /// failure of the last one.
    connecting: tokio::sync::Mutex<Option<Failure>>,
}

impl Place {
    fn slot(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Creates a link. Links to the same server share their knowledge of it in `server`.
    pub(crate) fn new(info: ConnectionInfo, settings: Settings, server: Arc<Server>) -> Self {
        Self {
            info,
            limit: TimeLimit::new(settings.answer),
            settings,
            server,
            places: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    /// Opens a connection to the server that listens to a channel.
    pub(crate) async fn listen(&self, channel: &[u8]) -> Result<Listening, Failure> {
        self.settings.connecting.listen(&self.info, channel).await
    }

    /// Returns the shared knowledge of the server.
    pub(crate) fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Whether the server may be gone: the next command may take the whole time limit for
    /// connecting.
    pub(crate) fn is_doubtful(&self) -> bool {
        let usable = self.place().is_ok_and(|place| self.usable(&place).is_some());
        !usable && self.failed.load(Ordering::Relaxed)
    }

    /// Sends a command and waits for the answer.
    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        let mut open = self.connection().await?;
        let answer = {
            let answer = pin!(open.connection.send_packed_command(command));
            self.in_time(answer).await
        };
        self.judge(&open, answer.and_then(Value::extract_error))
    }

    /// Sends a command, and waits until `replicas` replicas have done it as well. Until then the
    /// connection does nothing else.
    pub(crate) async fn send_to_replicas(
        &self,
        command: &Cmd,
        replicas: u32,
    ) -> Result<Value, Failure> {
        let mut all = Pipeline::with_capacity(2);
        all.add_command(command.clone()).add_command(self.wait_for(replicas));
        let [answer, have] = self.send_all(&all).await?;
        acknowledged(answer?, have, replicas)
    }

    /// Sends a command to a node that is taking the key over from another, and waits until
    /// `replicas` replicas have done it as well.
    pub(crate) async fn send_asking(&self, command: &Cmd, replicas: u32) -> Result<Value, Failure> {
        // Both go in one write, since `ASKING` counts for the connection's next command only.
        let mut all = Pipeline::with_capacity(3);
        all.cmd("ASKING").add_command(command.clone());
        if replicas == 0 {
            let [_, answer] = self.send_all(&all).await?;
            return answer;
        }
        all.add_command(self.wait_for(replicas));
        let [_, answer, have] = self.send_all(&all).await?;
        acknowledged(answer?, have, replicas)
    }

    fn wait_for(&self, replicas: u32) -> Cmd {
        // The wait ends early enough for its own answer to be in time.
        let patience = self.settings.answer.mul_f32(0.8).as_millis();
        let patience = u64::try_from(patience).unwrap_or(u64::MAX).max(1);
        let mut wait = redis::cmd("WAIT");
        wait.arg(replicas).arg(patience);
        wait
    }

    /// Sends commands in one write. The outer error holds for all of them.
    async fn send_all<const N: usize>(
        &self,
        all: &Pipeline,
    ) -> Result<[Result<Value, Failure>; N], Failure> {
        let mut open = self.connection().await?;
        let answers = {
            let answers = pin!(open.connection.send_packed_commands(all, 0, N));
            self.in_time(answers).await
        };
        let answers = self.judge(&open, answers)?;
        let answers = <[Value; N]>::try_from(answers).map_err(|_| {
            let text = "there were not as many answers as commands";
            open.judge(&self.server, (ErrorKind::UnexpectedReturnType, text).into())
        })?;
        Ok(answers.map(|answer| self.judge(&open, answer.extract_error())))
    }

    /// Records the consequences of an answer for its connection.
    fn judge<T>(&self, open: &Open, answer: Result<T, RedisError>) -> Result<T, Failure> {
        match answer {
            Ok(answer) => {
                open.note_answer(&self.server);
                Ok(answer)
            }
            Err(error) => Err(open.judge(&self.server, error)),
        }
    }

    /// The answer is pinned by the caller, since each function that takes it by value would make
    /// its own future larger.
    async fn in_time<T>(
        &self,
        answer: Pin<&mut impl Future<Output = Result<T, RedisError>>>,
    ) -> Result<T, RedisError> {
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut).into());
        self.limit.run(answer).await.unwrap_or_else(late)
    }

    async fn connection(&self) -> Result<Open, Failure> {
        let place = self.place()?;
        if let Some(open) = self.usable(&place) {
            return Ok(open);
        }
        let (mut last_failure, waited) = match place.connecting.try_lock() {
            Ok(guard) => (guard, false),
            Err(_) => (place.connecting.lock().await, true),
        };
        if let Some(open) = self.usable(&place) {
            return Ok(open);
        }
        // A request that waited for another's attempt shares its outcome.
        if waited && let Some(failure) = last_failure.as_ref() {
            return Err(failure.clone());
        }
        match Box::pin(self.settings.connecting.connect(&self.info)).await {
            Ok(open) => {
                open.note_answer(&self.server);
                *last_failure = None;
                self.failed.store(false, Ordering::Relaxed);
                *place.slot() = Some(open.clone());
                Ok(open)
            }
            Err(failure) => {
                *last_failure = Some(failure.clone());
                self.failed.store(true, Ordering::Relaxed);
                Err(failure)
            }
        }
    }

    /// Returns the place of the current runtime.
    fn place(&self) -> Result<Arc<Place>, Failure> {
        let runtime = Handle::try_current().map_err(|_| {
            let text = "this thread is in no tokio runtime";
            Failure::NotSent(io::Error::other(text).into())
        })?;
        let id = runtime.id();
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, place)) = places.iter().find(|(other, _)| *other == id) {
            return Ok(Arc::clone(place));
        }
        // Removes the connections of runtimes that have ended.
        places.retain(|(_, place)| {
            let unused = Arc::strong_count(place) == 1;
            !unused || place.slot().as_ref().is_some_and(|open| !open.has_ended())
        });
        let place = Arc::<Place>::default();
        places.push((id, Arc::clone(&place)));
        Ok(place)
    }

    fn usable(&self, place: &Place) -> Option<Open> {
        let mut slot = place.slot();
        let open = slot.as_ref()?;
        if open.is_usable(&self.server, self.settings.max_idle) {
            return Some(open.clone());
        }
        if open.has_ended() {
            self.failed.store(true, Ordering::Relaxed);
        }
        *slot = None;
        None
    }
}

/// Returns the answer to a command, if enough replicas have done it.
///
/// The command is done, also where the server refuses to wait.
fn acknowledged(
    answer: Value,
    have: Result<Value, Failure>,
    replicas: u32,
) -> Result<Value, Failure> {
    match have {
        Ok(Value::Int(have)) if have >= i64::from(replicas) => Ok(answer),
        Err(Failure::Refused(error)) => Err(Failure::Lost(error)),
        Err(failure) => Err(failure),
        _ => Err(Failure::Lost(
            (ErrorKind::Io, "it is done, and fewer replicas have it than were asked for").into(),
        )),
    }
}
