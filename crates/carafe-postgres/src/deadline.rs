//! Time limits that hold in real time.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::Poll;
use std::time::{Duration, Instant};

use carafe::store::TimeLimit;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The time limits of a pool.
///
/// A test that pauses tokio's clock has it leap to the next timer whenever the test waits, also for a
/// server: each of tokio's timers is over at once. A limit that ends too early by the real clock
/// gives this away, and from then on a thread measures the time. While such a thread runs, tokio's clock
/// doesn't leap.
pub(crate) struct Limits {
    answer: TimeLimit,
    is_paused: AtomicBool,
}

impl Limits {
    pub(crate) fn new(answer: Duration) -> Self {
        Self { answer: TimeLimit::new(answer), is_paused: AtomicBool::new(false) }
    }

    /// How long the answer to a statement may take.
    pub(crate) fn answer_time(&self) -> Duration {
        self.answer.duration()
    }

    /// Waits for the answer to a statement; `None` if its time is over. The caller pins it: each function
    /// that takes a future by value makes the caller's own larger by as much.
    pub(crate) async fn answer<T>(
        &self,
        mut answer: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let began = Instant::now();
        if !self.is_paused.load(Ordering::Relaxed) {
            let in_time = self.answer.run(answer.as_mut()).await;
            if in_time.is_some() || !self.is_early(began, self.answer_time()) {
                return in_time;
            }
        }
        let left = self.answer_time().saturating_sub(began.elapsed());
        Box::pin(in_real_time(left, answer)).await
    }

    /// Waits for some work; `None` if its time is over.
    pub(crate) async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let (began, mut work) = (Instant::now(), pin!(work));
        if !self.is_paused.load(Ordering::Relaxed) {
            let in_time = timeout(limit, work.as_mut()).await.ok();
            if in_time.is_some() || !self.is_early(began, limit) {
                return in_time;
            }
        }
        in_real_time(limit.saturating_sub(began.elapsed()), work).await
    }

    /// Whether a timer was over before its time, because tokio's clock is paused.
    fn is_early(&self, began: Instant, limit: Duration) -> bool {
        let is_early = began.elapsed() < limit;
        if is_early {
            self.is_paused.store(true, Ordering::Relaxed);
        }
        is_early
    }
}

/// Waits for some work while a thread measures the time.
async fn in_real_time<T>(
    limit: Duration,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    // The thread ends with the work: then the sender is dropped.
    let (_sender, ended) = mpsc::channel::<()>();
    let mut timer = pin!(spawn_blocking(move || ended.recv_timeout(limit)));
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => timer.as_mut().poll(context).map(|_| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    /// Work that tokio's clock knows nothing of.
    async fn slow() -> u8 {
        let sleep = || std::thread::sleep(Duration::from_millis(5));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            sleep();
            sender.send(7)
        });
        receiver.await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_ends_no_work() {
        let limits = Limits::new(LIMIT);
        for _ in 0..3 {
            assert_eq!(limits.answer(pin!(slow())).await, Some(7));
            assert_eq!(limits.within(LIMIT, slow()).await, Some(7));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_keeps_no_late_work() {
        let limits = Limits::new(LIMIT);
        for _ in 0..2 {
            let began = Instant::now();
            assert_eq!(limits.answer(pin!(pending::<u8>())).await, None);
            assert_eq!(limits.within(LIMIT, pending::<u8>()).await, None);
            assert!((LIMIT * 2..LIMIT * 40).contains(&began.elapsed()), "{:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn without_a_paused_clock_no_thread_is_asked() {
        let limits = Limits::new(LIMIT);
        assert_eq!(limits.answer(pin!(pending::<u8>())).await, None);
        assert_eq!(limits.within(LIMIT, pending::<u8>()).await, None);
        assert!(!limits.is_paused.load(Ordering::Relaxed));
    }
}
