//! Whole requests through an axum router, in process: no socket and no server.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::{get, post};
use carafe::config::Compression;
use carafe::{Error, Session, SessionLayer};
use http::Request;
use http::header::{COOKIE, HeaderMap};
use tower::Service as _;
use tower::layer::util::Identity;

use crate::ours;
use crate::payload::Payload;
use crate::subject::Subject;

/// A router with and without sessions, and the requests that it gets.
#[derive(Clone, Debug)]
pub struct Requests {
    router: Router,
    pub(crate) headers: HeaderMap,
}

async fn bare() -> &'static str {
    "Hello"
}

async fn read(session: Session) -> Result<String, Error> {
    Ok(session.get("username")?.unwrap_or_default())
}

async fn login(session: Session) -> Result<&'static str, Error> {
    session.insert("username", "admin")?;
    Ok("Hello")
}

impl Requests {
    /// Requests without a cookie.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router, headers: HeaderMap::new() }
    }

    /// The router without a session layer.
    #[must_use]
    pub fn identity() -> Self {
        Self::new(routes().layer(Identity::new()))
    }

    /// The router with Flask's layer.
    #[must_use]
    pub fn sessions(compression: Compression) -> Self {
        let layer: SessionLayer = ours::layer(0, compression);
        Self::new(routes().layer(layer))
    }

    /// Requests that come with the session's cookie.
    #[must_use]
    pub fn with_cookie(mut self, payload: &Payload) -> Self {
        self.headers = ours::headers(&ours::cookie(payload, Compression::Never));
        self
    }

    /// One request, from its parts to the response.
    ///
    /// # Panics
    /// If the answer isn't there at once, for which there is no reason here.
    pub fn send(&mut self, method: &'static str, path: &'static str) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let (Some(headers), Some(cookie)) = (request.headers_mut(), self.headers.get(COOKIE)) {
            headers.insert(COOKIE, cookie.clone());
        }
        let request = request.body(Body::empty()).expect("method and path are good");
        let response = pin!(self.router.call(request));
        match response.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response,
            Poll::Pending => panic!("the answer isn't there"),
        }
    }
}

fn routes() -> Router {
    Router::new().route("/", get(bare)).route("/session", get(read)).route("/login", post(login))
}

/// The requests of the report, the router without a session layer first.
#[must_use]
pub fn subjects() -> Vec<Subject> {
    let p1 = Payload::p1();
    let cases: [(&str, Requests, &str, &str); 6] = [
        ("no session layer", Requests::identity(), "GET", "/"),
        ("no cookie, session not asked for", sessions(), "GET", "/"),
        ("P1's cookie, session not asked for", sessions().with_cookie(&p1), "GET", "/"),
        ("no cookie, one key read", sessions(), "GET", "/session"),
        ("P1's cookie, one key read", sessions().with_cookie(&p1), "GET", "/session"),
        ("no cookie, P1 written", sessions(), "POST", "/login"),
    ];
    cases
        .map(|(name, mut requests, method, path)| {
            Subject::new(name, move || requests.send(method, path))
        })
        .into()
}

fn sessions() -> Requests {
    Requests::sessions(Compression::Flask)
}

#[cfg(test)]
mod tests {
    use http::header::SET_COOKIE;

    use super::*;

    #[test]
    fn requests_do_what_the_report_says() {
        let mut requests = sessions();
        assert!(requests.send("GET", "/").headers().get("vary").is_none());
        assert_eq!(requests.send("GET", "/session").headers()["vary"], "Cookie");
        let written = requests.send("POST", "/login");
        let cookie = written.headers()[SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("session=eyJ1c2VybmFtZSI6ImFkbWluIn0."), "{cookie}");
        let mut requests = sessions().with_cookie(&Payload::p1());
        let read = requests.send("GET", "/session");
        let length = read.headers()["content-length"].to_str().unwrap();
        assert_eq!(length, "5");
    }
}
