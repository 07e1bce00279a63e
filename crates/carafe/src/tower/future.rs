use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use crate::session::Slot;

pin_project! {
    /// The response of a [`SessionService`](super::SessionService), with the session saved.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        slot: Arc<Slot>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        // However the request ends, also when its client has left or its handler panicked: what is
        // written to the session from here on can't be saved.
        fn drop(this: Pin<&mut Self>) {
            this.project().slot.close();
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, slot: Arc<Slot>) -> Self {
        Self { inner, slot }
    }
}

impl<F, E, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: From<Bytes>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        Poll::Ready(Ok(this.slot.engine.finish(this.slot, response)))
    }
}

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
