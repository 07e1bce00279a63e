//! The check of a request for the CSRF layer.

use std::sync::Arc;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::{HttpMessage as _, HttpRequest};
use http::request::Parts;

use super::handles;
use super::response::lines;
use crate::Error;
use crate::bridge::{Streamed, Streaming, head};
use crate::csrf::{self, Body, Settings};
use crate::engine::Handled;

/// Lets a request through, or says why not.
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

/// The head of a request, as http 1 has it.
pub(super) fn parts(request: &HttpRequest) -> Parts {
    head(request.method().as_str(), &request.uri().to_string(), lines(request.headers()))
}
