use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

/// What is there at once, as sessions in a cookie or in memory are, or has to be waited for.
///
/// The wait is apart, so that the futures of all handlers, which are moved and allocated for each
/// request, are no larger for it.
#[cfg_attr(
    not(feature = "actix"),
    expect(unreachable_pub, reason = "extractors' futures are public")
)]
#[must_use = "futures do nothing unless polled"]
pub enum Prompt<F: Future> {
    /// It is there.
    Done(Ready<F::Output>),
    /// It has to be waited for.
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
