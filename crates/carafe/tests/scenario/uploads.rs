//! Uploads that are refused, over real connections: the client sends all of it and then reads.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::post;
use carafe::{SecretKey, SessionLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::shop;

const MIB: usize = 1024 * 1024;

fn sessions() -> SessionLayer {
    SessionLayer::signed(SecretKey::random().unwrap()).unwrap()
}

async fn on_axum() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/upload", post(async || "")).layer(shop::csrf());
    tokio::spawn(async move { axum::serve(listener, app.layer(sessions())).await });
    address
}

/// A server in a thread of its own, which ends with the test.
fn on_actix() -> SocketAddr {
    let (tell, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let sessions = sessions();
            let server = actix_web::HttpServer::new(move || {
                let app =
                    actix_web::App::new().route("/upload", actix_web::web::post().to(async || ""));
                app.wrap(shop::csrf()).wrap(sessions.clone())
            });
            let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    address.recv().unwrap()
}

/// Sends a form of this size, whose token isn't among its first bytes, and reads the answer.
async fn upload(address: SocketAddr, origin: &str, size: usize) -> std::io::Result<String> {
    let begin = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
    let mut connection = TcpStream::connect(address).await?;
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: shop.example\r\nOrigin: {origin}\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{begin}",
        begin.len() + size
    );
    connection.write_all(head.as_bytes()).await?;
    let piece = vec![b'a'; 64 * 1024];
    for _ in 0..size / piece.len() {
        connection.write_all(&piece).await?;
    }
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_upload_gets_its_answer() {
    for address in [on_axum().await, on_actix()] {
        for (origin, reason) in [
            (shop::ORIGIN, "the field csrf_token has to be its first"),
            ("https://evil.example", "Origin is not one of this site's"),
        ] {
            let answer = upload(address, origin, 20 * MIB).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
            assert!(answer.contains(reason), "{answer}");
        }
    }
}

/// An endless body is not read to its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_32_mib_of_a_refused_request_are_read() {
    let mut connection = TcpStream::connect(on_axum().await).await.unwrap();
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: shop.example\r\nOrigin: {}\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {}\r\n\r\n",
        shop::ORIGIN,
        1u64 << 40,
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![b'a'; 64 * 1024]).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
}

/// A client that waits for `100 Continue` is refused at once, and sends no body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_waits_to_send_is_answered_at_once() {
    let mut connection = TcpStream::connect(on_axum().await).await.unwrap();
    let head = "POST /upload HTTP/1.1\r\nHost: shop.example\r\nOrigin: https://evil.example\r\n\
                Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
}
