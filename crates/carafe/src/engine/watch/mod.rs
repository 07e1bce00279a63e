//! Waiting for the end of sessions.
//!
//! One task per layer looks after all sessions that something waits for. It looks at a session:
//!
//! 1. when it is first watched, since it may have ended just before,
//! 2. when the store tells that it may have ended,
//! 3. once per interval, since what the store tells may be lost,
//! 4. when it expires.
//!
//! The task ends when nothing waits any more, or with its runtime. In the latter case, those that wait start
//! another one in theirs.

mod place;
mod table;
mod task;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::place::Place;
use crate::Error;
use crate::id::SessionIdHash;
use crate::store::{Notices, UserHash};

/// What became of the sessions that were looked at, in their order.
pub(crate) type Looking<'a> = Pin<Box<dyn Future<Output = Result<Vec<Found>, Error>> + Send + 'a>>;

/// A place where sessions can be looked at.
pub(crate) trait Look: Send + Sync + 'static {
    /// What has to be known of a session besides its id.
    type Mark: Send + Sync;

    /// Begins to listen to the store, if it tells anything.
    fn notices(&self) -> Option<Notices>;

    /// Looks at some sessions.
    fn look<'a>(&'a self, sessions: &'a [(SessionIdHash, &'a Self::Mark)]) -> Looking<'a>;

    /// Whether a session is one of a user's.
    fn is_of(mark: &Self::Mark, user: &UserHash) -> bool;

    /// Puts together what two requests know of one session.
    fn merge(mark: &mut Self::Mark, other: Self::Mark);
}

/// What a look at a session came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The session has ended.
    Ended,
    /// The session is there.
    Here {
        /// The hash of the id that it has now.
        id: SessionIdHash,
        /// In how many seconds it ends unless it is used.
        left: u64,
    },
}

/// A session that something waits for the end of.
pub(crate) struct Watched<M> {
    place: Arc<Place>,
    mark: M,
    waiting: oneshot::Sender<()>,
}

/// The sessions of a layer that something waits for the end of.
pub(crate) struct Watch<L: Look> {
    interval: Duration,
    /// Where the task takes new ones from; `None` before the first.
    door: Mutex<Option<mpsc::UnboundedSender<Watched<L::Mark>>>>,
}

impl<L: Look> Watch<L> {
    /// Nothing is watched yet; later, each session is looked at once per `interval`.
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, door: Mutex::default() }
    }

    /// Watches a session. The answer comes when it has ended; an error says that the task has ended first.
    pub(crate) fn add(
        &self,
        of: &Arc<L>,
        place: Arc<Place>,
        mark: L::Mark,
    ) -> oneshot::Receiver<()> {
        let (waiting, ended) = oneshot::channel();
        let new = Watched { place, mark, waiting };
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
            // The task takes it, or drops it with its end.
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
