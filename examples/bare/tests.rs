//! The site through sockets, with sessions in cookies and in a store.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use carafe::engine::Sessions;
use carafe::store::MemoryStore;
use carafe::{Clock, Config, SecretKey};

use crate::serve;

const NOW: u64 = 1_700_000_000;

struct Browser {
    address: SocketAddr,
    cookie: Option<String>,
}

/// A site in a thread of its own, and a browser.
fn browsers() -> [Browser; 2] {
    let key = SecretKey::new("a key for this test, of 37 characters").unwrap();
    let sessions = Sessions::new(key, Config::flask()).unwrap().with_clock(Clock::fixed(NOW));
    [sessions.clone(), sessions.in_store(MemoryStore::new())].map(|sessions| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || serve(&listener, &sessions));
        Browser { address, cookie: None }
    })
}

impl Browser {
    /// Sends a request, and keeps the cookie that comes back.
    fn send(&mut self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let cookie = self.cookie.as_ref().map(|cookie| format!("cookie: {cookie}\r\n"));
        let cookie = cookie.unwrap_or_default();
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\n{cookie}Content-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        if let Some((_, set)) = response.split_once("set-cookie: ") {
            let pair = set.split(';').next().unwrap();
            self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
        }
        response
    }
}

#[test]
fn a_visitor_logs_in_and_out() {
    for mut browser in browsers() {
        let page = browser.send("GET", "/", "");
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("You are not logged in"));
        assert!(page.contains("vary: Cookie") && browser.cookie.is_none());
        assert!(browser.send("GET", "/login", "").contains("<form method=post>"));
        let answer = browser.send("POST", "/login", "username=Zo%C3%AB+%3Cb%3E");
        assert!(answer.starts_with("HTTP/1.1 302 ") && answer.contains("Location: /\r\n"));
        assert!(answer.contains("vary: Cookie") && browser.cookie.is_some());
        assert!(browser.send("GET", "/", "").contains("Logged in as Zoë &lt;b&gt;"));
        assert!(browser.send("GET", "/logout", "").starts_with("HTTP/1.1 302 "));
        assert!(browser.send("GET", "/", "").contains("You are not logged in"));
    }
}

#[test]
fn a_forged_cookie_and_an_unknown_page_are_no_failure() {
    for mut browser in browsers() {
        browser.cookie = Some("session=eyJ1c2VybmFtZSI6ImV2ZSJ9.ZVPxAA.forged".to_owned());
        assert!(browser.send("GET", "/", "").contains("You are not logged in"));
        assert!(browser.send("GET", "/missing", "").starts_with("HTTP/1.1 404 "));
    }
}
