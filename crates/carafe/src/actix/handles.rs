//! The layers' handles of a request, kept in its extensions for the extractors.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::{HttpMessage as _, HttpRequest, http::header};
use http::HeaderValue;

use crate::engine::{Engine, Slot};
use crate::handled::{Handled, Handles};

/// Adds a layer's handles to the request's extensions.
pub(super) fn insert(request: &ServiceRequest, handled: &Handled) {
    let mut extensions = request.extensions_mut();
    let mut handles = extensions.remove::<Handles>().unwrap_or_default();
    handles.add(handled);
    extensions.insert(handles);
}

/// Reads from the handles in a request's extensions.
pub(super) fn of<T>(request: &HttpRequest, take: impl FnOnce(&Handles) -> T) -> T {
    take(request.extensions().get().unwrap_or(&Handles::default()))
}

/// Creates the slot for a request's session.
pub(super) fn slot(engine: &Arc<Engine>, request: &ServiceRequest) -> Arc<Slot> {
    let lines = |name| request.headers().get_all(name).map(header::HeaderValue::as_bytes);
    let cookies = lines("cookie").filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let path = || request.uri().path_and_query().map_or("/", |path| path.as_str());
    Slot::of_head(engine, cookies, request.method().as_str(), lines, path, |_| request.peer_addr())
}
