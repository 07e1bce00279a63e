//! The site of the table, and visits to it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_core::body::Body;
use axum_core::response::{IntoResponse as _, Response};
use bytes::Bytes;
use carafe::tower::SessionService;
use carafe::{Clock, CurrentUser, Error, Named, Session};
use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, StatusCode};
use tokio::sync::Notify;
use tower_service::Service;

use super::backend::Watched;

/// The name of the site's session.
pub(super) struct Table;

/// A value of 600 characters.
const LARGE: [&str; 60] = ["aaaaaaaaaa"; 60];

/// The site's pages.
#[derive(Clone, Default)]
pub(super) struct Handler {
    /// A request to `/read-write` has read.
    has_read: Arc<Notify>,
    /// Tells the request that it may write.
    may_write: Arc<Notify>,
}

impl Handler {
    async fn page(self, path: String, extensions: Extensions) -> Result<String, Error> {
        match path.as_str() {
            "/plain" => return Ok(String::new()),
            "/named" => {
                Named::<Table>::from_extensions(&extensions).await?;
                return Ok("there".to_owned());
            }
            "/account" => {
                return CurrentUser::from_extensions(&extensions).await.map(CurrentUser::into_id);
            }
            _ => {}
        }
        let session = Session::from_extensions(&extensions).await?;
        match path.as_str() {
            "/login" => session.login("ann")?,
            "/permanent" => {
                session.login("ann")?;
                session.set_permanent(true)?;
            }
            "/fresh" => drop(session.fresh_user(Duration::from_secs(3_600))?),
            "/first-step" => session.login_pending("ann")?,
            "/pending?" => return Ok(session.pending_user().unwrap_or_default()),
            "/remember" => {
                session.login("ann")?;
                session.remember().await?;
            }
            "/logout" => session.logout()?,
            "/flash" => session.flash("hello")?,
            "/flashes" => return Ok(session.get_flashed_messages()?.len().to_string()),
            "/large" => session.insert("large", LARGE.concat())?,
            "/large?" => {
                return Ok(session.get::<String>("large")?.unwrap_or_default().len().to_string());
            }
            "/number?" => return Ok(session.get::<u64>("large")?.unwrap_or_default().to_string()),
            "/write" => session.insert("n", 1)?,
            "/read-write" => {
                let _: Option<u64> = session.get("n")?;
                self.has_read.notify_one();
                self.may_write.notified().await;
                session.insert("n", 2)?;
            }
            _ => {}
        }
        Ok(session.user().unwrap_or_default())
    }
}

impl Service<Request<()>> for Handler {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let handler = self.clone();
        let (parts, ()) = request.into_parts();
        // A request's target has no `?` that isn't a query's.
        let path = parts.uri.to_string();
        Box::pin(async move { Ok(handler.page(path, parts.extensions).await.into_response()) })
    }
}

/// A site, whose handlers stand behind a layer.
#[derive(Clone)]
pub(super) struct Site {
    pub(super) service: SessionService<Handler>,
    pub(super) clock: Clock,
    pub(super) watched: Watched,
    pub(super) handler: Handler,
}

/// The answer that a visitor got.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Site {
    async fn send(&self, method: Method, path: &str, cookie: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        let request = request.body(()).unwrap();
        let Ok(response) = self.service.clone().call(request).await;
        let (head, body) = response.into_parts();
        let text = String::from_utf8(read(Body::new(body)).await.to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, text }
    }
}

/// Reads a body to its end.
async fn read(body: Body) -> Bytes {
    use http_body::Body as _;
    let mut body = Box::pin(body);
    let mut read = Vec::new();
    while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await
    {
        read.extend_from_slice(&frame.unwrap().into_data().unwrap_or_default());
    }
    read.into()
}

/// A visitor of a site, and of another one that shares its sessions.
pub(super) struct Visit {
    here: Site,
    other: Site,
    cookie: Option<String>,
    copy: Option<String>,
    pub(super) last: Answer,
}

impl Visit {
    pub(super) fn new([here, other]: [Site; 2]) -> Self {
        Self { here, other, cookie: None, copy: None, last: Answer::default() }
    }

    /// Does one step:
    ///
    /// - `/path`, `HEAD /path`: a request, whose cookie the browser keeps;
    /// - `other /path`: a request to the other site;
    /// - `+60`: a minute goes by;
    /// - `leave`: the visitor goes, and another one comes, without a cookie;
    /// - `copy`, `paste`: an attacker copies the cookie, and the visitor's is that copy from now on;
    /// - `slow`, `quick`: the store's calls from now on;
    /// - `race`: a request reads, another one writes, and the first one writes;
    /// - `sweep`: waits for the store to be swept.
    pub(super) async fn go(&mut self, step: &str) {
        match step.split_once(' ') {
            Some(("HEAD", path)) => self.send(&self.here.clone(), Method::HEAD, path).await,
            Some((_, path)) => self.send(&self.other.clone(), Method::GET, path).await,
            None if step.starts_with('/') => self.send(&self.here.clone(), Method::GET, step).await,
            None => self.aside(step).await,
        }
    }

    async fn send(&mut self, site: &Site, method: Method, path: &str) {
        self.last = site.send(method, path, self.cookie.as_deref()).await;
        let line = super::row::set_cookie(&self.last);
        if let Some((pair, attributes)) = line.split_once(';') {
            self.cookie = (!attributes.contains("Max-Age=0")).then(|| pair.to_owned());
        }
    }

    /// The steps that are no request of the browser's.
    async fn aside(&mut self, step: &str) {
        match step {
            "leave" => self.cookie = None,
            "copy" => self.copy = self.cookie.clone(),
            "paste" => self.cookie = self.copy.clone(),
            "slow" => self.here.watched.slow(true),
            "quick" => self.here.watched.slow(false),
            "race" => self.last = self.race().await,
            "sweep" => {
                let swept = self.here.watched.is_swept().await;
                self.last.text = if swept { "swept" } else { "" }.to_owned();
            }
            seconds => self.here.clock.advance(seconds.trim_start_matches('+').parse().unwrap()),
        }
    }

    /// Returns the answer to the request that has not seen the other's change.
    async fn race(&self) -> Answer {
        let cookie = self.cookie.as_deref();
        let other = async {
            self.here.handler.has_read.notified().await;
            let answer = self.here.send(Method::GET, "/write", cookie).await;
            self.here.handler.may_write.notify_one();
            assert_eq!(answer.status, 200);
        };
        let (late, ()) = tokio::join!(self.here.send(Method::GET, "/read-write", cookie), other);
        late
    }
}
