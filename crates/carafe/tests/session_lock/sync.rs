//! The primitives below the commit path, on shuttle's: an order of threads and tasks can be chosen at
//! each of their steps.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
pub(crate) use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) use shuttle::future::JoinHandle;
use shuttle::rand::Rng as _;
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

pub(crate) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Some(shuttle::future::spawn(work))
}

/// The error of a call that came too late.
#[derive(Debug)]
pub(crate) struct Elapsed;

/// Waits for a call, and gives up after any number of polls, or never.
pub(crate) async fn timeout<T>(_: Duration, call: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut call = pin!(call);
    let mut rng = shuttle::rand::thread_rng();
    let mut polls: Option<u32> = rng.gen_bool(0.5).then(|| rng.gen_range(0..6));
    poll_fn(|context| match (call.as_mut().poll(context), &mut polls) {
        (Poll::Ready(output), _) => Poll::Ready(Ok(output)),
        (Poll::Pending, None) => Poll::Pending,
        (Poll::Pending, Some(0)) => Poll::Ready(Err(Elapsed)),
        (Poll::Pending, Some(left)) => {
            *left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// A lock like tokio's: the holder passes it on to the waiter that has waited longest.
pub(crate) struct AsyncMutex<T>(Mutex<State<T>>);

struct State<T> {
    /// The value, while the lock is free.
    free: Option<T>,
    /// The value, and whom it was given to.
    given: Option<(u64, T)>,
    waiting: VecDeque<(u64, Waker)>,
    next: u64,
}

/// A wait for the lock.
struct Wait<'a, T> {
    mutex: &'a AsyncMutex<T>,
    number: Option<u64>,
}

/// The lock, held. It has the value for as long.
pub(crate) struct AsyncMutexGuard<'a, T> {
    mutex: &'a AsyncMutex<T>,
    value: Option<T>,
}

impl<T> AsyncMutex<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap()
    }

    pub(crate) fn try_lock(&self) -> Result<AsyncMutexGuard<'_, T>, ()> {
        let value = self.state().free.take().ok_or(())?;
        Ok(AsyncMutexGuard { mutex: self, value: Some(value) })
    }

    pub(crate) fn lock(&self) -> impl Future<Output = AsyncMutexGuard<'_, T>> {
        Wait { mutex: self, number: None }
    }

    fn pass_on(&self, value: T) {
        let mut state = self.state();
        match state.waiting.pop_front() {
            None => state.free = Some(value),
            Some((number, waker)) => {
                state.given = Some((number, value));
                drop(state);
                waker.wake();
            }
        }
    }
}

impl<'a, T> Future for Wait<'a, T> {
    type Output = AsyncMutexGuard<'a, T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mutex = self.mutex;
        let mut state = mutex.state();
        let number = self.number.take();
        let value = match &state.given {
            Some((given, _)) if Some(*given) == number => {
                state.given.take().map(|(_, value)| value)
            }
            _ if number.is_none() => state.free.take(),
            _ => None,
        };
        if let Some(value) = value {
            return Poll::Ready(AsyncMutexGuard { mutex, value: Some(value) });
        }
        let number = number.unwrap_or_else(|| {
            state.next += 1;
            state.next
        });
        let waker = context.waker().clone();
        match state.waiting.iter_mut().find(|(waiting, _)| *waiting == number) {
            Some(waiting) => waiting.1 = waker,
            None => state.waiting.push_back((number, waker)),
        }
        drop(state);
        self.number = Some(number);
        Poll::Pending
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut state = self.mutex.state();
        state.waiting.retain(|(waiting, _)| *waiting != number);
        if state.given.as_ref().is_some_and(|(given, _)| *given == number) {
            let value = state.given.take().unwrap().1;
            drop(state);
            self.mutex.pass_on(value);
        }
    }
}

impl<T> Deref for AsyncMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().unwrap()
    }
}

impl<T> DerefMut for AsyncMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().unwrap()
    }
}

impl<T> Drop for AsyncMutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.pass_on(self.value.take().unwrap());
    }
}

impl<T: Default> Default for AsyncMutex<T> {
    fn default() -> Self {
        let free = Some(T::default());
        Self(Mutex::new(State { free, given: None, waiting: VecDeque::new(), next: 0 }))
    }
}

impl<T> fmt::Debug for AsyncMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncMutex").finish_non_exhaustive()
    }
}

pub(crate) mod oneshot {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use shuttle::sync::Mutex;

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Mutex<Channel<T>>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Mutex<Channel<T>>>);

    #[derive(Debug)]
    struct Channel<T> {
        value: Option<T>,
        /// Whether the sender is gone.
        closed: bool,
        waker: Option<Waker>,
    }

    pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
        let channel = Arc::new(Mutex::new(Channel { value: None, closed: false, waker: None }));
        (Sender(Arc::clone(&channel)), Receiver(channel))
    }

    impl<T> Sender<T> {
        pub(crate) fn send(self, value: T) -> Result<(), T> {
            self.0.lock().unwrap().value = Some(value);
            Ok(())
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            let waker = {
                let mut channel = self.0.lock().unwrap();
                channel.closed = true;
                channel.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    impl<T> Future for Receiver<T> {
        type Output = Result<T, ()>;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
            let mut channel = self.0.lock().unwrap();
            match channel.value.take() {
                Some(value) => Poll::Ready(Ok(value)),
                None if channel.closed => Poll::Ready(Err(())),
                None => {
                    channel.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        }
    }
}
