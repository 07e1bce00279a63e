use std::fmt;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

/// A complete response with its body.
#[derive(Clone)]
pub struct Response(pub(super) http::Response<Bytes>);

impl Response {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// Returns the first header with this name, if there is one and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// Returns the target of a redirect.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    /// Returns the body.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.0.body()
    }

    /// Returns the body as text; bytes that aren't UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.0.body()).into_owned()
    }

    /// Returns the response as a type of the crate `http`.
    #[must_use]
    pub fn into_inner(self) -> http::Response<Bytes> {
        self.0
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("bytes", &self.bytes().len())
            .finish_non_exhaustive()
    }
}
