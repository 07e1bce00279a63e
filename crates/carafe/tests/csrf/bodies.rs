//! Bodies in which the token is searched, of every size and in every number of pieces. The handler
//! gets them whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Request;
use carafe::SessionLayer;
use http_body::Frame;

use crate::visitor::{Answer, HOME, Visitor, csrf, key};

const URL_ENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=----WebKitFormBoundaryx7MA4YWxkTrZu0gW";

async fn send(visitor: &mut Visitor, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/do").header("origin", HOME).header("content-type", content_type);
    visitor.send(request, body).await
}

/// A body that arrives in pieces.
struct Pieces<I>(I);

impl<I: Iterator<Item = io::Result<Bytes>> + Unpin> http_body::Body for Pieces<I> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.next().map(|piece| piece.map(Frame::data)))
    }
}

fn in_pieces(body: &[u8], size: usize) -> Body {
    let pieces: Vec<_> =
        body.chunks(size.min(body.len())).map(Bytes::copy_from_slice).map(Ok).collect();
    Body::new(Pieces(pieces.into_iter()))
}

fn multipart(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let boundary = "------WebKitFormBoundaryx7MA4YWxkTrZu0gW";
    let mut body = Vec::new();
    for (disposition, content) in parts {
        body.extend_from_slice(
            format!("{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("{boundary}--\r\n").as_bytes());
    body
}

#[tokio::test]
async fn the_handler_gets_the_whole_body() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let token = visitor.token().await;
    let text = "x=1&".repeat(100);
    let bodies = [
        (URL_ENCODED, format!("csrf_token={token}").into_bytes()),
        (URL_ENCODED, format!("{text}csrf_token={token}&{text}").into_bytes()),
        (
            URL_ENCODED,
            [b"a=\xff\xfe\0&", format!("csrf_token={token}&b=").as_bytes(), b"\xc3"].concat(),
        ),
        (
            MULTIPART,
            multipart(&[
                ("name=\"csrf_token\"", token.as_bytes()),
                ("name=\"f\"; filename=\"a.png\"", &[0xff; 500]),
            ]),
        ),
        (
            MULTIPART,
            multipart(&[("name=\"a\"", b"\r\n--\r\n"), ("name=csrf_token", token.as_bytes())]),
        ),
    ];
    for (content_type, body) in &bodies {
        for size in [1, 7, 100, usize::MAX] {
            let answer = send(&mut visitor, content_type, in_pieces(body, size)).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.text, String::from_utf8_lossy(body));
        }
    }
}

#[tokio::test]
async fn a_huge_form_passes_if_its_token_comes_early() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let token = visitor.token().await;
    let filler = "x".repeat(1 << 20);
    let early = format!("csrf_token={token}&a={filler}");
    let late = format!("a={filler}&csrf_token={token}");
    for size in [1000, usize::MAX] {
        let body = in_pieces(early.as_bytes(), size);
        let answer = send(&mut visitor, URL_ENCODED, body).await;
        assert_eq!((answer.status.as_u16(), answer.text.len()), (200, early.len()));
        let body = in_pieces(late.as_bytes(), size);
        let answer = send(&mut visitor, URL_ENCODED, body).await;
        assert_eq!(answer.status, 403);
        assert!(answer.text.contains("has to be its first"), "{}", answer.text);
    }
    let parts = |first: &str, second: &str| {
        multipart(&[(first, filler.as_bytes()), (second, token.as_bytes())])
    };
    let late = parts("name=f; filename=f", "name=csrf_token");
    assert_eq!(send(&mut visitor, MULTIPART, late).await.status, 403);
}

#[tokio::test]
async fn how_much_of_a_form_is_read_is_a_setting() {
    let mut visitor = Visitor::with(SessionLayer::flask(key()), csrf().form_limit(200));
    let token = visitor.token().await;
    let after = |len: usize| format!("{}&csrf_token={token}&", "x".repeat(len));
    let room = 200 - after(0).len();
    assert_eq!(send(&mut visitor, URL_ENCODED, after(room)).await.status, 200);
    assert_eq!(send(&mut visitor, URL_ENCODED, after(room + 1)).await.status, 403);
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_waited_for() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    visitor.token().await;
    for content_type in [URL_ENCODED, "text/plain", MULTIPART] {
        let body =
            Body::new(Pieces(std::iter::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 999])))));
        assert_eq!(send(&mut visitor, content_type, body).await.status, 403, "{content_type}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()));
    let token = visitor.token().await;
    let broken = |text: String| {
        let pieces = [Ok(Bytes::from(text)), Err(io::Error::other("the client went away"))];
        Body::new(Pieces(pieces.into_iter()))
    };
    let answer = send(&mut visitor, URL_ENCODED, broken(format!("csrf_token={token}"))).await;
    assert_eq!(answer.status, 403, "the token may go on");
    assert_eq!(visitor.runs.take(), 0);
    // With the token present, the handler has to notice the error.
    let answer = send(&mut visitor, URL_ENCODED, broken(format!("csrf_token={token}&a="))).await;
    assert_eq!(answer.status, 400);
}
