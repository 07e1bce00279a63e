use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// A time limit for each call, for stores that make many of them.
///
/// A call is polled once before its timer is set, so that a call whose answer is ready needs
/// neither a timer nor a runtime. Other calls need a tokio runtime with time.
///
/// The limit holds in real time, even if a test has paused tokio's clock. A paused clock jumps to
/// the next timer whenever the test waits, so that a server's answer would always seem late.
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
#[derive(Clone, Copy, Debug)]
pub struct TimeLimit(Duration);

impl TimeLimit {
    /// Returns a limit of this duration for each call.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::store::TimeLimit;
    ///
    /// assert_eq!(TimeLimit::new(Duration::from_secs(2)).duration(), Duration::from_secs(2));
    /// ```
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self(limit)
    }

    /// Returns the duration of the limit.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe::store::TimeLimit;
    ///
    /// assert_eq!(TimeLimit::new(Duration::from_secs(2)).duration().as_secs(), 2);
    /// ```
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0
    }

    /// Waits for a call; `None` if the limit is exceeded.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use std::time::Duration;
    ///
    /// use carafe::store::TimeLimit;
    ///
    /// let limit = TimeLimit::new(Duration::from_secs(2));
    /// assert_eq!(limit.run(async { 7 }).await, Some(7));
    /// # }
    /// ```
    pub async fn run<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
        match first.await {
            Poll::Ready(answer) => Some(answer),
            // Only tests pause the clock: the box keeps the futures of all other calls small.
            Poll::Pending if is_paused() => Box::pin(in_real_time(self.0, call)).await,
            Poll::Pending => timeout(self.0, call).await.ok(),
        }
    }
}

/// Returns whether tokio's clock is paused, which is possible only in runtimes of one thread.
fn is_paused() -> bool {
    let has_one_thread = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread);
    if !has_one_thread {
        return false;
    }
    let (shown, began) = (tokio::time::Instant::now(), Instant::now());
    // The system's clock advances at once, unless it is a coarse one.
    while began.elapsed() == Duration::ZERO {
        std::hint::spin_loop();
    }
    tokio::time::Instant::now() == shown
}

/// Waits for a call while a thread measures the time; `None` if the limit is exceeded. While the
/// thread runs, a paused clock doesn't jump.
async fn in_real_time<T>(
    limit: Duration,
    mut call: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    // The thread ends with the call, when the sender is dropped.
    let (_sender, ended) = channel::<()>();
    let mut timer = pin!(spawn_blocking(move || ended.recv_timeout(limit)));
    poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => timer.as_mut().poll(context).map(|_| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::runtime::Builder;
    use tokio::time::sleep;

    use super::*;

    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn what_is_ready_needs_no_timer() {
        let runtime = Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(TimeLimit::new(SHORT).run(ready(1))), Some(1));
    }

    #[tokio::test]
    async fn a_late_call_ends_and_a_quick_one_is_answered() {
        assert_eq!(TimeLimit::new(SHORT).run(pending::<()>()).await, None);
        assert_eq!(TimeLimit::new(Duration::from_secs(60)).run(sleep(SHORT)).await, Some(()));
    }

    /// A call whose answer comes from outside of the runtime, in real time.
    async fn slow() -> u8 {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            sender.send(7)
        });
        receiver.await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_makes_no_call_late_and_stands_still() {
        let shown = tokio::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(TimeLimit::new(Duration::from_secs(60)).run(slow()).await, Some(7));
        }
        let (limit, began) = (Duration::from_millis(50), Instant::now());
        assert_eq!(TimeLimit::new(limit).run(pending::<()>()).await, None);
        assert!(began.elapsed() >= limit);
        assert_eq!(tokio::time::Instant::now(), shown);
    }

    #[tokio::test]
    async fn a_clock_that_goes_on_is_no_paused_one() {
        assert!((0..1_000).all(|_| !is_paused()));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_runtime_of_several_threads_has_no_paused_clock() {
        assert!(!is_paused());
    }

    #[tokio::test]
    async fn a_limit_may_be_as_good_as_none() {
        assert_eq!(TimeLimit::new(Duration::MAX).run(sleep(SHORT)).await, Some(()));
    }
}
