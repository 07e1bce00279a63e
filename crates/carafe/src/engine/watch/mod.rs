//! The watch of sessions whose end is awaited.
//!
//! One task per layer checks all watched sessions. It checks a session:
//!
//! 1. when the watch begins, since the session may have ended just before,
//! 2. when the store sends a notice that it may have ended,
//! 3. once per interval, since notices may be lost,
//! 4. when it expires.
//!
//! The task ends when no session is watched any more, or with its runtime. In the latter case, the
//! waiting futures start a new task in their own runtime.

mod current_id;
mod table;
mod task;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::current_id::CurrentId;
use crate::Error;
use crate::id::SessionIdHash;
use crate::store::{Notices, UserHash};

/// The future of a check, with the results in the order of the sessions.
pub(crate) type Looking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Found>, Error>> + Send + 'a>>;

/// A store whose sessions can be checked.
pub(crate) trait Look: Send + Sync + 'static {
    /// The data that a check of a session needs besides its id.
    type Mark: Send + Sync;

    /// Begins to receive the store's notices, if it sends any.
    fn notices(&self) -> Option<Notices>;

    /// Checks some sessions.
    fn look<'a>(&'a self, sessions: &'a [(SessionIdHash, &'a Self::Mark)]) -> Looking<'a>;

    /// Returns whether a session belongs to a user.
    fn is_of(mark: &Self::Mark, user: &UserHash) -> bool;

    /// Merges the data that two requests have about one session.
    fn merge(mark: &mut Self::Mark, other: Self::Mark);
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The session has ended.
    Ended,
    /// The session exists.
    Here {
        /// The hash of its present id.
        id: SessionIdHash,
        /// The number of seconds after which it ends unless it is used.
        left: u64,
    },
}

/// A session whose end is awaited.
pub(crate) struct Watched<M> {
    current: Arc<CurrentId>,
    mark: M,
    waiting: oneshot::Sender<()>,
}

/// The watched sessions of a layer.
pub(crate) struct Watch<L: Look> {
    interval: Duration,
    /// The channel to the task, for new sessions; `None` before the first.
    door: Mutex<Option<mpsc::UnboundedSender<Watched<L::Mark>>>>,
}

impl<L: Look> Watch<L> {
    /// Creates an empty watch, which checks each session once per `interval`.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, door: Mutex::default() }
    }

    /// Watches a session. The receiver resolves when it has ended, and gives an error if the task
    /// has ended first.
    pub(crate) fn add(
        &self,
        of: &Arc<L>,
        current: Arc<CurrentId>,
        mark: L::Mark,
    ) -> oneshot::Receiver<()> {
        let (waiting, ended) = oneshot::channel();
        let new = Watched { current, mark, waiting };
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        let new = match door.as_ref() {
            None => new,
            Some(open) => match open.send(new) {
                Ok(()) => return ended,
                // The task has ended.
                Err(refused) => refused.0,
            },
        };
        let (open, news) = mpsc::unbounded_channel();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(task::run(Arc::clone(of), news, self.interval));
            // The task receives it, or drops it when it ends.
            let _ = open.send(new);
            *door = Some(open);
        }
        ended
    }
}

impl<L: Look> fmt::Debug for Watch<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("interval", &self.interval).finish_non_exhaustive()
    }
}
