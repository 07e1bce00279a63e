use std::fmt;
use std::future::{Future, poll_fn};
use std::mem::replace;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Instant, sleep, timeout};

/// After how many looks in vain at calls under way the looking stops.
const IDLE: u32 = 16;

/// A limit to how long calls may take, for stores that make many of them.
///
/// A timer for each call, as [`tokio::time::timeout`] has it, costs a part of what a quick call does,
/// since it is set and taken back nearly always in vain, and often wakes the runtime's thread that
/// waits for sockets. Here one task looks from time to time whether any call under way is late. A call
/// ends by a sixteenth of the limit, or at most a second, later than a timer would end it.
///
/// In a runtime of one thread, as each of actix-web's workers has one, each call has its own timer all the
/// same: a task in another worker's would look no more while a handler there blocks.
///
/// Needs a tokio runtime with time.
///
/// ```
/// use std::time::Duration;
///
/// use carafe::store::TimeLimit;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let limit = TimeLimit::new(Duration::from_millis(20));
/// assert_eq!(limit.run(async { 7 }).await, Some(7));
/// assert_eq!(limit.run(std::future::pending::<u8>()).await, None);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct TimeLimit(Arc<Shared>);

struct Shared {
    limit: Duration,
    calls: Mutex<Calls>,
}

/// The calls under way.
#[derive(Default)]
struct Calls {
    places: Vec<Option<Call>>,
    /// The places that nobody has.
    free: Vec<usize>,
    /// Whether a task looks at them.
    watched: bool,
}

struct Call {
    waker: Waker,
    /// When somebody looked at it first: the call itself doesn't look at the clock.
    seen: Option<Instant>,
    late: bool,
}

/// A call's place among those under way.
struct Place<'a> {
    shared: &'a Arc<Shared>,
    number: Option<usize>,
}

/// The task that looks at the calls under way.
struct Watch(Arc<Shared>);

impl TimeLimit {
    /// A limit of this time for each call.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self(Arc::new(Shared { limit, calls: Mutex::default() }))
    }

    /// The time that each call has.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0.limit
    }

    /// Waits for a call; `None` if its time is over.
    pub async fn run<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        let flavor = Handle::try_current().map(|runtime| runtime.runtime_flavor());
        if !matches!(flavor, Ok(RuntimeFlavor::MultiThread)) {
            // What is known at once, such as that a server is away, needs no timer.
            let at_once = poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
            if let Poll::Ready(answer) = at_once.await {
                return Some(answer);
            }
            return timeout(self.0.limit, call).await.ok();
        }
        let mut place = Place { shared: &self.0, number: None };
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => place.poll_late(context).map(|()| None),
        })
        .await
    }
}

impl Calls {
    fn begin(&mut self, waker: Waker) -> usize {
        let call = Some(Call { waker, seen: None, late: false });
        let free = self.free.pop().and_then(|number| Some((number, self.places.get_mut(number)?)));
        match free {
            Some((number, place)) => {
                *place = call;
                number
            }
            None => {
                self.places.push(call);
                self.places.len() - 1
            }
        }
    }

    fn get(&mut self, number: usize) -> Option<&mut Call> {
        self.places.get_mut(number)?.as_mut()
    }

    fn end(&mut self, number: usize) -> Option<Call> {
        let call = self.places.get_mut(number)?.take();
        self.free.push(number);
        call
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Ready once the call is late.
    fn poll_late(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut calls = self.shared.calls();
        let before = match self.number {
            None => {
                self.number = Some(calls.begin(context.waker().clone()));
                None
            }
            Some(number) => match calls.get(number) {
                None | Some(Call { late: true, .. }) => return Poll::Ready(()),
                Some(call) if call.waker.will_wake(context.waker()) => None,
                Some(call) => Some(replace(&mut call.waker, context.waker().clone())),
            },
        };
        let is_watched = replace(&mut calls.watched, true);
        drop(calls);
        // What a waker belongs to is not to be dropped under the lock.
        drop(before);
        if !is_watched {
            tokio::spawn(Watch(Arc::clone(self.shared)).run());
        }
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            // The same goes here.
            let call = self.shared.calls().end(number);
            drop(call);
        }
    }
}

impl Watch {
    /// Looks as long as there are calls.
    async fn run(self) {
        // One look to see a call, and one to find it late.
        let pause = self.0.limit / 32;
        let pause = pause.clamp(Duration::from_millis(1), Duration::from_millis(500));
        let mut idle = 0;
        while idle < IDLE {
            sleep(pause).await;
            idle += 1;
            for waker in self.find_late(&mut idle) {
                waker.wake();
            }
        }
    }

    /// Notes which calls are late. If there are any calls, the look is not in vain.
    fn find_late(&self, idle: &mut u32) -> Vec<Waker> {
        let (mut wakers, now) = (Vec::new(), Instant::now());
        for call in self.0.calls().places.iter_mut().flatten() {
            *idle = 0;
            let seen = *call.seen.get_or_insert(now);
            if !call.late && now.duration_since(seen) >= self.0.limit {
                call.late = true;
                wakers.push(call.waker.clone());
            }
        }
        wakers
    }
}

impl Drop for Watch {
    /// Also where the runtime ends that it is in. If there are calls of another, the first of them that
    /// is polled looks for itself.
    fn drop(&mut self) {
        let wakers: Vec<Waker> = {
            let mut calls = self.0.calls();
            calls.watched = false;
            calls.places.iter().flatten().map(|call| call.waker.clone()).collect()
        };
        for waker in wakers {
            waker.wake();
        }
    }
}

impl fmt::Debug for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimeLimit").field(&self.0.limit).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::runtime::{Builder, Runtime};
    use tokio::task::yield_now;

    use super::*;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
    }

    fn under_way(limit: &TimeLimit) -> usize {
        limit.0.calls().places.iter().flatten().count()
    }

    #[test]
    fn a_place_is_had_again_and_by_one_call_at_a_time() {
        let mut calls = Calls::default();
        let mut begin = || calls.begin(Waker::noop().clone());
        assert_eq!([begin(), begin(), begin()], [0, 1, 2]);
        assert!(calls.end(1).is_some() && calls.end(0).is_some());
        let mut begin = || calls.begin(Waker::noop().clone());
        assert_eq!([begin(), begin(), begin()], [0, 1, 3]);
        assert!((0..4).all(|number| calls.get(number).is_some()) && calls.get(4).is_none());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_late_call_ends_and_no_other() {
        let limit = TimeLimit::new(Duration::from_millis(160));
        let began = Instant::now();
        let quick = async {
            for _ in 0..4 {
                sleep(Duration::from_millis(80)).await;
                assert_eq!(limit.run(sleep(Duration::from_millis(1))).await, Some(()));
            }
        };
        let slow = async {
            assert_eq!(limit.run(pending::<()>()).await, None);
            began.elapsed()
        };
        let (slow, ()) = tokio::join!(slow, quick);
        assert!(slow >= Duration::from_millis(160), "{slow:?}");
        assert_eq!(under_way(&limit), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_call_that_is_dropped_leaves_nothing() {
        let limit = TimeLimit::new(Duration::from_secs(3_600));
        let call = limit.clone();
        let task = tokio::spawn(async move { call.run(pending::<()>()).await });
        while under_way(&limit) == 0 {
            yield_now().await;
        }
        assert_eq!(under_way(&limit), 1);
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(under_way(&limit), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_looking_stops_and_begins_again() {
        let limit = TimeLimit::new(Duration::from_millis(16));
        for _ in 0..2 {
            assert_eq!(limit.run(pending::<()>()).await, None);
            while limit.0.calls().watched {
                sleep(Duration::from_millis(1)).await;
            }
        }
    }

    /// As of actix-web's workers, one of which has a handler that blocks.
    #[test]
    fn a_thread_that_blocks_keeps_no_other_waiting() {
        let limit = TimeLimit::new(Duration::from_millis(20));
        let (blocks, blocked) = std::sync::mpsc::channel();
        let (begins, begun) = std::sync::mpsc::channel();
        let (other, may_end) = (limit.clone(), blocked);
        let runtime = || Builder::new_current_thread().enable_time().build().unwrap();
        let first = std::thread::spawn(move || {
            runtime().block_on(async {
                let call = tokio::spawn(async move { other.run(pending::<()>()).await });
                yield_now().await;
                begins.send(()).unwrap();
                may_end.recv().unwrap();
                call.await.unwrap()
            })
        });
        begun.recv().unwrap();
        assert_eq!(runtime().block_on(limit.run(pending::<()>())), None);
        blocks.send(()).unwrap();
        assert_eq!(first.join().unwrap(), None);
    }

    /// Whoever begins to look may be in a runtime that ends while a call in another goes on.
    #[test]
    fn calls_outlive_the_runtime_of_who_looks() {
        let limit = TimeLimit::new(Duration::from_millis(50));
        let first = runtime();
        first.block_on(async {
            tokio::select! {
                biased;
                _ = limit.run(pending::<()>()) => panic!("it is not late"),
                () = yield_now() => {}
            }
        });
        assert!(limit.0.calls().watched);
        let other = limit.clone();
        let late = std::thread::spawn(move || runtime().block_on(other.run(pending::<()>())));
        while under_way(&limit) == 0 {
            std::thread::yield_now();
        }
        drop(first);
        assert_eq!(late.join().unwrap(), None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_limit_may_be_as_good_as_none() {
        let limit = TimeLimit::new(Duration::MAX);
        assert_eq!(limit.run(sleep(Duration::from_millis(1))).await, Some(()));
    }
}
