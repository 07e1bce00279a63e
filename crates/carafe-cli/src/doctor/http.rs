//! One request to a service on this machine.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// The largest head of a response: larger than any server's.
const MAX_HEAD: usize = 64 * 1024;

/// The time limit for the whole request.
const PATIENCE: Duration = Duration::from_secs(10);

/// The head of a response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) headers: Vec<(String, String)>,
}

impl Response {
    /// The values of a header, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(of, value): &'a (String, String)| {
            of.eq_ignore_ascii_case(name).then_some(value.as_str())
        };
        self.headers.iter().filter_map(named)
    }
}

/// Gets a page. Redirects aren't followed: the response that sets the cookie often is one.
pub(super) fn get(url: &str, cookie: Option<&[u8]>) -> Result<Response, Failure> {
    get_within(PATIENCE, url, cookie)
}

fn get_within(patience: Duration, url: &str, cookie: Option<&[u8]>) -> Result<Response, Failure> {
    let target = Target::parse(url)?;
    let unreachable = |error: std::io::Error| {
        Failure::Usage(match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => no_response(url),
            _ => format!("the service at {url} can't be asked: {error}; is it running?"),
        })
    };
    let deadline = Instant::now() + patience;
    let mut stream = connect(&target.addresses, patience).map_err(unreachable)?;
    stream.set_write_timeout(Some(patience)).map_err(unreachable)?;
    stream.write_all(&request(&target, cookie)?).map_err(unreachable)?;
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    let end = loop {
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if head.len() > MAX_HEAD || left.is_zero() {
            return Err(Failure::Usage(no_response(url)));
        }
        stream.set_read_timeout(Some(left)).map_err(unreachable)?;
        let read = stream.read(&mut chunk).map_err(unreachable)?;
        if read == 0 {
            let message = format!("the service at {url} closed the connection without a response");
            return Err(Failure::Usage(message));
        }
        head.extend_from_slice(&chunk[..read]);
    };
    parse(&head[..end]).ok_or_else(|| {
        Failure::Usage(format!("what answers at {url} doesn't speak HTTP/1.1: is the port right?"))
    })
}

fn no_response(url: &str) -> String {
    format!("the service at {url} gave no response in time, or none of HTTP")
}

/// Connects to the first address of a name that accepts: `localhost` often has two, and a service
/// listens on one of them.
fn connect(addresses: &[SocketAddr], patience: Duration) -> std::io::Result<TcpStream> {
    let mut refused = ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match TcpStream::connect_timeout(address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn request(target: &Target, cookie: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
    let mut request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: carafe-doctor\r\nAccept: */*\r\n\
         Connection: close\r\n",
        target.path, target.host
    )
    .into_bytes();
    if let Some(cookie) = cookie {
        let cookie = match cookie.get(..7) {
            Some(name) if name.eq_ignore_ascii_case(b"cookie:") => &cookie[7..],
            _ => cookie,
        };
        let cookie = cookie.trim_ascii();
        if cookie.is_empty() || cookie.iter().any(u8::is_ascii_control) {
            let message = "--cookie must be a Cookie: line or name=value, in one line";
            return Err(Failure::Usage(message.to_owned()));
        }
        request.extend_from_slice(b"Cookie: ");
        request.extend_from_slice(cookie);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    Ok(request)
}

fn parse(head: &[u8]) -> Option<Response> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    if !lines.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    Some(Response { headers: lines.filter_map(header).collect() })
}

/// The address of a page.
#[derive(Debug)]
struct Target {
    /// The addresses, at least one, all of them on this machine.
    addresses: Vec<SocketAddr>,
    host: String,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, Failure> {
        let usage = |message: &str| Failure::Usage(format!("--url {url}: {message}"));
        if url.starts_with("https:") {
            return Err(usage(
                "this program doesn't speak TLS; give the address of the service itself, behind \
                 the proxy, such as http://127.0.0.1:5000/",
            ));
        }
        let rest = url.strip_prefix("http://").ok_or_else(|| {
            usage("it must begin with http://, as in http://127.0.0.1:5000/login")
        })?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(usage("it has a space or a character beyond ASCII: percent-encode it"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        let with_port = if has_port { host.to_owned() } else { format!("{host}:80") };
        let addresses = with_port.to_socket_addrs().map_err(|_| usage("there is no such host"))?;
        let addresses: Vec<_> = addresses.filter(|address| address.ip().is_loopback()).collect();
        if addresses.is_empty() {
            return Err(usage(
                "only a service on this machine is asked, such as http://127.0.0.1:5000/",
            ));
        }
        Ok(Self { addresses, host: host.to_owned(), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        let target =
            |url| Target::parse(url).map(|target| (target.addresses[0].port(), target.path));
        assert_eq!(target("http://127.0.0.1:5000/a?b#c").unwrap(), (5000, "/a?b".to_owned()));
        assert_eq!(target("http://127.0.0.1").unwrap(), (80, "/".to_owned()));
        assert_eq!(target("http://[::1]:81?x").unwrap(), (81, "/?x".to_owned()));
        for refused in [
            "https://127.0.0.1/",
            "127.0.0.1:5000",
            "http://192.0.2.1/",
            "http://127.0.0.1/a b",
            "http://127.0.0.1/\r\nX: y",
            "http://",
            "",
        ] {
            assert!(target(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_name_with_two_addresses_is_asked_at_both() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let listens = silent.local_addr().unwrap();
        let no_listener = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, listens.port()));
        let second = Duration::from_secs(1);
        assert!(connect(&[no_listener, listens], second).is_ok());
        assert!(connect(&[no_listener], second).is_err());
        assert!(connect(&[], second).is_err());
    }

    #[test]
    fn a_service_that_says_nothing_is_told_apart_from_none() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let asked = || match get_within(Duration::from_millis(50), &url, None) {
            Err(Failure::Usage(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(asked().contains("no response in time"), "{}", asked());
        drop(silent);
        assert!(asked().contains("is it running?"), "{}", asked());
    }

    #[test]
    fn a_cookie_adds_no_header() {
        let target = Target::parse("http://127.0.0.1/").unwrap();
        let sent = |cookie: &[u8]| {
            request(&target, Some(cookie)).map(|request| String::from_utf8(request).unwrap())
        };
        assert!(sent(b"cookie: a=b").unwrap().ends_with("\r\nCookie: a=b\r\n\r\n"));
        assert!(sent(b"a=b\r\nX: y").is_err());
        assert!(sent(b"").is_err());
    }
}
