//! A cookie jar, with the rules that tests need.

use std::fmt;

use crate::value::DateTime;

/// The cookies that responses have set and that have neither expired nor been removed.
#[derive(Default)]
pub(super) struct Jar(Vec<Cookie>);

struct Cookie {
    name: String,
    value: String,
    /// The domain; `None` for a cookie of the host alone.
    domain: Option<String>,
    path: String,
    /// The end of the cookie in Unix seconds; `None` for a cookie that lasts as long as the client.
    expires: Option<u64>,
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar({} cookies)", self.0.len())
    }
}

impl Jar {
    /// Applies a `Set-Cookie` header of a response to a request for `path`. A cookie for another
    /// host is dropped, as in browsers.
    pub(super) fn set_cookie(&mut self, header: &str, host: &str, path: &str, now: u64) {
        let mut parts = header.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let mut cookie = Cookie {
            name: name.trim_end().to_owned(),
            value: value.trim_start().to_owned(),
            domain: None,
            path: directory(path).to_owned(),
            expires: None,
        };
        let mut max_age = None;
        for attribute in parts {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "domain" => {
                    let domain = value.trim_start_matches('.').to_ascii_lowercase();
                    cookie.domain = Some(domain).filter(|domain| !domain.is_empty());
                }
                "expires" => {
                    let date = DateTime::from_http_date(value);
                    cookie.expires = date.map(|date| u64::try_from(date.unix()).unwrap_or(0));
                }
                "max-age" => max_age = value.parse::<i64>().ok(),
                _ => {}
            }
        }
        if let Some(seconds) = max_age {
            cookie.expires = Some(
                now.saturating_add_signed(seconds.min(0))
                    .saturating_add(u64::try_from(seconds).unwrap_or(0)),
            );
        }
        if !cookie.reaches(host, None) {
            return;
        }
        self.0.retain(|old| !old.same_place(&cookie));
        if !cookie.expired(now) {
            self.0.push(cookie);
        }
    }

    /// Returns the `Cookie` header of a request, the most specific path first; `None` without
    /// cookies.
    pub(super) fn header(&self, host: &str, path: &str, now: u64) -> Option<String> {
        let mut cookies: Vec<&Cookie> = self.0.iter().collect();
        cookies.retain(|cookie| cookie.reaches(host, Some(path)) && !cookie.expired(now));
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Returns the value of a cookie that has not expired, of any path.
    pub(super) fn get(&self, name: &str, now: u64) -> Option<&str> {
        let found = self.0.iter().find(|cookie| cookie.name == name && !cookie.expired(now));
        found.map(|cookie| cookie.value.as_str())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Cookie {
    fn same_place(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }

    fn expired(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Returns whether the cookie is sent to a host and, if one is given, a path.
    fn reaches(&self, host: &str, path: Option<&str>) -> bool {
        let host_fits = match &self.domain {
            None => true,
            Some(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|before| before.is_empty() || before.ends_with('.')),
        };
        let path_fits = path.is_none_or(|path| {
            path.strip_prefix(&self.path).is_some_and(|after| {
                after.is_empty() || after.starts_with('/') || self.path.ends_with('/')
            })
        });
        host_fits && path_fits
    }
}

/// Returns the default path of a cookie: up to the last slash.
fn directory(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn jar(headers: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for header in headers {
            jar.set_cookie(header, "www.example.com", "/shop/cart", NOW);
        }
        jar
    }

    fn sent(jar: &Jar, path: &str, now: u64) -> String {
        jar.header("www.example.com", path, now).unwrap_or_default()
    }

    #[test]
    fn paths_decide_where_cookies_go() {
        let jar = jar(&["a=1; Path=/", "b=2; Path=/shop", "c=3", "d=4; path=/other/"]);
        assert_eq!(sent(&jar, "/", NOW), "a=1");
        assert_eq!(sent(&jar, "/shop", NOW), "b=2; c=3; a=1");
        assert_eq!(sent(&jar, "/shop/x", NOW), "b=2; c=3; a=1");
        assert_eq!(sent(&jar, "/shopping", NOW), "a=1");
        assert_eq!(sent(&jar, "/other/x", NOW), "d=4; a=1");
    }

    #[test]
    fn cookies_expire_and_are_replaced_and_removed() {
        let expires = "a=1; Path=/; Expires=Tue, 14 Nov 2023 22:13:30 GMT";
        for (header, lifetime) in [
            (expires, 10),
            ("a=1; Path=/; Max-Age=10", 10),
            ("a=1; Path=/; max-age=5; Expires=x", 5),
        ] {
            let jar = jar(&[header]);
            assert_eq!(sent(&jar, "/", NOW + lifetime - 1), "a=1");
            assert_eq!(sent(&jar, "/", NOW + lifetime), "");
            assert_eq!(jar.get("a", NOW + lifetime), None);
        }
        assert_eq!(sent(&jar(&["a=1; Path=/", "a=2; Path=/"]), "/", NOW), "a=2");
        let gone = "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/";
        assert_eq!(sent(&jar(&["a=1; Path=/", gone]), "/", NOW), "");
        assert_eq!(sent(&jar(&["a=1; Path=/", "a=; Path=/; Max-Age=-1"]), "/", NOW), "");
        assert_eq!(sent(&jar(&["a=1; Path=/", "a=; Path=/shop; Max-Age=0"]), "/", NOW), "a=1");
    }

    #[test]
    fn domains_decide_which_hosts_get_them() {
        let jar = jar(&["a=1; Path=/; Domain=.Example.com", "b=2; Path=/; Domain=example.org"]);
        assert_eq!(sent(&jar, "/", NOW), "a=1");
        assert_eq!(jar.header("other.example.com", "/", NOW).as_deref(), Some("a=1"));
        assert_eq!(jar.header("badexample.com", "/", NOW), None);
    }

    #[test]
    fn junk_is_no_cookie() {
        assert_eq!(sent(&jar(&["", "a", ";", "Path=/"]), "/shop/", NOW), "Path=/");
    }
}
