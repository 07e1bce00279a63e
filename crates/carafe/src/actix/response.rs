//! Responses between http 1 and actix-web.

use actix_web::body::EitherBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderValue, TryIntoHeaderPair as _};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use bytes::Bytes;
use http::Response;

use crate::engine::{Headers, Reply};
use crate::session::Unopened;
use crate::{Error, event};

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        status(self.status())
    }

    /// A response without the cause; [`on_error`](crate::SessionLayer::on_error) replaces it.
    fn error_response(&self) -> HttpResponse {
        event::failed(self);
        http_response(&self.to_response())
    }
}

impl ResponseError for Unopened {
    fn status_code(&self) -> StatusCode {
        Error::status_code(self)
    }

    fn error_response(&self) -> HttpResponse {
        Error::error_response(self)
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

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        lines(HttpResponse::headers(self))
    }

    fn from_page(with: Response<Bytes>) -> Self {
        http_response(&with).map_into_right_body()
    }
}

impl Headers for HeaderMap {
    fn lines_of(&self, name: &http::HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name.as_str()).map(HeaderValue::as_bytes)
    }

    fn set(&mut self, name: http::HeaderName, value: http::HeaderValue) {
        self.remove(name.as_str());
        self.add(name, value);
    }

    fn add(&mut self, name: http::HeaderName, value: http::HeaderValue) {
        // What is a header in one version of http is one in the other.
        if let Ok((name, value)) = (name.as_str(), value.as_bytes()).try_into_pair() {
            self.append(name, value);
        }
    }
}

/// A response of http 1 as one of actix-web's.
///
/// An [`Error`] that became the response stays with it, so that a layer with
/// [`on_error`](crate::SessionLayer::on_error) replaces it by the application's page.
#[must_use]
pub fn http_response(page: &Response<Bytes>) -> HttpResponse {
    let mut response = HttpResponseBuilder::new(status(page.status()));
    for (name, value) in page.headers() {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    if let Some(error) = page.extensions().get::<Error>() {
        response.extensions_mut().insert(error.clone());
    }
    response.body(page.body().clone())
}

/// The lines of headers.
pub(super) fn lines(headers: &HeaderMap) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
}

fn status(status: http::StatusCode) -> StatusCode {
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
