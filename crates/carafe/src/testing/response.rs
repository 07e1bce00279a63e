use std::fmt;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

/// A complete response with its body.
#[derive(Clone)]
pub struct Response(pub(super) http::Response<Bytes>);

impl Response {
    /// Returns the status.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// assert_eq!(response.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Returns the headers.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// assert_eq!(response.headers()["location"], "/done");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// Returns the first header with this name, if there is one and it is text.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// assert_eq!(response.header("location"), Some("/done"));
    /// assert_eq!(response.header("x-missing"), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name)?.to_str().ok()
    }

    /// Returns the target of a redirect.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// assert_eq!(response.location(), Some("/done"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.header(LOCATION.as_str())
    }

    /// Returns the body.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// assert_eq!(&response.bytes()[..], b"GET /");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        self.0.body()
    }

    /// Returns the body as text; bytes that aren't UTF-8 become U+FFFD.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// assert_eq!(response.text(), "GET /");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.0.body()).into_owned()
    }

    /// Returns the response as a type of the crate `http`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// # use carafe::{Error, SecretKey, SessionLayer, testing::Client};
    /// # type Request = http::Request<http_body_util::Full<bytes::Bytes>>;
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let app = tower::service_fn(|request: Request| async move {
    /// #     let response = http::Response::builder().header("location", "/done");
    /// #     response.body(format!("{} {}", request.method(), request.uri()))
    /// # });
    /// # let client = Client::new(app, &sessions);
    /// let response = client.get("/").await?;
    /// let response: http::Response<bytes::Bytes> = response.into_inner();
    /// assert!(response.status().is_success());
    /// # Ok(())
    /// # }
    /// ```
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
