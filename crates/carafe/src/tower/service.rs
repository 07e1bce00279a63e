use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::{ResponseBody, ResponseFuture};
use crate::engine::{Engine, Owner, Slot};

/// A service whose requests have a session, made by a [`SessionLayer`](crate::SessionLayer).
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    engine: Arc<Engine>,
}

impl<S> SessionService<S> {
    pub(super) fn new(inner: S, engine: Arc<Engine>) -> Self {
        Self { inner, engine }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let slot = match self.engine.owner(Slot::all(request.extensions())) {
            Ok(Owner::This) => Slot::of_request(&self.engine, &request),
            Ok(Owner::Outer(slot)) => {
                slot.insert_into(request.extensions_mut(), &self.engine);
                return ResponseFuture::passing(self.inner.call(request), &self.engine);
            }
            Err(error) => return ResponseFuture::refused(error, &self.engine),
        };
        slot.insert_into(request.extensions_mut(), &self.engine);
        ResponseFuture::new(self.inner.call(request), slot)
    }
}
