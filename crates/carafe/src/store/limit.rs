use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

/// A limit to how long calls may take, for stores that make many of them.
///
/// A call is polled once before its timer is set, so that a call whose answer is ready needs neither a
/// timer nor a runtime. Other calls need a tokio runtime with time.
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
    /// Returns a limit of this time for each call.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self(limit)
    }

    /// Returns the time that each call has.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0
    }

    /// Waits for a call; `None` if its time is over.
    pub async fn run<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        let first = poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
        match first.await {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => timeout(self.0, call).await.ok(),
        }
    }
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

    #[tokio::test]
    async fn a_limit_may_be_as_good_as_none() {
        assert_eq!(TimeLimit::new(Duration::MAX).run(sleep(SHORT)).await, Some(()));
    }
}
