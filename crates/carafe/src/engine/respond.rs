use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::{Engine, Outcome, headers};
use crate::{Error, ErrorKind, event};

/// The page that a visitor sees where the session failed: see
/// [`SessionLayer::on_error`](crate::SessionLayer::on_error).
///
/// It is made of a status and a text, or of a whole response.
#[derive(Debug)]
pub struct ErrorPage(Response<Bytes>);

impl ErrorPage {
    pub(crate) fn into_response(self) -> Response<Bytes> {
        self.0
    }
}

impl<B: Into<Bytes>> From<Response<B>> for ErrorPage {
    fn from(response: Response<B>) -> Self {
        Self(response.map(Into::into))
    }
}

impl<B: Into<Bytes>> From<(StatusCode, B)> for ErrorPage {
    /// A page of plain text.
    fn from((status, text): (StatusCode, B)) -> Self {
        let mut response = Response::new(text.into());
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        Self(response)
    }
}

impl Error {
    /// The status that this error answers a request with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind() {
            ErrorKind::Csrf => StatusCode::FORBIDDEN,
            ErrorKind::LoginRequired if self.redirect().is_some() => StatusCode::SEE_OTHER,
            ErrorKind::LoginRequired => StatusCode::UNAUTHORIZED,
            ErrorKind::Ended | ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Store => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The response where the application gives none of its own: it says nothing of the cause,
    /// which is in the log, unless the cause is the request.
    pub(crate) fn to_response(&self) -> Response<Bytes> {
        let status = self.status();
        let text = match self.kind() {
            ErrorKind::Csrf => Bytes::from(self.to_string()),
            _ => Bytes::from_static(status.canonical_reason().unwrap_or_default().as_bytes()),
        };
        let ErrorPage(mut response) = ErrorPage::from((status, text));
        if let Some(Ok(url)) = self.redirect().map(HeaderValue::from_str) {
            response.headers_mut().insert(LOCATION, url);
        }
        // For the layer, which may have a page of the application's.
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl<B: From<Bytes>> From<Error> for Response<B> {
    /// The response that answers a request, as in axum: it says nothing of the cause, which goes to
    /// the log. A layer with [`on_error`](crate::SessionLayer::on_error) replaces it by the
    /// application's page.
    fn from(error: Error) -> Self {
        event::failed(&error);
        error.to_response().map(B::from)
    }
}

impl Engine {
    /// The response of a handler, or the application's page for the error that it returned.
    pub(crate) fn prepare<B: From<Bytes>>(&self, response: Response<B>) -> Response<B> {
        match response.extensions().get::<Error>().cloned() {
            // Without a page of the application's, what the handler made of its error stands. The
            // way to the login page is no error to the visitor.
            Some(error) if self.error_page.is_some() && error.redirect().is_none() => {
                self.replace(&response, &error)
            }
            _ => response,
        }
    }

    /// The response with what became of the session in its headers.
    pub(crate) fn complete<B: From<Bytes>>(
        &self,
        mut response: Response<B>,
        outcome: Result<Outcome, Error>,
    ) -> Response<B> {
        match outcome {
            Ok(mut outcome) => {
                if let Some(error) = outcome.error.take() {
                    event::failed(&error);
                    response = self.replace(&response, &error);
                }
                self.write_headers(outcome, response.headers_mut());
                response
            }
            Err(error) => {
                event::failed(&error);
                // Whatever was answered depended on the session.
                headers::vary_with_cookie(response.headers_mut());
                self.replace(&response, &error)
            }
        }
    }

    /// Writes what became of the session into a response's headers.
    pub(crate) fn write_headers(&self, outcome: Outcome, headers: &mut HeaderMap) {
        match outcome.cookie {
            Some(cookie) => self.add_cookie(headers, cookie),
            None if outcome.vary => headers::vary_with_cookie(headers),
            None => {}
        }
    }

    /// Adds a cookie to a response, which then depends on the request's cookies.
    pub(crate) fn add_cookie(&self, response: &mut HeaderMap, cookie: HeaderValue) {
        headers::vary_with_cookie(response);
        response.append(SET_COOKIE, cookie);
        if self.config().no_store {
            headers::forbid_storing(response);
        }
    }

    /// The application's page for an error, or the plain one. Cookies that the application set, and
    /// what the response varies with, are kept.
    fn replace<B: From<Bytes>>(&self, response: &Response<B>, error: &Error) -> Response<B> {
        let page = match &self.error_page {
            Some(make_page) => make_page(error).0,
            None => error.to_response(),
        };
        let mut page = page.map(B::from);
        keep(response.headers(), page.headers_mut());
        page
    }
}

fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        let cors = name.as_str().starts_with("access-control-");
        if *name == SET_COOKIE || *name == VARY || cors {
            to.append(name.clone(), value.clone());
        }
    }
}
