use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::Error;

/// A session that is being opened.
///
/// One in a cookie or in memory is open when this is made. The wait for a store is apart, so that the
/// futures of all handlers, which are moved and allocated for each request, are no larger for it.
#[must_use = "futures do nothing unless polled"]
pub(crate) enum Opening<'a> {
    Done(Result<(), Error>),
    Waiting(Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>),
}

impl Future for Opening<'_> {
    type Output = Result<(), Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Done(opened) => Poll::Ready(std::mem::replace(opened, Ok(()))),
            Self::Waiting(opening) => opening.as_mut().poll(cx),
        }
    }
}
