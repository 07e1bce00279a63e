//! An application under the layer, and a browser in front of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, StatusCode, request};
use axum::routing::{any, get, post};
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::store::MemoryStore;
use carafe::{Clock, Error, SecretKey, Session, SessionLayer};
use tower::ServiceExt as _;

pub(crate) const NOW: u64 = 1_700_000_000;
/// The origin of the application.
pub(crate) const HOME: &str = "https://shop.example";

/// The number of calls of handlers that change something.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<AtomicUsize>);

impl Runs {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of calls since the last `take`.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// The routes, without layers.
pub(crate) fn routes(runs: &Runs) -> Router {
    let do_it = {
        let runs = runs.clone();
        async move |body: Bytes| {
            runs.count();
            body
        }
    };
    Router::new()
        .route("/do", any(do_it))
        .route(
            "/exempt",
            post({
                let runs = runs.clone();
                async move || runs.count()
            }),
        )
        .route("/token", get(async |csrf: Csrf| csrf.token()).post(async |csrf: Csrf| csrf.token()))
        .route("/field", get(async |csrf: Csrf| csrf.field()))
        .route("/plain", get(async || "neither session nor token"))
        .route("/extracted", get(async |_: Csrf| "a token that the handler ignores"))
        .route("/start", get(async |session: Session| session.insert("visits", 1)))
        .route("/flash", get(async |session: Session| session.flash("hello")))
        .route("/flashes", get(async |session: Session| session.get_flashed_messages().map(drop)))
        .route("/end", get(async |session: Session| session.clear()))
        .route(
            "/keys",
            get(async |session: Session| {
                let keys: Vec<_> = session.keys().iter().map(ToString::to_string).collect();
                keys.join(" ")
            }),
        )
        .route(
            "/token-then-start",
            any(async |session: Session, csrf: Csrf| {
                let token = csrf.token()?;
                session.insert("visits", 1)?;
                Ok::<_, Error>(token)
            }),
        )
        .route(
            "/token-then-login",
            get(async |session: Session, csrf: Csrf| {
                let token = csrf.token()?;
                session.login("ada")?;
                Ok::<_, Error>(token)
            }),
        )
        .route(
            "/token-then-flashes",
            get(async |session: Session, csrf: Csrf| {
                let token = csrf.token()?;
                session.get_flashed_messages()?;
                Ok::<_, Error>(token)
            }),
        )
        .route(
            "/flashes-then-token",
            get(async |session: Session, csrf: Csrf| {
                session.get_flashed_messages()?;
                csrf.token()
            }),
        )
        .route("/login", post(async |session: Session| session.login("ada")))
        .route(
            "/login-and-token",
            post(async |session: Session, csrf: Csrf| {
                session.login("ada")?;
                csrf.token()
            }),
        )
        .route("/logout", post(async |session: Session| session.logout()))
        .route(
            "/logout-and-token",
            post(async |session: Session, csrf: Csrf| {
                session.logout()?;
                csrf.token()
            }),
        )
        .route("/rotate", post(async |session: Session| session.rotate()))
}

pub(crate) fn csrf() -> CsrfLayer {
    CsrfLayer::new([HOME, "https://admin.shop.example:8443"]).unwrap()
}

pub(crate) fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

/// Every kind of session layer, at a fixed time.
pub(crate) fn layers() -> [SessionLayer; 4] {
    [
        SessionLayer::flask(key()),
        SessionLayer::signed(key()).unwrap(),
        SessionLayer::sealed(key()).unwrap(),
        SessionLayer::stored(MemoryStore::new(), key()).unwrap(),
    ]
    .map(|layer| layer.with_clock(Clock::fixed(NOW)))
}

/// A browser that uses the application under one session layer.
pub(crate) struct Visitor {
    pub(crate) app: Router,
    pub(crate) runs: Runs,
    pub(crate) cookies: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Visitor {
    pub(crate) fn new(sessions: SessionLayer) -> Self {
        Self::with(sessions, csrf())
    }

    pub(crate) fn with(sessions: SessionLayer, csrf: CsrfLayer) -> Self {
        let runs = Runs::default();
        let app = routes(&runs).layer(csrf).layer(sessions);
        Self { app, runs, cookies: BTreeMap::new() }
    }

    /// Returns a visitor for every kind of session layer.
    pub(crate) fn of_all_layers() -> impl Iterator<Item = Self> {
        layers().into_iter().map(Self::new)
    }

    /// Returns another browser of the same application.
    pub(crate) fn other(&self) -> Self {
        Self { app: self.app.clone(), runs: self.runs.clone(), cookies: BTreeMap::new() }
    }

    /// Sends a request with the browser's cookies, and keeps the cookies of the response.
    pub(crate) async fn send(
        &mut self,
        request: request::Builder,
        body: impl Into<Body>,
    ) -> Answer {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = match pairs.is_empty() {
            true => request,
            false => request.header("cookie", pairs.join("; ")),
        };
        let request = request.body(body.into()).unwrap();
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let answer = Answer { status: head.status, headers: head.headers, text };
        for line in answer.set_cookies() {
            let (name, rest) = line.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.send(Request::get(path), "").await;
        assert_eq!(answer.status, 200, "{} {:?}", answer.text, answer.headers);
        answer
    }

    /// Returns the token of a page.
    pub(crate) async fn token(&mut self) -> String {
        self.get("/token").await.text
    }

    /// Sends a form of the application's own, with this token.
    pub(crate) async fn post(&mut self, path: &str, token: &str) -> Answer {
        let request = Request::post(path)
            .header("origin", HOME)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request, format!("csrf_token={token}")).await
    }

    /// Returns whether a form with this token passes, after asserting that the handler ran or
    /// didn't.
    pub(crate) async fn passes(&mut self, token: &str) -> bool {
        self.runs.take();
        let answer = self.post("/do", token).await;
        let passed = answer.status == 200;
        assert_eq!(self.runs.take(), usize::from(passed), "{}", answer.text);
        assert!(passed || answer.status == 403, "{}", answer.status);
        passed
    }
}

impl Answer {
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.all("set-cookie")
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }
}
