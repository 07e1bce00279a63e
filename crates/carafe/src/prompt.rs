use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is either ready at once, as for sessions in a cookie or in memory, or has to wait.
///
/// The wait is in a box of its own, so that the futures of all handlers, which are moved and
/// allocated for each request, stay small.
#[cfg_attr(
    not(feature = "actix"),
    expect(unreachable_pub, reason = "extractors' futures are public")
)]
#[must_use = "futures do nothing unless polled"]
pub enum Prompt<F: Future> {
    /// The output is ready.
    Done(Ready<F::Output>),
    /// The future is still pending.
    Waiting(F),
}

impl<F: Future> Prompt<F> {
    pub(crate) fn done(output: F::Output) -> Self {
        Self::Done(ready(output))
    }
}

impl<F: Future + Unpin> Future for Prompt<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.get_mut() {
            Self::Done(output) => Pin::new(output).poll(cx),
            Self::Waiting(waiting) => Pin::new(waiting).poll(cx),
        }
    }
}

impl<F: Future> fmt::Debug for Prompt<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt").finish_non_exhaustive()
    }
}
