//! Over a real connection, with a client that writes its requests by hand.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use carafe::{Error, ErrorKind, Session};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::support::flask;

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

async fn connect(address: SocketAddr, path: &str, headers: &[&str]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Returns the whole response, with the names of its headers in lower case.
async fn ask(address: SocketAddr, path: &str, headers: &[&str]) -> String {
    let mut response = String::new();
    connect(address, path, headers).await.read_to_string(&mut response).await.unwrap();
    response
}

fn cookie(response: &str) -> String {
    let line = response.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    line.split(';').next().unwrap().to_owned()
}

async fn count(session: Session) -> Result<String, carafe::Error> {
    Ok(session.update("n", |n: Option<u32>| n.unwrap_or(0) + 1)?.to_string())
}

#[tokio::test]
async fn cookie_lines_that_are_split() {
    let address = serve(Router::new().route("/", get(count)).layer(flask())).await;
    let first = ask(address, "/", &[]).await;
    assert!(first.starts_with("HTTP/1.1 200") && first.ends_with("\r\n1"), "{first}");
    let session = format!("cookie: {}", cookie(&first));
    let second = ask(address, "/", &["Cookie: a=1; b=\"", &session, "COOKIE: c=3"]).await;
    assert!(second.ends_with("\r\n2"), "{second}");
}

#[tokio::test]
async fn a_client_that_leaves_commits_nothing_and_breaks_nothing() {
    /// Sends a message when it is dropped.
    struct OnDrop(Option<oneshot::Sender<()>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            let _ = self.0.take().map(|dropped| dropped.send(()));
        }
    }
    let (entered, mut sessions) = mpsc::unbounded_channel();
    let (dropped, was_dropped) = oneshot::channel();
    let dropped = Arc::new(Mutex::new(Some(dropped)));
    let wait = async move |session: Session| {
        let _cancelled = OnDrop(dropped.lock().unwrap().take());
        session.insert("n", 100).unwrap();
        entered.send(session).unwrap();
        std::future::pending::<()>().await;
    };
    let app = Router::new().route("/wait", get(wait)).route("/", get(count)).layer(flask());
    let address = serve(app).await;
    let session = format!("Cookie: {}", cookie(&ask(address, "/", &[]).await));

    let client = connect(address, "/wait", &[&session]).await;
    let abandoned: Session = sessions.recv().await.unwrap();
    drop(client);
    was_dropped.await.unwrap();
    assert_eq!(abandoned.insert("late", true).unwrap_err().kind(), ErrorKind::Closed);
    // Other connections go on, with the session unchanged.
    assert!(ask(address, "/", &[&session]).await.ends_with("\r\n2"));
}

#[tokio::test]
async fn a_handler_that_panics_answers_nothing_and_breaks_nothing() {
    let panics = async |session: Session| {
        session.insert("n", 100).unwrap();
        assert!(!session.contains("n"), "on purpose");
    };
    let app = Router::new().route("/panic", get(panics)).route("/", get(count)).layer(flask());
    let address = serve(app).await;
    let session = format!("Cookie: {}", cookie(&ask(address, "/", &[]).await));
    assert_eq!(ask(address, "/panic", &[&session]).await, "");
    assert!(ask(address, "/", &[&session]).await.ends_with("\r\n2"));
}

/// A WebSocket begins like this: the response goes out, and the handler's task goes on.
#[tokio::test]
async fn a_connection_that_was_upgraded_cant_write() {
    let (tell, mut results) = mpsc::unbounded_channel();
    let handler = async move |session: Session, mut request: Request| -> Result<_, Error> {
        session.insert("early", true)?;
        session.save().await?;
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().unwrap();
        tokio::spawn(async move {
            let mut socket = TokioIo::new(upgrade.await.unwrap());
            tell.send(session.insert("late", true).map_err(|error| error.kind())).unwrap();
            tell.send(session.save().await.map_err(|error| error.kind())).unwrap();
            let early = session.get::<bool>("early").unwrap();
            socket.write_all(format!("early: {early:?}").as_bytes()).await.unwrap();
        });
        let headers = [("connection", "upgrade"), ("upgrade", "echo")];
        Ok((StatusCode::SWITCHING_PROTOCOLS, headers))
    };
    let address = serve(Router::new().route("/", get(handler)).layer(flask())).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(
        response.starts_with("HTTP/1.1 101") && response.contains("set-cookie: "),
        "{response}"
    );
    assert!(response.ends_with("early: Some(true)"), "{response}");
    for _ in 0..2 {
        assert_eq!(results.recv().await.unwrap(), Err(ErrorKind::Closed));
    }
}
