//! Work that a request does itself, until somebody else needs it to go on.

use std::fmt;
use std::future::Future;
use std::mem::replace;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::detached::{Work, poll_caught};
use super::rests::Rests;

/// Work that a client who leaves can't cut in half: whoever waits for it does it, and it becomes a task
/// of its own if it is dropped, wanted by others, or takes long. A task from the start would have to be
/// woken by what it waits for, only to wake who waits for the task.
pub(super) struct Attended<T: Send + 'static> {
    /// As long as the request is at it.
    head: Option<Arc<Head<T>>>,
    /// What it has become.
    task: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Attended<T> {
    /// Begins work, which is told what others can hand it over by.
    pub(super) fn begin<W>(rests: &Rests, work: impl FnOnce(AtWork) -> W) -> Self
    where
        W: Future<Output = T> + Send + 'static,
    {
        let head = Arc::new(Head::new());
        let at_work: AtWork = Arc::downgrade(&head) as AtWork;
        head.begin(work(AtWork::clone(&at_work)));
        rests.note(at_work, head.runtime.as_ref());
        Self { head: Some(head), task: None }
    }
}

impl<T: Send + 'static> Future for Attended<T> {
    /// `None` if it panicked, or the runtime ended before.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        if let Some(head) = &self.head {
            match head.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Turn::Done(answer)) => {
                    self.head = None;
                    return Poll::Ready(answer);
                }
                Poll::Ready(Turn::Task(task)) => {
                    self.head = None;
                    self.task = Some(task);
                }
            }
        }
        match &mut self.task {
            Some(task) => Pin::new(task).poll(context).map(Result::ok),
            None => Poll::Ready(None),
        }
    }
}

/// Work that a request is at, for others to hand over.
pub(super) type AtWork = Weak<dyn HandOver>;

/// Where no request is at it.
pub(super) fn nobody() -> AtWork {
    Weak::<Head<()>>::new()
}

/// What can become a task.
pub(super) trait HandOver: fmt::Debug + Send + Sync {
    /// Makes the work a task, at once or when the request puts it down.
    fn hand_over(&self);
}

/// Where a request's work is.
pub(super) struct Head<T: Send + 'static> {
    stage: Mutex<Stage<T>>,
    /// The request's, where the task belongs.
    runtime: Option<Handle>,
}

enum Stage<T> {
    /// The request is at it, or about to begin.
    AtWork,
    /// The same, and somebody wants it to be a task.
    Wanted,
    /// The request waits for something. If the work becomes a task it is told so.
    Resting(Work<T>, Option<Waker>),
    /// It is being made a task, of which the request is told then.
    Moving(Option<Waker>),
    /// It is a task, of which the request doesn't know.
    Task(JoinHandle<T>),
    /// It is done, or a task of which the request knows.
    Gone,
}

/// What comes of a request's turn.
enum Turn<T> {
    /// The work is done; `None` if it panicked.
    Done(Option<T>),
    /// It has become a task.
    Task(JoinHandle<T>),
}

impl<T: Send + 'static> Head<T> {
    fn new() -> Self {
        Self { stage: Mutex::new(Stage::AtWork), runtime: Handle::try_current().ok() }
    }

    /// Gives the request its work.
    fn begin(&self, work: impl Future<Output = T> + Send + 'static) {
        self.rest(Box::pin(work), None);
    }

    /// Does what can be done now. Ready if there is nothing more to do for the request.
    fn poll(&self, context: &mut Context<'_>) -> Poll<Turn<T>> {
        let mut work = match self.take(context) {
            Stage::Resting(work, _) => work,
            Stage::Moving(_) => return Poll::Pending,
            Stage::Task(task) => return Poll::Ready(Turn::Task(task)),
            Stage::AtWork | Stage::Wanted | Stage::Gone => return Poll::Ready(Turn::Done(None)),
        };
        // Without the lock, which others take only to leave word.
        match poll_caught(work.as_mut(), context) {
            Poll::Pending => match self.rest(work, Some(context.waker().clone())) {
                true => self.poll(context),
                false => Poll::Pending,
            },
            Poll::Ready(answer) => {
                *self.stage() = Stage::Gone;
                Poll::Ready(Turn::Done(answer))
            }
        }
    }

    /// Takes up what the request finds.
    fn take(&self, context: &Context<'_>) -> Stage<T> {
        let mut stage = self.stage();
        let next = match *stage {
            Stage::Resting(..) => Stage::AtWork,
            Stage::Moving(_) => Stage::Moving(Some(context.waker().clone())),
            _ => Stage::Gone,
        };
        replace(&mut *stage, next)
    }

    /// Puts the work down. Returns whether it was wanted as a task.
    fn rest(&self, work: Work<T>, waker: Option<Waker>) -> bool {
        let before = replace(&mut *self.stage(), Stage::Resting(work, waker));
        let wanted = matches!(before, Stage::Wanted);
        if wanted {
            self.hand_over();
        }
        wanted
    }

    fn stage(&self) -> MutexGuard<'_, Stage<T>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> HandOver for Head<T> {
    fn hand_over(&self) {
        // Where there is no runtime any more the work is lost, as every task is.
        let Some(runtime) = self.runtime.clone().or_else(|| Handle::try_current().ok()) else {
            return;
        };
        let work = {
            let mut stage = self.stage();
            let next = match &mut *stage {
                Stage::AtWork | Stage::Wanted => Stage::Wanted,
                Stage::Resting(_, waker) => Stage::Moving(waker.take()),
                Stage::Moving(_) | Stage::Task(_) | Stage::Gone => return,
            };
            replace(&mut *stage, next)
        };
        let Stage::Resting(work, _) = work else { return };
        // Without the lock, since a runtime that ends drops it. The task polls it at once: from then on
        // the task is what is woken.
        let task = runtime.spawn(work);
        let moved = replace(&mut *self.stage(), Stage::Task(task));
        if let Stage::Moving(Some(waker)) = moved {
            waker.wake();
        }
    }
}

impl<T: Send + 'static> Drop for Head<T> {
    fn drop(&mut self) {
        // A client who leaves can't cut a commit in half.
        let stage = self.stage.get_mut().unwrap_or_else(PoisonError::into_inner);
        if matches!(stage, Stage::Resting(..)) {
            self.hand_over();
        }
    }
}

impl<T: Send + 'static> fmt::Debug for Head<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    fn attended<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Attended<T> {
        Attended::begin(&rests(), |_| work)
    }

    fn rests() -> Rests {
        Rests::new(Duration::from_millis(160))
    }

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

    fn poll<T: Send>(head: &Head<T>) -> Poll<Turn<T>> {
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
        let head = Head::<()>::new();
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

    #[tokio::test]
    async fn what_is_attended_goes_on_if_it_is_dropped() {
        assert_eq!(attended(async { 1 }).await, Some(1));
        // Before it has begun, and when it waits.
        for polls in 0..2 {
            let (go_on, may_go_on) = oneshot::channel();
            let (tell, done) = oneshot::channel();
            let mut work = attended(async move {
                may_go_on.await.unwrap();
                tell.send(()).unwrap();
            });
            for _ in 0..polls {
                let mut context = Context::from_waker(Waker::noop());
                assert!(Pin::new(&mut work).poll(&mut context).is_pending());
            }
            drop(work);
            go_on.send(()).unwrap();
            done.await.unwrap();
        }
    }

    /// A response may be dropped by a thread that has no runtime.
    #[tokio::test]
    async fn what_is_attended_goes_on_in_the_runtime_that_it_waited_in() {
        let (go_on, may_go_on) = oneshot::channel();
        let (tell, done) = oneshot::channel();
        let mut work = attended(async move {
            may_go_on.await.unwrap();
            tell.send(()).unwrap();
        });
        assert!(Pin::new(&mut work).poll(&mut Context::from_waker(Waker::noop())).is_pending());
        std::thread::spawn(move || drop(work)).join().unwrap();
        go_on.send(()).unwrap();
        done.await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_no_answer() {
        let attended = attended(async {
            tokio::task::yield_now().await;
            panic!("attended")
        });
        assert_eq!(attended.await, None::<()>);
    }

    /// Somebody may hold a response for as long as they like, without asking for it.
    #[tokio::test]
    async fn what_rests_for_long_becomes_a_task() {
        let rests = rests();
        for _ in 0..2 {
            let (work, go_on, done) = work();
            let mut attended = Attended::begin(&rests, |_| work);
            let mut context = Context::from_waker(Waker::noop());
            assert!(Pin::new(&mut attended).poll(&mut context).is_pending());
            go_on.send(()).unwrap();
            soon(done).await;
            assert_eq!(attended.await, Some(()));
        }
        assert!(rests.begun().watched);
    }
}
