use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::routing::get;
use carafe::{Clock, SecretKey, Session, SessionLayer};
use tower::ServiceExt as _;

/// The time at which the tests take place.
pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) fn key() -> SecretKey {
    SecretKey::new("7d1e9b40c6f25a83e0b74d19c85f3a62").unwrap()
}

/// Flask's defaults at a fixed time.
pub(crate) fn flask() -> SessionLayer {
    SessionLayer::flask(key()).with_clock(Clock::fixed(NOW))
}

/// Runs `f` in a handler on an empty session. Returns its result, and the response.
pub(crate) async fn in_session<R: Send + 'static>(
    layer: SessionLayer,
    f: impl FnOnce(&Session) -> R + Clone + Send + Sync + 'static,
) -> (R, Answer) {
    let (sender, mut results) = tokio::sync::mpsc::unbounded_channel();
    let handler = move |session: Session| async move {
        let _ = sender.send(f(&session));
    };
    let answer = Client::new(Router::new().route("/", get(handler)).layer(layer)).get("/").await;
    (results.try_recv().unwrap(), answer)
}

/// An application, and the cookies that a browser has of it.
pub(crate) struct Client {
    pub(crate) app: Router,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// A response with its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(app: Router) -> Self {
        Self { app, cookies: BTreeMap::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    /// Sends a form.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.send(Method::POST, path, form).await
    }

    async fn send(&mut self, method: Method, path: &str, form: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !form.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", pairs.collect::<Vec<_>>().join("; "));
        }
        let request = request.body(Body::from(form.to_owned())).unwrap();
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let answer = Answer { status: head.status, headers: head.headers, text };
        for line in answer.all("set-cookie") {
            let (name, rest) = line.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

impl Answer {
    /// Every line of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The only line of a header; `None` if there is none.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let lines = self.all(name);
        assert!(lines.len() < 2, "{name} is there {} times", lines.len());
        lines.first().copied()
    }

    pub(crate) fn set_cookie(&self) -> Option<&str> {
        self.one("set-cookie")
    }

    pub(crate) fn vary(&self) -> Option<&str> {
        self.one("vary")
    }

    /// The attributes behind the cookie's value.
    pub(crate) fn attributes(&self) -> Vec<&str> {
        self.set_cookie().map(|line| line.split("; ").skip(1).collect()).unwrap_or_default()
    }
}
