//! The load: connections that are kept alive, each with one request at a time.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The number of connections at once.
pub(crate) const CONNECTIONS: usize = 8;

/// The longest time that an answer may take. A later answer counts as a failure.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Sends requests again and again, each connection its own, or the same if there is but one; how long
/// each answer took, in no order.
pub(crate) async fn send(
    address: SocketAddr,
    requests: &[String],
    time: Duration,
) -> Result<Vec<Duration>, Failure> {
    let mut connections = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let request = requests[connection % requests.len()].clone();
        connections.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut times = Vec::new();
            let started = Instant::now();
            let mut now = started;
            while now - started < time {
                connection.exchange(&request).await?;
                let after = Instant::now();
                times.push(after - now);
                now = after;
            }
            Ok::<_, Failure>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = connections.join_next().await {
        times.extend(done??);
    }
    Ok(times)
}

/// Makes one request, and returns the head and the body of its answer.
pub(crate) async fn ask(address: SocketAddr, request: &str) -> Result<(String, String), Failure> {
    let mut connection = Connection::open(address).await?;
    let (head, end) = connection.exchange(request).await?;
    let text = String::from_utf8(connection.buffer[..end].to_vec())?;
    Ok((text[..head].to_owned(), text[head..].to_owned()))
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024] })
    }

    /// Sends a request and reads the answer; where its head and its body end.
    async fn exchange(&mut self, request: &str) -> Result<(usize, usize), Failure> {
        self.stream.write_all(request.as_bytes()).await?;
        let mut len = 0;
        let mut end = None;
        loop {
            let read = self.stream.read(&mut self.buffer[len..]);
            let read = tokio::time::timeout(PATIENCE, read).await??;
            if read == 0 {
                return Err("the server closed the connection".into());
            }
            len += read;
            let answer = &self.buffer[..len];
            if end.is_none()
                && let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n")
            {
                end = Some((head + 4, head + 4 + content_length(&answer[..head])?));
            }
            if let Some((head, end)) = end
                && len >= end
            {
                return Ok((head, end));
            }
        }
    }
}

/// The length of the body that an answer of status 200 announces.
fn content_length(head: &[u8]) -> Result<usize, Failure> {
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("the server answered: {head}").into());
    }
    let length = head.lines().filter_map(|line| line.split_once(": "));
    let length = length.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Ok(length.ok_or("the answer has no length")?.1.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_of_good_answers_only() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: a\r\nContent-Length: 12\r\n";
        assert_eq!(content_length(head).unwrap(), 12);
        assert!(content_length(b"HTTP/1.1 500 Oh\r\ncontent-length: 12\r\n").is_err());
        assert!(content_length(b"HTTP/1.1 200 OK\r\n").is_err());
    }
}
