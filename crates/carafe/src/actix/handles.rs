//! Where the extractors find what the layers put into a request.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, header};
use actix_web::{HttpMessage as _, HttpRequest};
use http::{Extensions, HeaderValue};
use smallvec::SmallVec;

use crate::Error;
use crate::csrf::Protection;
use crate::engine::Engine;
use crate::session::Slot;

/// What the layers have put into a request, in the extensions of actix-web's.
#[derive(Default)]
pub(super) struct Handles {
    /// The slots of the session layers, the innermost last.
    pub(super) slots: SmallVec<[Arc<Slot>; 1]>,
    pub(super) protection: Option<Arc<Protection>>,
}

/// Puts something into a request, beside what other layers have put there.
pub(super) fn insert(request: &ServiceRequest, put: impl FnOnce(&mut Handles)) {
    let mut extensions = request.extensions_mut();
    let mut handles = extensions.remove::<Handles>().unwrap_or_default();
    put(&mut handles);
    extensions.insert(handles);
}

/// What the layers have put into a request, as extensions of http's.
pub(super) fn of(request: &HttpRequest) -> Extensions {
    let mut all = Extensions::new();
    if let Some(handles) = request.extensions().get::<Handles>() {
        handles.slots.iter().for_each(|slot| slot.insert_into(&mut all));
        handles.protection.iter().for_each(|protection| {
            all.insert(Arc::clone(protection));
        });
    }
    all
}

/// The slot of the innermost layer around a request.
pub(super) fn current(request: &HttpRequest) -> Result<Arc<Slot>, Error> {
    let extensions = request.extensions();
    match extensions.get::<Handles>().and_then(|handles| handles.slots.last()) {
        Some(slot) => Ok(Arc::clone(slot)),
        None => Slot::current(&Extensions::new()),
    }
}

/// The slot for a request's session.
pub(super) fn slot(engine: &Arc<Engine>, request: &ServiceRequest) -> Arc<Slot> {
    let lines = request.headers().get_all(header::COOKIE);
    let cookies = lines.filter_map(|line| HeaderValue::from_bytes(line.as_bytes()).ok()).collect();
    let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = || request.uri().path_and_query().map_or("/", |path| path.as_str()).into();
    let wanted = (is_get && engine.login_page.is_some()).then(path);
    Slot::with_cookies(Arc::clone(engine), cookies, wanted)
}
