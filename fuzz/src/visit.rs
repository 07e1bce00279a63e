//! Requests to a service under a layer of sessions.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::http::{HeaderValue, Request, Response};
use carafe::config::{Compression, Refresh};
use carafe::signing::{SigningOptions, TimestampSigner};
use carafe::value::Dict;
use carafe::{Clock, Config, Error, KeyRing, SecretKey, Session, SessionLayer};
use tower::{Layer as _, ServiceExt as _, service_fn};

/// The time of all events, in Unix seconds.
pub(super) const NOW: u64 = 1_700_000_000;

static LAYER: LazyLock<SessionLayer> = LazyLock::new(|| {
    let config = Config::flask().compression(Compression::Never).refresh(Refresh::Never);
    SessionLayer::new(ring(), config).expect("Flask's settings").with_clock(Clock::fixed(NOW))
});

static SIGNER: LazyLock<TimestampSigner> =
    LazyLock::new(|| TimestampSigner::new(&ring(), &SigningOptions::default()));

/// The keys of all targets but the sealed ones.
pub(super) fn ring() -> KeyRing {
    SecretKey::new("dev").expect("not empty").allow_weak_key().into()
}

/// A session's cookie whose payload is this text.
pub(super) fn signed(payload: &str) -> String {
    SIGNER.sign(payload, NOW)
}

/// The response of a service to a request.
pub(super) struct Visit {
    /// The content of the session when it was opened.
    pub(super) content: Dict,
    /// The text of the cookie that was set; the empty text if it was removed.
    pub(super) set_cookie: Option<String>,
}

/// Sends a request with these `Cookie` lines to a service that does this with its session.
pub(super) fn visit(lines: &[HeaderValue], act: fn(&Session) -> Result<(), Error>) -> Visit {
    let handler = service_fn(move |request: Request<Body>| async move {
        let mut parts = request.into_parts().0;
        let session = Session::from_request_parts(&mut parts, &()).await.expect("a layer");
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(session.to_dict());
        act(&session).expect("the response has not begun");
        Ok::<_, Infallible>(response)
    });
    let mut request = Request::new(Body::empty());
    for line in lines {
        request.headers_mut().append("cookie", line.clone());
    }
    let Ok(mut response) = at_once(LAYER.layer(handler).oneshot(request));
    let mut cookies = response.headers().get_all("set-cookie").iter();
    let set_cookie = cookies.next().map(|line| {
        let line = line.to_str().expect("ASCII").strip_prefix("session=").expect("its name");
        line.split_once(';').expect("attributes").0.to_owned()
    });
    assert!(cookies.next().is_none(), "two cookies");
    // If the session can't be saved, an error's response replaces the handler's.
    let content = response.extensions_mut().remove().unwrap_or_default();
    Visit { content, set_cookie }
}

/// The output of a future that has nothing to wait for.
pub(super) fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
