//! Where the extractors find what the layers have of a request: in its extensions.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage as _, HttpRequest, http::header};
use http::HeaderValue;

use crate::engine::{Engine, Slot};
use crate::handled::{Handled, Handles};

/// Puts what a layer has of a request there, beside what other layers have.
pub(super) fn insert(request: &ServiceRequest, handled: &Handled) {
    let mut extensions = request.extensions_mut();
    let mut handles = extensions.remove::<Handles>().unwrap_or_default();
    handles.add(handled);
    extensions.insert(handles);
}

/// Takes what is needed of what the layers have of a request.
pub(super) fn of<T>(request: &HttpRequest, take: impl FnOnce(&Handles) -> T) -> T {
    match request.extensions().get() {
        Some(handles) => take(handles),
        None => take(&Handles::default()),
    }
}

/// The slot for a request's session.
pub(super) fn slot(engine: &Arc<Engine>, request: &ServiceRequest) -> Arc<Slot> {
    let lines = request.headers().get_all(header::COOKIE);
    let cookies = lines.filter_map(|line| HeaderValue::from_bytes(line.as_bytes()).ok()).collect();
    let lines = |name| request.headers().get_all(name).map(header::HeaderValue::as_bytes);
    let path = || request.uri().path_and_query().map_or("/", |path| path.as_str());
    Slot::of_head(engine, cookies, request.method().as_str(), lines, path, |_| request.peer_addr())
}
