//! Responses between http 1 and actix-web.

use actix_web::body::EitherBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use bytes::Bytes;
use http::Response;

use crate::engine::{COOKIE, Headers, NO_STORE, Reply, merged_vary};
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

/// A handler's response, or one in its place: a page of the core's, or a middleware's error.
pub(super) type Answer<B> = HttpResponse<EitherBody<B>>;

impl<B> Reply for Answer<B> {
    fn error(&self) -> Option<Error> {
        self.extensions().get().cloned()
    }

    fn headers(&mut self) -> &mut impl Headers {
        self.headers_mut()
    }

    fn keep(&self, page: &mut http::HeaderMap) {
        let lines = HttpResponse::headers(self).get_all(header::VARY);
        let lines = lines.filter_map(|line| http::HeaderValue::from_bytes(line.as_bytes()).ok());
        page.extend(lines.map(|line| (http::header::VARY, line)));
    }

    /// What stays besides are cookies that the application set.
    fn replace(self, with: Response<Bytes>) -> Self {
        let kept = HttpResponse::headers(&self).iter().filter(|(name, _)| {
            **name == header::SET_COOKIE || name.as_str().starts_with("access-control-")
        });
        page(&with, kept).map_into_boxed_body().map_into_right_body()
    }
}

impl Headers for HeaderMap {
    fn vary_with_cookie(&mut self) {
        let lines = self.get_all(header::VARY).map(HeaderValue::as_bytes);
        let first = (lines.len() == 0).then(|| HeaderValue::from_static(COOKIE));
        if let Some(vary) = first.or_else(|| merged_vary(lines)?.try_into().ok()) {
            self.insert(header::VARY, vary);
        }
    }

    fn append_cookie(&mut self, cookie: http::HeaderValue) {
        if let Ok(cookie) = HeaderValue::from_bytes(cookie.as_bytes()) {
            self.append(header::SET_COOKIE, cookie);
        }
    }

    fn forbid_storing(&mut self) {
        self.insert(header::CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
    }
}

/// A page of the core's, for actix-web, and what is kept of the response in whose place it comes.
pub(super) fn page<'a>(
    page: &Response<Bytes>,
    kept: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> HttpResponse<Bytes> {
    let mut response = HttpResponseBuilder::new(status(page.status()));
    for line in kept {
        response.append_header(line);
    }
    // What is a header in one version of http is one in the other.
    for (name, value) in page.headers() {
        response.append_header((name.as_str(), value.as_bytes()));
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
