//! A visitor's browser, with its cookies and its CSRF token.

use std::collections::BTreeMap;

use carafe::http::{HeaderMap, Method, Request, Response};

use crate::shop::ORIGIN;

/// The shop, served.
pub(crate) trait Server {
    async fn answer(&self, request: Request<String>) -> Response<String>;
}

pub(crate) struct Browser<'a, S> {
    pub(crate) server: &'a S,
    cookies: BTreeMap<String, String>,
    /// The CSRF token of the page that is shown.
    pub(crate) token: String,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl<'a, S: Server> Browser<'a, S> {
    pub(crate) fn new(server: &'a S) -> Self {
        Self { server, cookies: BTreeMap::new(), token: String::new() }
    }

    /// The same visitor in another tab.
    pub(crate) fn tab(&self) -> Self {
        Self { server: self.server, cookies: self.cookies.clone(), token: self.token.clone() }
    }

    /// The same visitor at another server of the service.
    pub(crate) fn at<T>(self, server: &T) -> Browser<'_, T> {
        Browser { server, cookies: self.cookies, token: self.token }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = Request::get(path).body(String::new());
        self.send(request.unwrap()).await
    }

    /// Sends a form with the page's token.
    pub(crate) async fn post(&mut self, path: &str, form: &str) -> Answer {
        let form = format!("csrf_token={}&{form}", self.token);
        let request = Request::post(path).header("origin", ORIGIN);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form).unwrap()).await
    }

    /// The front page: user, cart and messages.
    pub(crate) async fn index(&mut self) -> String {
        let answer = self.get("/").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let (shown, token) = answer.text.rsplit_once(';').unwrap();
        self.token = token.to_owned();
        shown.to_owned()
    }

    pub(crate) async fn send(&mut self, mut request: Request<String>) -> Answer {
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            let line = pairs.collect::<Vec<_>>().join("; ");
            request.headers_mut().insert("cookie", line.parse().unwrap());
        }
        let is_head = request.method() == Method::HEAD;
        let (head, text) = self.server.answer(request).await.into_parts();
        assert!(!is_head || text.is_empty());
        for line in head.headers.get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap_or((rest, ""));
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Answer { status: head.status.as_u16(), headers: head.headers, text }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn forget(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    pub(crate) fn has_cookie(&self, name: &str) -> bool {
        self.cookies.contains_key(name)
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}
