use std::fmt;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

/// A response that has arrived, with all of its body.
#[derive(Clone)]
pub struct Response(pub(super) http::Response<Bytes>);

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The first header of a name, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// Where the response redirects to.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    /// The body.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.0.body()
    }

    /// The body as text; what isn't UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.0.body()).into_owned()
    }

    /// The response as a type of the crate `http`.
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
