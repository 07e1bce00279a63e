//! A connection, and the state that its task and its users share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::task::AbortHandle;

use crate::error::Failure;
use crate::verdict::{Effect, Health, verdict};

/// The knowledge of a server, shared by all connections to it.
#[derive(Debug)]
pub(crate) struct Server {
    /// The number of connections to it that were found dead.
    losses: AtomicU64,
    /// The origin of the times.
    began: Instant,
}

impl Server {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { losses: AtomicU64::new(0), began: Instant::now() })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) connection: MultiplexedConnection,
    fate: Arc<Fate>,
}

/// The shared state of a connection.
#[derive(Default)]
pub(crate) struct Fate {
    /// Set by the connection's task when the connection breaks, and when the task ends.
    broken: AtomicBool,
    /// The task that reads and writes, or a task that ends with the client's own.
    task: OnceLock<AbortHandle>,
    /// The time of the last answer, in milliseconds.
    answered: AtomicU64,
    /// The number of the server's losses that this connection has outlived: it answered after them.
    outlived: AtomicU64,
}

impl Fate {
    pub(crate) fn break_off(&self) {
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
    /// Creates a connection that ends with this runtime. `work` reads from it and writes to it.
    pub(crate) fn new(
        connection: MultiplexedConnection,
        fate: Arc<Fate>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let ends = Ends(Arc::downgrade(&fate));
        let task = tokio::spawn(async move {
            let _ends = ends;
            work.await;
        });
        // No task was set before.
        let _ = fate.task.set(task.abort_handle());
        Self { connection, fate }
    }

    /// Whether the next command can be sent on the connection. A firewall may have forgotten one
    /// that was idle for long, and one that was idle while another lost its answer has lost its
    /// server, too.
    pub(crate) fn is_usable(&self, server: &Server, max_idle: Duration) -> bool {
        let idle = server.now().saturating_sub(self.fate.answered.load(Ordering::Relaxed));
        !self.fate.broken.load(Ordering::Relaxed)
            && u128::from(idle) <= max_idle.as_millis()
            && self.fate.outlived.load(Ordering::Relaxed) == server.losses.load(Ordering::Relaxed)
    }

    /// Whether the connection, or its runtime, has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.fate.broken.load(Ordering::Relaxed)
    }

    /// Records that the server has answered.
    pub(crate) fn note_answer(&self, server: &Server) {
        self.fate.answered.store(server.now(), Ordering::Relaxed);
        self.fate.outlived.store(server.losses.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Returns the failure of a command, by the known effect of this error.
    pub(crate) fn judge(&self, server: &Server, error: RedisError) -> Failure {
        let verdict = verdict(&error);
        match verdict.health {
            Health::Good => self.note_answer(server),
            Health::Suspect => self.fate.break_off(),
            Health::Dead => {
                self.fate.break_off();
                server.losses.fetch_add(1, Ordering::Relaxed);
            }
        }
        match verdict.effect {
            Effect::NotDone(_) => Failure::Refused(error),
            Effect::Unknown => Failure::Lost(error),
        }
    }
}

/// Breaks off a connection when its task ends, which is at the latest when its runtime ends.
struct Ends(std::sync::Weak<Fate>);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(fate) = self.0.upgrade() {
            fate.break_off();
        }
    }
}
