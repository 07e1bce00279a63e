//! The work at the head of a session's line.

use std::fmt;
use std::future::Future;
use std::mem::replace;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use crate::engine::detached::{Work, poll_caught};

/// Work that a request does itself until another waits for it: then it becomes a task.
///
/// A task from the start would cost more than most writes. A request alone may be one that nobody
/// polls any more, although its future is still held, and would hold up the others.
pub(super) struct Head {
    stage: Mutex<Stage>,
    /// The request's, where the task belongs.
    runtime: Handle,
}

enum Stage {
    /// The request is at it, or about to begin.
    AtWork,
    /// The same, and somebody waits for it.
    Wanted,
    /// The request waits for something.
    Resting(Work<()>),
    /// It is a task, or done.
    Gone,
}

impl Head {
    pub(super) fn new() -> Self {
        Self { stage: Mutex::new(Stage::AtWork), runtime: Handle::current() }
    }

    /// Gives the request its work.
    pub(super) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        let _ = self.rest(Box::pin(work));
    }

    /// Does what can be done now. Ready if there is nothing more to do for the request.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let work = match &mut *self.stage() {
            stage @ Stage::Resting(_) => replace(stage, Stage::AtWork),
            _ => Stage::Gone,
        };
        let Stage::Resting(mut work) = work else { return Poll::Ready(()) };
        // Without the lock, which others take only to leave word.
        match poll_caught(work.as_mut(), context) {
            Poll::Pending => self.rest(work),
            Poll::Ready(_) => {
                *self.stage() = Stage::Gone;
                Poll::Ready(())
            }
        }
    }

    /// Puts the work down. Ready if it became a task.
    fn rest(&self, work: Work<()>) -> Poll<()> {
        let before = replace(&mut *self.stage(), Stage::Resting(work));
        if matches!(before, Stage::Wanted) {
            self.hand_over();
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Makes the work a task, at once or when the request puts it down.
    pub(super) fn hand_over(&self) {
        let before = {
            let mut stage = self.stage();
            let next = match *stage {
                Stage::AtWork | Stage::Wanted => Stage::Wanted,
                Stage::Resting(_) | Stage::Gone => Stage::Gone,
            };
            replace(&mut *stage, next)
        };
        if let Stage::Resting(work) = before {
            // The task polls it at once: from then on the task is what is woken.
            self.runtime.spawn(work);
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        // A client who leaves can't cut a commit in half.
        self.hand_over();
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").finish_non_exhaustive()
    }
}
