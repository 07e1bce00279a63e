//! A connection, and what becomes of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::task::AbortHandle;

use crate::error::Failure;
use crate::verdict::{Effect, Health, verdict};

/// What is known of a server, shared by all connections to it.
#[derive(Debug)]
pub(crate) struct Server {
    /// How often a connection to it was found dead.
    losses: AtomicU64,
    /// What times are counted from.
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

/// What becomes of a connection.
#[derive(Default)]
pub(crate) struct Fate {
    /// Set when the connection breaks, by the task that reads from it, and when that task ends.
    broken: AtomicBool,
    /// The task that reads and writes, or, if the client has one for that, one that ends with it.
    task: OnceLock<AbortHandle>,
    /// When the last answer came, in milliseconds.
    answered: AtomicU64,
    /// How many losses of the server it has outlived.
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
    /// A connection of this runtime, with which it ends. `work` is what reads and writes.
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
        // It has none yet.
        let _ = fate.task.set(task.abort_handle());
        Self { connection, fate }
    }

    /// Whether the next command can be sent on it. One that was idle for long may have been forgotten by
    /// something in between, and one that was idle while another lost its answer has lost its server, too.
    pub(crate) fn is_usable(&self, server: &Server, max_idle: Duration) -> bool {
        let idle = server.now().saturating_sub(self.fate.answered.load(Ordering::Relaxed));
        !self.fate.broken.load(Ordering::Relaxed)
            && u128::from(idle) <= max_idle.as_millis()
            && self.fate.outlived.load(Ordering::Relaxed) == server.losses.load(Ordering::Relaxed)
    }

    /// Whether it, or its runtime, has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.fate.broken.load(Ordering::Relaxed)
    }

    /// Notes that the server is there.
    pub(crate) fn note_answer(&self, server: &Server) {
        self.fate.answered.store(server.now(), Ordering::Relaxed);
        self.fate.outlived.store(server.losses.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// What is known of a command that failed with this error.
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

/// Breaks off a connection when its task ends, which is when its runtime does.
struct Ends(std::sync::Weak<Fate>);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(fate) = self.0.upgrade() {
            fate.break_off();
        }
    }
}
