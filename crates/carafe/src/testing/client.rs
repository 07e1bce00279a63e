use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tower_service::Service;

use super::Response;
use super::jar::Jar;
use crate::engine::Slot;
use crate::{Error, LazySession, Session, SessionLayer, percent};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// An error of the service or of its response's body.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client that calls a service without a network, and keeps cookies as a browser does.
///
/// It respects each cookie's path, domain, lifetime and removal, by the clock of the session layer.
/// It also sends `Secure` cookies, as if every request were over HTTPS.
///
/// ```
/// # #[cfg(feature = "axum")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), carafe::testing::BoxError> {
/// use axum::{Form, Router, response::Redirect, routing::{get, post}};
/// use carafe::testing::Client;
/// use carafe::{Error, SecretKey, Session, SessionLayer};
///
/// #[derive(serde::Deserialize)]
/// struct Login {
///     username: String,
/// }
///
/// async fn login(session: Session, Form(form): Form<Login>) -> Result<Redirect, Error> {
///     session.insert("username", form.username)?;
///     Ok(Redirect::to("/"))
/// }
///
/// async fn index(session: Session) -> Result<String, Error> {
///     Ok(session.get("username")?.unwrap_or_default())
/// }
///
/// let sessions = SessionLayer::flask(SecretKey::new("dev")?);
/// let app = Router::new()
///     .route("/", get(index))
///     .route("/login", post(login))
///     .layer(sessions.clone());
/// let client = Client::new(app, &sessions);
/// let response = client.post_form("/login", &[("username", "Zoë")]).await?;
/// assert_eq!(client.follow(&response).await?.text(), "Zoë");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "axum"))]
/// # fn main() {}
/// ```
pub struct Client<S> {
    service: S,
    sessions: SessionLayer,
    host: String,
    /// The origin of the client's pages, for the `Origin` header.
    origin: Option<String>,
    jar: Mutex<Jar>,
}

impl<S> Client<S> {
    /// Creates a client of a service, such as an axum `Router`. `sessions` is the session layer of
    /// the service's routes.
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
    /// let client = Client::new(app, &sessions);
    /// assert_eq!(client.get("/").await?.text(), "GET /");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(service: S, sessions: &SessionLayer) -> Self {
        Self {
            service,
            sessions: sessions.clone(),
            host: "localhost".to_owned(),
            origin: None,
            jar: Mutex::default(),
        }
    }

    /// Sets the host that requests go to, instead of `localhost`: for cookies with a domain.
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
    /// let client = client.with_host("shop.example");
    /// client.set_cookie("theme=dark; Domain=shop.example");
    /// assert_eq!(client.cookie("theme").as_deref(), Some("dark"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// Sets the origin of the pages that send requests, such as `https://shop.example`. Forms then
    /// carry it in their `Origin` header, and requests go to its host.
    ///
    /// Without it, requests have no `Origin`. They say `Sec-Fetch-Site: same-origin` unless they
    /// carry one of the two headers already. So a form passes a
    /// [`CsrfLayer`](crate::csrf::CsrfLayer) with the visitor's token, and a test can play the part
    /// of another site.
    ///
    /// ```
    /// # #[cfg(feature = "axum")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::testing::BoxError> {
    /// use axum::{Router, routing::get};
    /// use carafe::csrf::{Csrf, CsrfLayer};
    /// use carafe::testing::Client;
    /// use carafe::{SecretKey, SessionLayer};
    ///
    /// let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// let form = get(async |csrf: Csrf| csrf.token()).post(async || "ordered");
    /// let app = Router::new()
    ///     .route("/order", form)
    ///     .layer(CsrfLayer::new(["https://shop.example"])?)
    ///     .layer(sessions.clone());
    /// let client = Client::new(app, &sessions).origin("https://shop.example");
    /// let token = client.get("/order").await?.text();
    /// assert_eq!(client.post_form("/order", &[("csrf_token", &token)]).await?.text(), "ordered");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "axum"))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        let origin = origin.into();
        let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
        self.host = host.to_owned();
        self.origin = Some(origin);
        self
    }

    /// Opens the session, lets `change` change it, and saves it, like a request between two
    /// requests of the test: Flask's `with client.session_transaction() as session`.
    ///
    /// If `change` fails or panics, nothing is saved.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{SecretKey, SessionLayer, testing::Client};
    /// # let sessions = SessionLayer::flask(SecretKey::new("dev")?);
    /// # let client = Client::new((), &sessions);
    /// client.session_transaction(|session| {
    ///     session.insert("user_id", 42)?;
    ///     session.flash("Welcome back")
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of `change`, or the error of saving.
    pub async fn session_transaction<R>(
        &self,
        change: impl FnOnce(&Session) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let (slot, session) = self.open().await?;
        let result = change(&session)?;
        let mut headers = HeaderMap::new();
        let mut outcome = self.sessions.engine().commit(&slot).done().await?;
        if let Some(error) = outcome.error.take() {
            return Err(error);
        }
        self.sessions.engine().write_headers(outcome, &mut headers);
        self.keep_cookies(&headers, self.session_path());
        Ok(result)
    }

    /// Opens the session that the next request will find, for reading: changing it is an error.
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
    /// client.session_transaction(|session| session.insert("visits", 3)).await?;
    /// assert_eq!(client.session().await?.get("visits")?, Some(3));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of opening the session.
    pub async fn session(&self) -> Result<Session, Error> {
        let (slot, session) = self.open().await?;
        slot.close();
        Ok(session)
    }

    /// Returns the value of a cookie as it was set, if the client has the cookie.
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
    /// client.session_transaction(|session| session.insert("visits", 3)).await?;
    /// assert!(client.cookie("session").is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name, self.now()).map(str::to_owned)
    }

    /// Stores a cookie, given as a `Set-Cookie` header such as `theme=dark; Path=/`.
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
    /// client.set_cookie("theme=dark; Path=/");
    /// assert_eq!(client.cookie("theme").as_deref(), Some("dark"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_cookie(&self, header: &str) {
        self.jar().set_cookie(header, self.cookie_host(), "/", self.now());
    }

    /// Removes all cookies, so that the client is a new visitor.
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
    /// client.set_cookie("theme=dark; Path=/");
    /// client.clear_cookies();
    /// assert_eq!(client.cookie("theme"), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn clear_cookies(&self) {
        self.jar().clear();
    }

    async fn open(&self) -> Result<(Arc<Slot>, Session), Error> {
        let mut headers = HeaderMap::new();
        self.add_cookies(&mut headers, self.session_path());
        let slot = Slot::new(self.sessions.engine(), &headers);
        let session = LazySession::new(Arc::clone(&slot)).open().await?;
        Ok((slot, session))
    }

    /// Returns a path that the session's cookie is sent to.
    fn session_path(&self) -> &str {
        let config = self.sessions.engine().config();
        config.cookie_path.as_deref().unwrap_or(&config.application_root)
    }

    fn add_cookies(&self, headers: &mut HeaderMap, path: &str) {
        let cookies = self.jar().header(self.cookie_host(), path, self.now());
        if let Some(value) = cookies.and_then(|cookies| HeaderValue::from_str(&cookies).ok()) {
            headers.insert(COOKIE, value);
        }
    }

    fn keep_cookies(&self, headers: &HeaderMap, path: &str) {
        let (mut jar, now) = (self.jar(), self.now());
        for header in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            jar.set_cookie(header, self.cookie_host(), path, now);
        }
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.sessions.engine().clock.now().0
    }
}

impl<S> Client<S> {
    /// Returns the host without its port, since a host's cookies are sent to all ports.
    fn cookie_host(&self) -> &str {
        match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.host,
        }
    }

    /// Adds the headers by which a browser says that one of the site's own pages sends the request.
    fn say_where_from<T>(&self, request: &mut Request<T>) -> Result<(), BoxError> {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
        let headers = request.headers_mut();
        if headers.contains_key(ORIGIN) || headers.contains_key(SEC_FETCH_SITE) {
            return Ok(());
        }
        headers.insert(SEC_FETCH_SITE, HeaderValue::from_static("same-origin"));
        if let Some(origin) = self.origin.as_ref().filter(|_| !is_safe) {
            headers.insert(ORIGIN, HeaderValue::from_str(origin)?);
        }
        Ok(())
    }
}

impl<S, B> Client<S>
where
    S: Service<Request<Full<Bytes>>, Response = http::Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    /// Sends a GET request.
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
    /// assert_eq!(client.get("/cart").await?.text(), "GET /cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`send`](Self::send), and an error if `path` is not a path.
    pub async fn get(&self, path: &str) -> Result<Response, BoxError> {
        self.send(Request::get(path).body(Bytes::new())?).await
    }

    /// Sends a form by POST.
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
    /// let response = client.post_form("/login", &[("username", "ada")]).await?;
    /// assert_eq!(response.text(), "POST /login");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`send`](Self::send), and an error if `path` is not a path.
    pub async fn post_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Response, BoxError> {
        let mut form = String::new();
        for (name, value) in fields {
            if !form.is_empty() {
                form.push('&');
            }
            percent::encode_form(&mut form, name.as_bytes(), "");
            form.push('=');
            percent::encode_form(&mut form, value.as_bytes(), "");
        }
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))?;
        self.send(request).await
    }

    /// Sends a GET request to the target of a redirect.
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
    /// let response = client.post_form("/login", &[("username", "ada")]).await?;
    /// assert_eq!(client.follow(&response).await?.text(), "GET /done");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`send`](Self::send), and an error if the response is not a redirect.
    pub async fn follow(&self, response: &Response) -> Result<Response, BoxError> {
        let location = response.location().ok_or("the response doesn't redirect")?;
        self.get(location).await
    }

    /// Sends a request with the cookies for its path, unless it has a `Cookie` header already, and
    /// keeps the cookies of the response. If the request has neither `Origin` nor `Sec-Fetch-Site`,
    /// the client adds headers that name one of the site's own pages as the sender: see
    /// [`origin`](Self::origin).
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
    /// let request = http::Request::put("/cart").header("accept", "text/html").body("pears=2")?;
    /// assert_eq!(client.send(request).await?.text(), "PUT /cart");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The error of the service, or of the response's body.
    pub async fn send<T: Into<Bytes>>(&self, request: Request<T>) -> Result<Response, BoxError> {
        let mut request = request.map(|body| Full::new(body.into()));
        let path = request.uri().path().to_owned();
        let headers = request.headers_mut();
        if !headers.contains_key(COOKIE) {
            self.add_cookies(headers, &path);
        }
        if !headers.contains_key(HOST) {
            headers.insert(HOST, HeaderValue::from_str(&self.host)?);
        }
        self.say_where_from(&mut request)?;
        let mut service = self.service.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(Into::into)?;
        let response = service.call(request).await.map_err(Into::into)?;
        let (parts, body) = response.into_parts();
        self.keep_cookies(&parts.headers, &path);
        let body = body.collect().await.map_err(Into::into)?.to_bytes();
        Ok(Response(http::Response::from_parts(parts, body)))
    }
}

impl<S> fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("host", &self.host).finish_non_exhaustive()
    }
}
