//! As much of HTTP/1 as the example needs: a connection is one request.

use std::io::{BufRead as _, BufReader, Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// How many bytes a request may have.
const LIMIT: u64 = 64 * 1024;

/// Answers one request after the other, without end.
pub(crate) fn serve(
    listener: &TcpListener,
    answer: &impl AsyncFn(&Request) -> Response,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for stream in listener.incoming() {
        let stream = stream?;
        let answered = Request::read(&stream)
            .and_then(|request| runtime.block_on(answer(&request)).write(&stream));
        if let Err(error) = answered {
            eprintln!("a connection failed: {error}");
        }
    }
    Ok(())
}

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) cookies: Vec<String>,
    body: String,
}

impl Request {
    fn read(stream: &TcpStream) -> Result<Self> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut reader = BufReader::new(stream).take(LIMIT);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Err(Error::new(ErrorKind::InvalidData, "the first line is none of HTTP/1"));
        };
        let (method, path) = (method.to_owned(), path.to_owned());
        let (mut cookies, mut length) = (Vec::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            let Some((name, value)) = line.trim_end().split_once(':') else { continue };
            match name.to_ascii_lowercase().as_str() {
                "cookie" => cookies.push(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().unwrap_or(0),
                _ => {}
            }
        }
        let mut body = String::new();
        reader.take(length).read_to_string(&mut body)?;
        Ok(Self { method, path, cookies, body })
    }

    /// A field of the form; an empty text if there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        let mut fields = self.body.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(field, _)| *field == name).map(|(_, value)| decode(value)).unwrap_or_default()
    }
}

/// Undoes the encoding of forms.
fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let escaped = after.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text for HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(crate) struct Response {
    status: u16,
    head: Vec<u8>,
    body: String,
}

impl Response {
    fn new(status: u16, body: &str) -> Self {
        let head = b"Content-Type: text/html; charset=utf-8\r\nConnection: close\r\n".to_vec();
        Self { status, head, body: body.to_owned() }
    }

    pub(crate) fn page(body: &str) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn redirect(to: &'static str) -> Self {
        let mut response = Self::new(302, "");
        response.add_lines([("Location", to.as_bytes())]);
        response
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "There is no such page")
    }

    pub(crate) fn failed(status: u16) -> Self {
        let mut response = Self::new(status, "Something went wrong");
        response.add_lines([("Vary", b"Cookie".as_slice())]);
        response
    }

    pub(crate) fn add_lines<'a>(&mut self, lines: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        for (name, value) in lines {
            self.head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
    }

    fn write(&self, mut stream: &TcpStream) -> Result<()> {
        let Self { status, head, body } = self;
        let begin = format!("HTTP/1.1 {status} \r\nContent-Length: {}\r\n", body.len());
        stream.write_all(&[begin.as_bytes(), head, b"\r\n", body.as_bytes()].concat())
    }
}
