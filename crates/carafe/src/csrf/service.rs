use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body as HttpBody;
use tower_service::Service;

use super::layer::Settings;
use super::protection::Protection;
use super::{Body, ResponseFuture, check};
use crate::engine::Slot;
use crate::tower::ResponseBody;

/// A service that refuses forged requests, made by a [`CsrfLayer`](super::CsrfLayer).
#[derive(Clone, Debug)]
pub struct CsrfService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> CsrfService<S> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for CsrfService<S>
where
    S: Service<Request<Body<ReqBody>>, Response = Response<ResBody>> + Clone,
    ReqBody: HttpBody + Send + 'static,
    ReqBody::Data: Send,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let slot = match Slot::current(&parts.extensions) {
            Ok(slot) => slot,
            Err(_) => {
                let error = Protection::no_session();
                return ResponseFuture::refused(error, Arc::clone(&self.settings));
            }
        };
        let outer = parts.extensions.get();
        let protection = Protection::new(slot, &self.settings, &parts.method, outer);
        parts.extensions.insert(Arc::clone(&protection));
        let body = Body::new(body);
        if protection.exempts(&parts) {
            let request = Request::from_parts(parts, body);
            return ResponseFuture::handling(self.inner.call(request), protection);
        }
        // Only the original service is known to be ready, and the clone is not.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let check = check::request(Arc::clone(&protection), parts, body);
        ResponseFuture::checking(Box::pin(check), inner, protection)
    }
}
