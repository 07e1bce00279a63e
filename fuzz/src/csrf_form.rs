use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts as _;
use axum::http::{Method, Request, Response};
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::{Clock, SessionLayer};
use http_body::Frame;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::visit::{NOW, at_once, ring};

const HOME: &str = "https://shop.example";

/// A visitor's token, and the cookie for it.
static VISITOR: LazyLock<(String, String)> = LazyLock::new(|| {
    let response = send(Request::get("/").body(Body::empty()).expect("a request"));
    let cookie = response.headers()["set-cookie"].to_str().expect("ASCII");
    let cookie = cookie.split_once(';').expect("attributes").0.to_owned();
    (text(response), cookie)
});

/// Forms: the first byte says of which type, the second in what pieces they come, and `TOKEN` in the
/// rest is the visitor's. The pieces make no difference, the handler gets the body as it was sent,
/// and without the token it gets nothing.
pub fn csrf_form(data: &[u8]) {
    let [kind, size, form @ ..] = data else { return };
    let content_type = match kind % 3 {
        0 => "application/x-www-form-urlencoded",
        1 => "multipart/form-data; boundary=x-y",
        _ => "multipart/form-data; charset=utf-8; boundary=\"-\"",
    };
    let (token, cookie) = &*VISITOR;
    let form = fill(form, token);
    let post = |body: Body| {
        let request = Request::post("/")
            .header("origin", HOME)
            .header("content-type", content_type)
            .header("cookie", cookie);
        send(request.body(body).expect("a request"))
    };
    let whole = post(Body::from(form.clone()));
    let in_pieces = post(Body::new(Pieces(form.clone(), usize::from(*size).max(1))));
    assert_eq!(whole.status(), in_pieces.status());
    if whole.status() == 200 {
        let has = |text: &[u8]| form.windows(text.len()).any(|window| window == text);
        assert!(has(token.as_bytes()) && has(b"csrf_token"), "there was no token");
        for response in [whole, in_pieces] {
            assert!(bytes(response) == form, "the handler got another body");
        }
    } else {
        assert_eq!(whole.status(), 403);
        // Without an end to the field, the token may go on.
        let first = format!("csrf_token={token}");
        let rest = form.strip_prefix(first.as_bytes());
        let is_first = rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'&');
        assert!(kind % 3 != 0 || !is_first, "refused: {}", text(whole));
    }
}

/// An application that shows the token, and gives back what it is sent.
fn send(request: Request<Body>) -> Response<Body> {
    static LAYERS: LazyLock<(CsrfLayer, SessionLayer)> = LazyLock::new(|| {
        let csrf = CsrfLayer::new([HOME]).expect("an origin").form_limit(1000);
        (csrf, SessionLayer::flask(ring()).with_clock(Clock::fixed(NOW)))
    });
    let handler = service_fn(|request: Request<carafe::csrf::Body<Body>>| async move {
        let (mut parts, body) = request.into_parts();
        let body = if parts.method == Method::GET {
            let csrf = Csrf::from_request_parts(&mut parts, &()).await.expect("a layer");
            Body::from(csrf.token().expect("random bytes"))
        } else {
            Body::new(body)
        };
        Ok::<_, Infallible>(Response::new(body))
    });
    let (csrf, sessions) = &*LAYERS;
    let Ok(response) = at_once(sessions.layer(csrf.layer(handler)).oneshot(request));
    response.map(Body::new)
}

fn bytes(response: Response<Body>) -> Bytes {
    at_once(axum::body::to_bytes(response.into_body(), usize::MAX)).expect("it can't fail")
}

fn text(response: Response<Body>) -> String {
    String::from_utf8(bytes(response).to_vec()).expect("text")
}

/// Replaces each `TOKEN` by the token.
fn fill(form: &[u8], token: &str) -> Bytes {
    let mut filled = Vec::new();
    let mut rest = form;
    while let Some(at) = rest.windows(5).position(|window| window == b"TOKEN") {
        filled.extend_from_slice(&rest[..at]);
        filled.extend_from_slice(token.as_bytes());
        rest = &rest[at + 5..];
    }
    filled.extend_from_slice(rest);
    filled.into()
}

/// A body in pieces of one size.
struct Pieces(Bytes, usize);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = self.1.min(self.0.len());
        let piece = self.0.split_to(size);
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }
}
