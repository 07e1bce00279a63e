//! A visitor whose browser keeps cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::load::{self, Failure};
use crate::task::Task;

/// A visitor's cookies, by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Visitor {
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    /// Sends a request with the cookies, keeps what the answer sets, and gives back its body.
    pub(crate) async fn ask(&mut self, address: SocketAddr, task: Task) -> Result<String, Failure> {
        let (head, body) = load::ask(address, &self.request(task)).await?;
        self.keep(&head);
        Ok(body)
    }

    /// A request with the cookies.
    pub(crate) fn request(&self, task: Task) -> String {
        let (method, path) = task.place();
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = match pairs.join("; ") {
            pairs if pairs.is_empty() => String::new(),
            pairs => format!("cookie: {pairs}\r\n"),
        };
        let length = if method == "POST" { "content-length: 0\r\n" } else { "" };
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{length}{cookie}\r\n")
    }

    /// Keeps a cookie if there is none.
    pub(crate) fn keep_if_none(&mut self, name: &str, value: &str) {
        if self.cookies.is_empty() {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Keeps the cookies that an answer sets.
    fn keep(&mut self, head: &str) {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        for (_, cookie) in lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_that_answers_set_are_sent() {
        let mut visitor = Visitor::default();
        assert!(!visitor.request(Task::Read).contains("cookie"));
        visitor.keep("HTTP/1.1 200 OK\r\nvary: Cookie\r\nSet-Cookie: a=b=; Path=/\r\n\r\n");
        visitor.keep("HTTP/1.1 200 OK\r\nset-cookie: a=c\r\nset-cookie: d=e\r\n\r\n");
        visitor.keep_if_none("f", "g");
        assert!(visitor.request(Task::Write).ends_with("\r\ncookie: a=c; d=e\r\n\r\n"));
    }
}
