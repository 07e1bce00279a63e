//! The origins of a service's own pages.

use http::header::HOST;
use http::request::Parts;

use crate::Error;

/// The origins that a request may come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    listed: Vec<String>,
    /// Whether the origin of the request's own host is accepted.
    same_host: bool,
}

impl Origins {
    /// Returns origins that accept the request's own host.
    pub(super) fn same_host() -> Self {
        Self { listed: Vec::new(), same_host: true }
    }

    /// Adds an origin, in the form that browsers send.
    pub(super) fn add(&mut self, origin: &str) -> Result<(), Error> {
        if !is_serialized(origin) {
            return Err(Error::setting(
                "the origin",
                origin,
                "as browsers send it: https://example.com or http://localhost:5000, in lower case \
                 and ASCII, without a path, a slash at the end or the scheme's own port",
            ));
        }
        if !self.listed.iter().any(|listed| listed == origin) {
            self.listed.push(origin.to_owned());
        }
        Ok(())
    }

    /// Returns whether the text equals a listed origin, byte for byte.
    pub(super) fn lists(&self, origin: &[u8]) -> bool {
        self.listed.iter().any(|listed| listed.as_bytes() == origin)
    }

    /// Returns whether the text is the origin of the request's own host, over HTTP or HTTPS, and
    /// that host is accepted.
    pub(super) fn is_same_host(&self, origin: &[u8], request: &Parts) -> bool {
        let host = origin.strip_prefix(b"https://").or_else(|| origin.strip_prefix(b"http://"));
        self.same_host && host.is_some_and(|host| !host.is_empty()) && host == host_of(request)
    }
}

/// Returns the host that a request is for: from its target (HTTP/2), or from its `Host` header.
fn host_of(request: &Parts) -> Option<&[u8]> {
    if let Some(authority) = request.uri.authority() {
        return Some(authority.as_str().as_bytes());
    }
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.as_bytes()),
        _ => None,
    }
}

/// Returns whether the text is a serialized origin (RFC 6454, 6.2), so that equal bytes mean equal
/// origins.
fn is_serialized(origin: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    let own_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return false,
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(address) => match address.split_once(']') {
            Some((address, "")) => (address, None),
            Some((address, port)) => match port.strip_prefix(':') {
                Some(port) => (address, Some(port)),
                None => return false,
            },
            None => return false,
        },
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let in_host: fn(u8) -> bool = if rest.starts_with('[') {
        |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':' | b'.')
    } else {
        |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_')
    };
    let port_is_good = port.is_none_or(|text| {
        let number = text.parse::<u16>();
        number.is_ok_and(|number| number != own_port && number.to_string() == text)
    });
    !host.is_empty() && host.bytes().all(in_host) && port_is_good
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        let added = |origin: &str| Origins::default().add(origin).is_ok();
        for origin in [
            "https://example.com",
            "https://xn--bcher-kva.example:8443",
            "http://localhost:5000",
            "http://127.0.0.1",
            "http://[::1]",
            "https://[2001:db8::1]:8443",
            "https://a_b.example.com",
            "http://example.com:443",
        ] {
            assert!(added(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "*",
            "example.com",
            "//example.com",
            "https://",
            "https://:8443",
            "https://example.com/",
            "https://example.com/path",
            "https://example.com?query",
            "https://Example.com",
            "HTTPS://example.com",
            "https://example.com:443",
            "http://example.com:80",
            "https://example.com:",
            "https://example.com:08443",
            "https://example.com:99999",
            "https://example.com:8443:1",
            "https://user@example.com",
            "https://b\u{fc}cher.example",
            "https://*.example.com",
            "ftp://example.com",
            "https://[::1",
            "https://[::1]8443",
            "https://[]",
            "https://[::g]",
            " https://example.com",
        ] {
            assert!(!added(origin), "{origin}");
        }
    }
}
