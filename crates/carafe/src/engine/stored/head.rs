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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::task::Waker;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    /// Work that goes on when it is told to, and tells when it is done.
    fn work() -> (impl Future<Output = ()> + Send, oneshot::Sender<()>, oneshot::Receiver<()>) {
        let (go_on, may_go_on) = oneshot::channel();
        let (tell, done) = oneshot::channel();
        let work = async move {
            may_go_on.await.unwrap();
            tell.send(()).unwrap();
        };
        (work, go_on, done)
    }

    fn poll(head: &Head) -> Poll<()> {
        head.poll(&mut Context::from_waker(Waker::noop()))
    }

    async fn soon<T>(done: oneshot::Receiver<T>) -> T {
        timeout(Duration::from_secs(20), done).await.expect("nobody does it").unwrap()
    }

    #[tokio::test]
    async fn a_request_does_its_work_itself() {
        let (head, (work, go_on, mut done)) = (Head::new(), work());
        head.begin(work);
        assert!(poll(&head).is_pending());
        go_on.send(()).unwrap();
        assert!(done.try_recv().is_err());
        assert!(poll(&head).is_ready());
        done.try_recv().unwrap();
    }

    #[tokio::test]
    async fn what_rests_becomes_a_task_that_is_woken() {
        let (head, (work, go_on, done)) = (Head::new(), work());
        head.begin(work);
        assert!(poll(&head).is_pending());
        head.hand_over();
        assert!(poll(&head).is_ready());
        go_on.send(()).unwrap();
        soon(done).await;
    }

    #[tokio::test]
    async fn what_is_asked_for_before_it_begins_becomes_a_task() {
        let (head, (work, go_on, done)) = (Head::new(), work());
        head.hand_over();
        head.begin(work);
        assert!(poll(&head).is_ready());
        go_on.send(()).unwrap();
        soon(done).await;
    }

    #[tokio::test]
    async fn what_is_asked_for_while_it_is_done_becomes_a_task() {
        let (head, (work, go_on, done)) = (Arc::new(Head::new()), work());
        let asking = Arc::clone(&head);
        head.begin(async move {
            asking.hand_over();
            work.await;
        });
        assert!(poll(&head).is_ready());
        go_on.send(()).unwrap();
        soon(done).await;
    }

    #[tokio::test]
    async fn what_is_dropped_becomes_a_task() {
        let (head, (work, go_on, done)) = (Head::new(), work());
        head.begin(work);
        assert!(poll(&head).is_pending());
        drop(head);
        go_on.send(()).unwrap();
        soon(done).await;
    }

    #[tokio::test]
    async fn a_panic_ends_the_work() {
        let head = Head::new();
        head.begin(async { panic!("on purpose") });
        assert!(poll(&head).is_ready());
        assert!(poll(&head).is_ready());
    }

    /// The work is polled by whoever has it, and never by two, and no wake is lost between them.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn asking_at_any_moment_loses_nothing() {
        for round in 0..2_000 {
            let (head, (tell, mut done)) = (Arc::new(Head::new()), oneshot::channel());
            head.begin(async move {
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
                tell.send(()).unwrap();
            });
            let asking = Arc::clone(&head);
            let asks = tokio::spawn(async move {
                for _ in 0..round % 64 {
                    std::hint::spin_loop();
                }
                asking.hand_over();
            });
            let answer = poll_fn(|context| {
                let _ = head.poll(context);
                std::pin::Pin::new(&mut done).poll(context)
            });
            timeout(Duration::from_secs(20), answer).await.expect("a wake is lost").unwrap();
            asks.await.unwrap();
        }
    }
}
