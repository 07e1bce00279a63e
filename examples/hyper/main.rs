//! A counter of visits with hyper and tower, without a framework.
//!
//! The session comes from the request's extensions, and an error becomes a response.
#![forbid(unsafe_code)]

use std::convert::Infallible;

use bytes::Bytes;
use carafe::http::{Method, Request, Response, StatusCode};
use carafe::{Error, SecretKey, Session, SessionLayer};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer as _, service_fn};

async fn route(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => {
            let session = Session::from_extensions(request.extensions()).await?;
            let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
            Ok(Response::new(Full::from(format!("This is your visit no. {visits}\n"))))
        }
        (&Method::POST, "/forget") => {
            Session::from_extensions(request.extensions()).await?.clear()?;
            Ok(Response::new(Full::from("Forgotten\n")))
        }
        _ => {
            let mut missing = Response::new(Full::from("There is no such page\n"));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            Ok(missing)
        }
    }
}

async fn serve(listener: TcpListener, sessions: SessionLayer) -> std::io::Result<Infallible> {
    let service = sessions.layer(service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(route(request).await.unwrap_or_else(Response::from))
    }));
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("a connection failed: {error}");
            }
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let sessions = SessionLayer::flask(SecretKey::from_env_or_random()?);
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    match serve(listener, sessions).await? {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::SocketAddr;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    use super::*;

    /// A browser that keeps one cookie.
    struct Browser {
        server: SocketAddr,
        cookie: String,
    }

    impl Browser {
        /// The status and the body.
        async fn ask(&mut self, method: &str, path: &str) -> (String, String) {
            let cookie = &self.cookie;
            let request = format!(
                "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                 cookie: {cookie}\r\n\r\n"
            );
            let mut stream = TcpStream::connect(self.server).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let set = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
            if let Some((cookie, _)) = set.and_then(|line| line.split_once(';')) {
                self.cookie = cookie.to_owned();
            }
            let status = head.split(' ').nth(1).unwrap();
            (status.to_owned(), body.to_owned())
        }

        async fn text(&mut self, method: &str, path: &str) -> String {
            let (status, text) = self.ask(method, path).await;
            assert_eq!(status, "200", "{text}");
            text
        }
    }

    #[tokio::test]
    async fn visits_are_counted_until_they_are_forgotten() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut browser = Browser { server: listener.local_addr().unwrap(), cookie: String::new() };
        let sessions = SessionLayer::flask(SecretKey::random().unwrap());
        let server = tokio::spawn(serve(listener, sessions));
        let visit = async {
            assert_eq!(browser.text("GET", "/").await, "This is your visit no. 1\n");
            assert_eq!(browser.text("GET", "/").await, "This is your visit no. 2\n");
            assert_eq!(browser.ask("GET", "/nowhere").await.0, "404");
            assert_eq!(browser.text("POST", "/forget").await, "Forgotten\n");
            assert_eq!(browser.text("GET", "/").await, "This is your visit no. 1\n");
        };
        timeout(Duration::from_secs(30), visit).await.unwrap();
        server.abort();
    }
}
