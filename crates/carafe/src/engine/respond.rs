use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE, VARY};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::headers::append_lines;
use super::{Engine, Headers, Outcome, Slot};
use crate::config::Caching;
use crate::{Error, ErrorKind, event};

/// The header that makes a browser drop an origin's data
/// (<https://www.w3.org/TR/clear-site-data/>).
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
const CLEARED: HeaderValue = HeaderValue::from_static(r#""cache", "storage""#);

/// The page that a visitor sees if the session failed: see
/// [`SessionLayer::on_error`](crate::SessionLayer::on_error).
///
/// It is made from a status and a text, or from a whole response.
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
    /// Makes a page of plain text.
    fn from((status, text): (StatusCode, B)) -> Self {
        let mut response = Response::new(text.into());
        *response.status_mut() = status;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        Self(response)
    }
}

impl Error {
    /// Returns the status of the response to this error.
    ///
    /// ```
    /// use carafe::{Error, ErrorKind};
    /// use http::StatusCode;
    ///
    /// let error = Error::new(ErrorKind::Store, "the store is down: try again");
    /// assert_eq!(error.status(), StatusCode::SERVICE_UNAVAILABLE);
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.kind() {
            ErrorKind::Csrf => StatusCode::FORBIDDEN,
            ErrorKind::LoginRequired | ErrorKind::NotFresh if self.redirect().is_some() => {
                StatusCode::SEE_OTHER
            }
            ErrorKind::LoginRequired | ErrorKind::NotFresh => StatusCode::UNAUTHORIZED,
            ErrorKind::Ended | ErrorKind::Conflict | ErrorKind::TooManySessions => {
                StatusCode::CONFLICT
            }
            ErrorKind::Store => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the default response to this error. It doesn't name the cause, which is in the log,
    /// unless the request itself is the cause.
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
        // The error is attached for the layer, which may replace the response by the application's
        // page.
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl<B: From<Bytes>> From<Error> for Response<B> {
    /// Returns the response to a request, as in axum. It doesn't name the cause, which goes to the
    /// log. A layer with [`on_error`](crate::SessionLayer::on_error) replaces it by the
    /// application's page.
    fn from(error: Error) -> Self {
        event::failed(&error);
        error.to_response().map(B::from)
    }
}

/// A response of any framework, which the engine completes.
pub(crate) trait Reply: Sized {
    /// Returns the library's error, if the handler returned one.
    fn error(&self) -> Option<Error>;

    /// Returns the headers, for adding to them.
    fn headers(&mut self) -> &mut impl Headers;

    /// Returns every line of the headers: its name, in lower case, and its value.
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])>;

    /// Converts a page to this framework's response.
    fn from_page(page: Response<Bytes>) -> Self;

    /// Replaces the response by a page. The page keeps the response's `Vary`, its cookies, and its
    /// headers for other origins.
    fn replaced_by(self, mut page: Response<Bytes>) -> Self {
        let stays = |name: &str| {
            name == VARY.as_str()
                || name == SET_COOKIE.as_str()
                || name.starts_with("access-control-")
        };
        append_lines(page.headers_mut(), self.lines().filter(|(name, _)| stays(name)));
        Self::from_page(page)
    }
}

impl Engine {
    /// Returns the handler's response, or the application's page for the error that it returned.
    pub(crate) fn prepare<R: Reply>(&self, response: R) -> R {
        match response.error() {
            // Without a page of the application, the handler's own response to its error stays. A
            // redirect to the login page is not an error to the visitor.
            Some(error) if self.error_page.is_some() && error.redirect().is_none() => {
                self.replace(response, &error)
            }
            _ => response,
        }
    }

    /// Adds the outcome of the commit to the response's headers.
    pub(crate) fn complete<R: Reply>(
        &self,
        mut response: R,
        outcome: Result<Outcome, Error>,
        slot: &Slot,
    ) -> R {
        match outcome {
            Ok(mut outcome) => {
                if let Some(error) = outcome.error.take() {
                    event::failed(&error);
                    response = self.replace(response, &error);
                }
                if let Some(remember) = slot.state().flask_login.take_cookie() {
                    self.add_cookie(response.headers(), remember);
                }
                self.write_headers(outcome, response.headers());
                if self.config().clear_site_data && slot.state().logged_out {
                    response.headers().set(CLEAR_SITE_DATA, CLEARED);
                }
                response
            }
            Err(error) => {
                event::failed(&error);
                response = self.replace(response, &error);
                // Any answer depended on the session.
                self.depend_on_session(response.headers());
                response
            }
        }
    }

    /// Writes the outcome of the commit into a response's headers.
    pub(crate) fn write_headers(&self, outcome: Outcome, headers: &mut impl Headers) {
        match outcome.cookie {
            Some(cookie) => self.add_cookie(headers, cookie),
            None if outcome.vary => self.depend_on_session(headers),
            None => {}
        }
        for cookie in outcome.others {
            self.add_cookie(headers, cookie);
        }
    }

    /// Tells caches that a response depends on the session.
    fn depend_on_session(&self, headers: &mut impl Headers) {
        headers.vary_with_cookie();
        match self.config().caching {
            Caching::Vary => {}
            Caching::Private => headers.forbid_sharing(),
            Caching::NoStore => headers.forbid_storing(),
        }
    }

    /// Adds a cookie to a response, which then depends on the request's cookies.
    pub(crate) fn add_cookie(&self, response: &mut impl Headers, cookie: HeaderValue) {
        response.vary_with_cookie();
        response.add(SET_COOKIE, cookie);
        if self.config().caching != Caching::Vary {
            response.forbid_storing();
        }
    }

    /// Returns the application's page for an error, or the plain page.
    fn replace<R: Reply>(&self, response: R, error: &Error) -> R {
        response.replaced_by(self.page(error))
    }

    fn page(&self, error: &Error) -> Response<Bytes> {
        match &self.error_page {
            Some(make_page) => make_page(error).0,
            None => error.to_response(),
        }
    }

    /// Returns the response to a request that doesn't reach its handler.
    pub(crate) fn refuse<R: Reply>(&self, error: &Error) -> R {
        event::failed(error);
        R::from_page(self.page(error))
    }
}
