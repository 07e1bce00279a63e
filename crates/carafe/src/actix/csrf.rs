//! The check of a request for the CSRF layer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::{HttpMessage as _, HttpRequest};
use bytes::Bytes;
use futures_core::Stream;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request};
use http_body::{Body as HttpBody, Frame};

use super::handles;
use crate::Error;
use crate::csrf::{self, Body, Protection, Settings};

/// Lets a request through, or says why not.
pub(super) async fn check(
    request: &mut ServiceRequest,
    settings: &Arc<Settings>,
) -> Result<Arc<Protection>, Error> {
    let slot = handles::current(request.request())?;
    let parts = parts(request.request());
    let safe = csrf::is_safe(&parts.method);
    let protection = Arc::new(Protection::new(slot, Arc::clone(settings), safe));
    handles::insert(request, |handles| handles.protection = Some(Arc::clone(&protection)));
    if !safe && !settings.exempts(&parts) {
        let body = Body::new(PayloadBody(request.take_payload()));
        let checked = csrf::check(Arc::clone(&protection), parts, body).await?;
        request.set_payload(Payload::Stream { payload: Box::pin(Replayed(checked.into_body())) });
    }
    Ok(protection)
}

/// The head of a request, as http 1 has it.
pub(super) fn parts(request: &HttpRequest) -> Parts {
    let (mut parts, ()) = Request::new(()).into_parts();
    if let Ok(method) = Method::from_bytes(request.method().as_str().as_bytes()) {
        parts.method = method;
    }
    if let Ok(uri) = request.uri().to_string().parse() {
        parts.uri = uri;
    }
    for (name, value) in request.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            parts.headers.append(name, value);
        }
    }
    parts
}

/// A payload as a body, to be looked into.
pub(super) struct PayloadBody(pub(super) Payload);

impl HttpBody for PayloadBody {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        Pin::new(&mut self.0).poll_next(cx).map_ok(Frame::data)
    }
}

/// A body as a payload, to be read again.
struct Replayed(Body<PayloadBody>);

impl Stream for Replayed {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // A payload has no trailers.
        let data = |frame: Frame<Bytes>| frame.into_data().unwrap_or_default();
        Pin::new(&mut self.0).poll_frame(cx).map_ok(data)
    }
}
