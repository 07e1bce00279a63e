//! Responses between http 1 and actix-web.

use actix_web::body::EitherBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use bytes::Bytes;
use http::Response;

use crate::{Error, event};

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(self.status())
    }

    /// A response that says nothing of the cause, which goes to the log. A layer with
    /// [`on_error`](crate::SessionLayer::on_error) replaces it by the application's page.
    fn error_response(&self) -> HttpResponse {
        event::failed(self);
        page(&self.to_response(), []).map_into_boxed_body()
    }
}

/// What the core says about a handler's response, of which it sees no more than it has to.
pub(super) type Verdict = Response<Content>;

pub(super) enum Content {
    /// The handler's response goes out.
    Handlers,
    /// This goes out in its place.
    Page(Bytes),
}

impl From<Bytes> for Content {
    fn from(page: Bytes) -> Self {
        Self::Page(page)
    }
}

/// What the core has to see of a handler's response: `Vary`, to which it adds, and the handler's
/// error.
pub(super) fn shown<B>(response: &HttpResponse<B>) -> Verdict {
    let mut shown = Response::new(Content::Handlers);
    for line in response.headers().get_all(header::VARY) {
        if let Ok(line) = http::HeaderValue::from_bytes(line.as_bytes()) {
            shown.headers_mut().append(http::header::VARY, line);
        }
    }
    if let Some(error) = response.extensions().get::<Error>() {
        shown.extensions_mut().insert(error.clone());
    }
    shown
}

/// The response that the core has decided on.
pub(super) fn apply<B>(
    verdict: Verdict,
    mut response: HttpResponse<B>,
) -> HttpResponse<EitherBody<B, Bytes>> {
    let (head, content) = verdict.into_parts();
    match content {
        Content::Handlers => {
            write(response.headers_mut(), &head.headers);
            response.map_into_left_body()
        }
        Content::Page(bytes) => {
            // What stays of a handler's response, as in the core; `Vary` is in the core's already.
            let kept = response.headers().iter().filter(|(name, _)| {
                **name == header::SET_COOKIE || name.as_str().starts_with("access-control-")
            });
            let page = page(&Response::from_parts(head, bytes), kept);
            page.map_body(|_, bytes| EitherBody::right(bytes))
        }
    }
}

/// Writes the headers that the core has made into a handler's response: cookies beside the handler's
/// own, and others in place of them.
fn write(headers: &mut HeaderMap, made: &http::HeaderMap) {
    for name in made.keys().filter(|name| **name != http::header::SET_COOKIE) {
        headers.remove(name.as_str());
    }
    for (name, value) in made.iter().filter_map(|(name, value)| converted(name, value)) {
        headers.append(name, value);
    }
}

/// A page of the core's, for actix-web, and what is kept of the one in whose place it comes.
pub(super) fn page<'a>(
    page: &Response<Bytes>,
    kept: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> HttpResponse<Bytes> {
    let mut response = HttpResponseBuilder::new(status(page.status()));
    for line in kept {
        response.append_header(line);
    }
    let made = page.headers().iter();
    for line in made.filter_map(|(name, value)| converted(name, value)) {
        response.append_header(line);
    }
    if let Some(error) = page.extensions().get::<Error>() {
        response.extensions_mut().insert(error.clone());
    }
    let bytes = page.body().clone();
    response.finish().set_body(bytes)
}

fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What is a header in one version of http is one in the other.
fn converted(
    name: &http::HeaderName,
    value: &http::HeaderValue,
) -> Option<(HeaderName, HeaderValue)> {
    // Those that nearly every response has need no look into a table.
    let name = match name {
        name if *name == http::header::VARY => header::VARY,
        name if *name == http::header::SET_COOKIE => header::SET_COOKIE,
        name => HeaderName::from_bytes(name.as_str().as_bytes()).ok()?,
    };
    Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}
