//! Futures that finish even if the request stops waiting for them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::sync::{JoinHandle, spawn};

/// A future that was polled once, and that moves to a task if it has to wait.
///
/// Dropping this does not cancel the work, so that a client that disconnects can't interrupt a
/// commit. The output is `None` if the work panicked, or if its runtime ended first.
#[must_use = "the output says whether the work came to its end"]
pub(super) enum Driven<T> {
    /// The work finished with the first poll.
    Done(Option<T>),
    /// The work continues in this task.
    Task(JoinHandle<T>),
}

impl<T: Send + 'static> Driven<T> {
    /// Polls the work once, and spawns a task if it is still pending.
    ///
    /// Work that waits for nothing, such as a commit to the memory store, is finished when this
    /// returns: a task would cost more than the work itself.
    pub(super) fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        let mut work = Box::pin(work);
        // The task polls the work again, with a waker of its own.
        let mut context = Context::from_waker(Waker::noop());
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut context))) {
            Ok(Poll::Ready(output)) => Self::Done(Some(output)),
            Ok(Poll::Pending) => spawn(work).map_or(Self::Done(None), Self::Task),
            Err(_) => Self::Done(None),
        }
    }
}

/// The work is in a box or in a task, and the output may move.
impl<T> Unpin for Driven<T> {}

impl<T> Future for Driven<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        match self.get_mut() {
            Self::Done(output) => Poll::Ready(output.take()),
            Self::Task(task) => Pin::new(task).poll(context).map(Result::ok),
        }
    }
}
