use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Body;
use super::layer::Settings;
use super::protection::Protection;
use crate::engine::Reply;
use crate::tower::ResponseBody;
use crate::{Error, ErrorKind, event};

type Check<B> = Pin<Box<dyn Future<Output = Result<Request<Body<B>>, Error>> + Send>>;

pin_project! {
    /// The response future of a [`CsrfService`](super::CsrfService): the handler's response, or a
    /// refusal.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<Body<B>>>,
    {
        #[pin]
        stage: Stage<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<S, F, B> {
        Refused { error: Error, settings: Arc<Settings> },
        /// The check of the request is under way.
        Checking { check: Check<B>, inner: S, protection: Arc<Protection> },
        /// The handler runs.
        Handling { #[pin] handler: F, protection: Arc<Protection> },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<Body<B>>>,
{
    pub(super) fn refused(error: Error, settings: Arc<Settings>) -> Self {
        Self { stage: Stage::Refused { error, settings } }
    }

    pub(super) fn checking(check: Check<B>, inner: S, protection: Arc<Protection>) -> Self {
        Self { stage: Stage::Checking { check, inner, protection } }
    }

    pub(super) fn handling(handler: S::Future, protection: Arc<Protection>) -> Self {
        Self { stage: Stage::Handling { handler, protection } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<Body<B>>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                StageProjection::Refused { error, settings } => {
                    return Poll::Ready(Ok(Reply::from_page(page(settings, error))));
                }
                StageProjection::Checking { check, inner, protection } => {
                    let protection = Arc::clone(protection);
                    let next = match ready!(check.as_mut().poll(cx)) {
                        Ok(request) => Stage::Handling { handler: inner.call(request), protection },
                        Err(error) => {
                            let settings = Arc::clone(protection.settings());
                            Stage::Refused { error, settings }
                        }
                    };
                    stage.set(next);
                }
                StageProjection::Handling { handler, protection } => {
                    let response = ready!(handler.poll(cx))?.map(ResponseBody::new);
                    return Poll::Ready(Ok(protection.finish_or_page(response)));
                }
            }
        }
    }
}

impl Protection {
    /// Completes the response of a request whose page may hold a token.
    pub(crate) fn finish_or_page<R: Reply>(&self, mut response: R) -> R {
        match self.finish(response.headers()) {
            Ok(()) => response,
            Err(error) => response.replaced_by(page(self.settings(), &error)),
        }
    }
}

/// Returns the answer to a request that was refused, or whose session failed.
pub(crate) fn page(settings: &Settings, error: &Error) -> Response<Bytes> {
    if error.kind() != ErrorKind::Csrf {
        event::failed(error);
        return error.to_response();
    }
    match &settings.error_page {
        Some(make_page) => make_page(error).into_response(),
        None => error.to_response(),
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<Body<B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
