//! A response that streams: what it changes in the session is saved before it begins.
//!
//! ```sh
//! cargo run --example stream
//! curl -N -c jar -b jar http://127.0.0.1:5000/export
//! ```
//!
//! The headers, and the cookie with them, go out before the first line of the stream. From there on
//! every change of the session is an error: it could be saved neither in a cookie nor, for sure, in
//! a store that a newer request may have written to. So a handler saves first and streams then.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::{Error, SecretKey, Session, SessionLayer};
use futures_util::stream;

/// The number of lines that are streamed.
const LINES: u64 = 5;

async fn export(session: Session) -> Result<Body, Error> {
    let number = session.update_now("exports", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    session.insert("last_export", number)?;
    // From here on the session is in the store, even if the stream breaks off.
    session.save().await?;
    Ok(Body::from_stream(stream::unfold(0, move |line| {
        let session = session.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let text = match line {
                0 => format!("This is your export no. {number}\n"),
                1..LINES => format!("line {line}\n"),
                // Reading goes on as long as there is a handle. Writing doesn't.
                LINES => match session.insert("last_line", line) {
                    Ok(()) => return None,
                    Err(error) => format!("Not saved: {error}\n"),
                },
                _ => return None,
            };
            Some((Ok::<_, Error>(Bytes::from(text)), line + 1))
        }
    })))
}

async fn index(session: Session) -> Result<String, Error> {
    let exports: Option<u64> = session.get("last_export")?;
    Ok(format!("You have made {} exports\n", exports.unwrap_or(0)))
}

fn app(key: SecretKey) -> Router {
    let sessions = SessionLayer::flask(key).in_store(MemoryStore::new());
    Router::new().route("/", get(index)).route("/export", get(export)).layer(sessions)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let app = app(SecretKey::from_env_or_random()?);
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::timeout;

    use super::*;

    /// A request, whose answer is on its way.
    async fn ask(server: SocketAddr, path: &str, cookie: &str) -> TcpStream {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncookie: {cookie}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(server).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// Reads until the answer has this in it.
    async fn read_until(stream: &mut TcpStream, part: &str) -> String {
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains(part) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "no {part}: {answer:?}");
        }
        String::from_utf8(answer).unwrap()
    }

    async fn visit(server: SocketAddr) {
        let mut exported = ask(server, "/export", "").await;
        let begun = read_until(&mut exported, "This is your export no. 1\n").await;
        let set = begun.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        let (cookie, _) = set.split_once(';').unwrap();
        // While the stream goes on, all of it is saved.
        let mut index = ask(server, "/", cookie).await;
        read_until(&mut index, "You have made 1 exports\n").await;
        assert!(!begun.contains("line 4\n"), "nothing was streamed: {begun}");
        read_until(&mut exported, "line 4\n").await;
        read_until(&mut exported, "Not saved: ").await;
        let mut again = ask(server, "/export", cookie).await;
        read_until(&mut again, "This is your export no. 2\n").await;
    }

    #[tokio::test]
    async fn what_is_changed_before_the_stream_is_saved() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app(SecretKey::random().unwrap());
        let server = tokio::spawn(async { axum::serve(listener, app).await });
        timeout(Duration::from_secs(30), visit(address)).await.unwrap();
        server.abort();
    }
}
