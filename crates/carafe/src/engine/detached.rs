//! Work that ends also if nobody waits for it any more.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::task::JoinHandle;

/// Work that can be moved from who did a part of it to another.
pub(super) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Work that a request has begun.
#[derive(Debug)]
pub(super) enum Detached<T> {
    /// It was done at once; `None` if it panicked.
    Done(Option<T>),
    /// It goes on in a task of its own.
    Task(JoinHandle<T>),
}

/// Begins work that a client who leaves can't cut in half.
///
/// What needn't wait for anything, as with sessions in memory, is done before this returns: a task
/// of its own would cost more than the work, above all where another thread takes it.
pub(super) fn detached<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Detached<T> {
    let mut work: Work<T> = Box::pin(work);
    // Whoever polls next brings a waker of their own.
    match poll_caught(work.as_mut(), &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Detached::Done(output),
        Poll::Pending => Detached::Task(tokio::spawn(work)),
    }
}

/// Polls work; `None` if it panicked, and isn't to be polled again.
pub(super) fn poll_caught<T>(
    work: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    context: &mut Context<'_>,
) -> Poll<Option<T>> {
    match catch_unwind(AssertUnwindSafe(|| work.poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    }
}

/// Does work that waits for nothing where it stands, without a box for it. `None` if it panicked, or
/// had to wait all the same, and was dropped.
pub(super) fn at_once<T>(work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    // Where a task has done much in its turn, tokio would make it wait.
    let work = pin!(tokio::task::unconstrained(work));
    match poll_caught(work, &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => None,
    }
}

impl<T> Detached<T> {
    /// Waits for its end; `None` if it panicked, or the runtime ended before.
    pub(super) async fn finished(self) -> Option<T> {
        match self {
            Self::Done(output) => output,
            Self::Task(task) => task.await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn what_needs_no_waiting_is_done_at_once() {
        assert!(matches!(detached(async { 1 }), Detached::Done(Some(1))));
    }

    #[tokio::test]
    async fn what_stands_is_done_or_dropped() {
        assert_eq!(at_once(pin!(async { 1 })), Some(1));
        assert_eq!(at_once(pin!(std::future::pending::<()>())), None);
        assert_eq!(at_once(pin!(async { panic!("at once") })), None::<()>);
        // Also at the end of a task's turn.
        while tokio::task::coop::has_budget_remaining() {
            tokio::task::consume_budget().await;
        }
        let (send, receive) = tokio::sync::oneshot::channel();
        send.send(2).unwrap();
        assert_eq!(at_once(pin!(receive)), Some(Ok(2)));
    }

    #[tokio::test]
    async fn what_waits_goes_on_if_nobody_waits_for_it() {
        let done = Arc::new(AtomicBool::new(false));
        let (send, receive) = tokio::sync::oneshot::channel::<()>();
        let flag = Arc::clone(&done);
        drop(detached(async move {
            receive.await.unwrap();
            flag.store(true, Ordering::SeqCst);
        }));
        send.send(()).unwrap();
        tokio::task::yield_now().await;
        assert!(done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_panic_is_no_answer() {
        let at_once = detached(async { panic!("at once") });
        assert!(matches!(at_once, Detached::Done(None::<()>)));
        let later = detached(async {
            tokio::task::yield_now().await;
            panic!("later")
        });
        assert_eq!(later.finished().await, None::<()>);
    }
}
