//! A small application on a layer, and browsers that use it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::extract::FromRequestParts as _;
use axum_core::response::{IntoResponse as _, Response};
use carafe::store::SessionStore;
use carafe::tower::SessionService;
use carafe::{Clock, Config, Error, SecretKey, Session, SessionLayer, UserSessions};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, StatusCode};
use tower_layer::Layer as _;
use tower_service::Service;

use crate::support::NOW;

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The work of a request, which is its own handler.
enum Work {
    /// Extracts the session.
    Session(Box<dyn FnOnce(Session) -> Pending<Result<(), Error>> + Send>),
    /// Never looks at the session.
    Plain,
}

#[derive(Clone)]
struct Handler;

impl Service<Request<Work>> for Handler {
    type Response = Response;
    type Error = Infallible;
    type Future = Pending<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Work>) -> Self::Future {
        let (mut parts, work) = request.into_parts();
        Box::pin(async move {
            let Work::Session(work) = work else {
                return Ok(Response::new(Body::empty()));
            };
            let done = match Session::from_request_parts(&mut parts, &()).await {
                Ok(session) => work(session).await,
                Err(error) => Err(error),
            };
            Ok(match done {
                Ok(()) => Response::new(Body::empty()),
                Err(error) => error.into_response(),
            })
        })
    }
}

/// A process that serves sessions.
#[derive(Clone)]
pub(crate) struct App {
    service: SessionService<Handler>,
    /// The interface of an administrator.
    pub(crate) users: UserSessions,
}

/// The settings that the processes of one service share, besides the store.
#[derive(Clone)]
pub(crate) struct Site {
    key: SecretKey,
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { key: SecretKey::random().unwrap(), clock: Clock::fixed(NOW) }
    }

    /// A process with the defaults.
    pub(crate) fn app(&self, store: impl SessionStore) -> App {
        self.app_with(store, |config| config)
    }

    pub(crate) fn app_with(
        &self,
        store: impl SessionStore,
        settings: impl FnOnce(Config) -> Config,
    ) -> App {
        let layer = SessionLayer::stored(store, self.key.clone()).unwrap();
        let layer = layer.configure(settings).unwrap().with_clock(self.clock.clone());
        App { users: layer.sessions().unwrap(), service: layer.layer(Handler) }
    }
}

/// The answer to a request.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) status: StatusCode,
    /// The result of the handler, whether or not it could be saved.
    pub(crate) value: Option<T>,
    pub(crate) cookie: SetCookie,
}

/// The cookie in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SetCookie {
    Keep,
    Set(String),
    Remove,
}

impl<T> Answer<T> {
    /// Returns the handler's result; panics unless the response is a success.
    #[track_caller]
    pub(crate) fn ok(self) -> T {
        assert_eq!(self.status, 200);
        self.value.expect("the handler to have come to its end")
    }
}

impl App {
    /// A request with a cookie, or without any, whose handler does `work`.
    pub(crate) async fn request<T, F, Fut>(&self, cookie: Option<&str>, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(Session) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let made = Arc::new(Mutex::new(None));
        let result = Arc::clone(&made);
        let work = Work::Session(Box::new(move |session| {
            Box::pin(async move {
                let value = work(session).await?;
                *result.lock().unwrap() = Some(value);
                Ok(())
            })
        }));
        let (status, cookie) = self.send(cookie, work).await;
        let value = made.lock().unwrap().take();
        Answer { status, value, cookie }
    }

    /// A request to a route that has nothing to do with the session.
    pub(crate) async fn plain(&self, cookie: Option<&str>) -> (StatusCode, SetCookie) {
        self.send(cookie, Work::Plain).await
    }

    async fn send(&self, cookie: Option<&str>, work: Work) -> (StatusCode, SetCookie) {
        let mut request = Request::new(work);
        if let Some(cookie) = cookie {
            let value = HeaderValue::from_str(&format!("__Host-session={cookie}")).unwrap();
            request.headers_mut().insert(COOKIE, value);
        }
        let Ok(response) = self.service.clone().call(request).await;
        let mut lines = response.headers().get_all(SET_COOKIE).iter();
        let cookie = lines.next().map_or(SetCookie::Keep, parse_set_cookie);
        assert!(lines.next().is_none(), "the session's cookie was set twice");
        (response.status(), cookie)
    }

    /// Returns the user and a key's number in the session of a cookie.
    pub(crate) async fn look(
        &self,
        cookie: &str,
        key: &'static str,
    ) -> (Option<String>, Option<u64>) {
        let work =
            move |session: Session| async move { Ok((session.user(), session.get::<u64>(key)?)) };
        self.request(Some(cookie), work).await.ok()
    }

    /// Returns the logged-in user.
    pub(crate) async fn look_at_user(&self, cookie: &str) -> Option<String> {
        self.request(Some(cookie), |session: Session| async move { Ok(session.user()) }).await.ok()
    }

    /// Whether a cookie still leads to a session that holds something.
    pub(crate) async fn is_alive(&self, cookie: &str) -> bool {
        let work =
            |session: Session| async move { Ok(session.user().is_some() || !session.is_empty()) };
        self.request(Some(cookie), work).await.ok()
    }
}

fn parse_set_cookie(line: &HeaderValue) -> SetCookie {
    let line = line.to_str().unwrap();
    let (pair, attributes) = line.split_once(';').unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    assert_eq!(name, "__Host-session");
    match attributes.contains("Max-Age=0") {
        true => SetCookie::Remove,
        false => SetCookie::Set(value.to_owned()),
    }
}

/// A browser, which keeps its cookie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) async fn send<T, F, Fut>(&mut self, app: &App, work: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(Session) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let answer = app.request(self.cookie.as_deref(), work).await;
        match &answer.cookie {
            SetCookie::Keep => {}
            SetCookie::Set(value) => self.cookie = Some(value.clone()),
            SetCookie::Remove => self.cookie = None,
        }
        answer
    }

    /// A browser with a session in which a key has a number.
    pub(crate) async fn with(app: &App, key: &'static str, number: u64) -> Self {
        let mut browser = Self::default();
        browser.send(app, move |s| async move { s.insert(key, number) }).await.ok();
        assert!(browser.cookie.is_some());
        browser
    }

    /// A browser whose user has logged in, and has a number.
    pub(crate) async fn logged_in(app: &App, user: &'static str) -> Self {
        let mut browser = Self::default();
        let work = move |s: Session| async move {
            s.login(user)?;
            s.insert("n", 1)
        };
        browser.send(app, work).await.ok();
        browser
    }

    pub(crate) fn cookie(&self) -> &str {
        self.cookie.as_deref().expect("the browser to have a cookie")
    }
}
