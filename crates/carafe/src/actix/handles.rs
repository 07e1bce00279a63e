//! Where the extractors find what the layers put into a request.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, header};
use actix_web::{HttpMessage as _, HttpRequest};
use http::{Extensions, HeaderValue};

use crate::engine::Engine;
use crate::session::Slot;

/// Extensions of http's, in the extensions of actix-web's.
#[derive(Clone, Default)]
struct Handles(Arc<Extensions>);

/// Puts something into a request, beside what other layers have put there.
pub(super) fn insert(request: &ServiceRequest, put: impl FnOnce(&mut Extensions)) {
    let mut extensions = request.extensions_mut();
    let mut handles = extensions.remove::<Handles>().unwrap_or_default();
    put(Arc::make_mut(&mut handles.0));
    extensions.insert(handles);
}

/// What the layers have put into a request.
pub(super) fn of(request: &HttpRequest) -> Arc<Extensions> {
    request.extensions().get::<Handles>().cloned().unwrap_or_default().0
}

/// The slot for a request's session.
pub(super) fn slot(engine: &Arc<Engine>, request: &ServiceRequest) -> Arc<Slot> {
    let lines = request.headers().get_all(header::COOKIE);
    let cookies = lines.filter_map(|line| HeaderValue::from_bytes(line.as_bytes()).ok()).collect();
    let wanted = engine.login_page.as_ref().and_then(|_| {
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        is_get.then(|| Box::from(path))
    });
    Slot::with_cookies(Arc::clone(engine), cookies, wanted)
}
