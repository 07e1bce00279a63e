//! The check of the CSRF layer, for actix-web requests.

use std::sync::Arc;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::{HttpMessage as _, HttpRequest, web};
use bytes::Bytes;
use http::request::Parts;
use http_body::Body as HttpBody;

use super::handles;
use super::response::lines;
use crate::Error;
use crate::bridge::{Streamed, Streaming, head};
use crate::csrf::{self, Body, Settings};
use crate::handled::{Handled, Handles};

/// Lets a request through, or returns the reason for the refusal.
pub(super) async fn check(
    request: &mut ServiceRequest,
    settings: &Arc<Settings>,
) -> Result<Handled, Error> {
    let parts = parts(request.request());
    let protection =
        handles::of(request.request(), |outer| outer.protect(settings, &parts.method))?;
    let handled = Handled::Csrf(Arc::clone(&protection));
    handles::insert(request, &handled);
    if !protection.exempts(&parts) {
        let body = Body::new(Streamed(request.take_payload()));
        let checked = csrf::check(protection, parts, body).await?;
        request.set_payload(Payload::Stream { payload: Box::pin(Streaming(checked.into_body())) });
    }
    Ok(handled)
}

/// Converts an actix-web request to a request of http 1, with its session and CSRF token in its
/// extensions.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, web};
/// use carafe::actix::{http_request, http_response};
/// use carafe::{Error, Session};
///
/// async fn handler(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Error> {
///     let request = http_request(&request, payload);
///     let session = Session::from_extensions(request.extensions()).await?;
///     let name: Option<String> = session.get("username")?;
///     Ok(http_response(&http::Response::new(name.unwrap_or_default().into())))
/// }
/// ```
pub fn http_request(
    request: &HttpRequest,
    payload: web::Payload,
) -> http::Request<impl HttpBody<Data = Bytes, Error = PayloadError> + use<>> {
    let mut parts = parts(request);
    parts.extensions = handles::of(request, Handles::extensions);
    http::Request::from_parts(parts, Streamed(payload.into_inner()))
}

/// Returns the head of a request in the types of http 1.
fn parts(request: &HttpRequest) -> Parts {
    head(request.method().as_str(), &request.uri().to_string(), lines(request.headers()))
}
