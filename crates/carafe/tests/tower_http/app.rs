//! An application whose bodies are of any type, and a visit to it.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::store::MemoryStore;
use carafe::{Error, ErrorPage, SecretKey, Session, SessionLayer};
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE, VARY};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use tower::{Service, ServiceExt as _};

pub(crate) const HOME: &str = "https://shop.example";
/// A text that is worth compressing.
pub(crate) const TEXT: &str = "What the page says. What the page says. What the page says.";

/// Sessions in the cookie, and in a store.
pub(crate) fn sessions() -> [SessionLayer; 2] {
    let key = || SecretKey::new("a key for these tests, long and random").unwrap();
    let signed = SessionLayer::signed(key()).unwrap();
    let stored = SessionLayer::stored(MemoryStore::new(), key()).unwrap();
    [signed, stored].map(|layer| layer.on_error(page))
}

pub(crate) fn csrf() -> CsrfLayer {
    CsrfLayer::new([HOME]).unwrap().on_error(page)
}

fn page(error: &Error) -> ErrorPage {
    let page = Response::builder().status(error.status()).header(CONTENT_TYPE, "text/html");
    page.body(format!("<h1>{:?}</h1>", error.kind())).unwrap().into()
}

/// A handler whose responses have a body that `make` makes.
pub(crate) struct App<B> {
    make: fn(Bytes) -> B,
}

impl<B> App<B> {
    pub(crate) fn new(make: fn(Bytes) -> B) -> Self {
        Self { make }
    }
}

impl<B> Clone for App<B> {
    fn clone(&self) -> Self {
        Self { make: self.make }
    }
}

impl<Q, B> Service<Request<Q>> for App<B>
where
    Q: Body + Send + 'static,
    Q::Data: Send,
    Q::Error: Debug,
    B: 'static,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let make = self.make;
        Box::pin(async move {
            let response = route(request).await.unwrap_or_else(Response::<Bytes>::from);
            Ok(response.map(make))
        })
    }
}

async fn route<Q>(request: Request<Q>) -> Result<Response<Bytes>, Error>
where
    Q: Body,
    Q::Error: Debug,
{
    let (head, body) = request.into_parts();
    let session = async || Session::from_extensions(&head.extensions).await;
    let text = match (&head.method, head.uri.path()) {
        (&Method::GET, "/page") => {
            session().await?.insert("seen", true)?;
            TEXT.to_owned()
        }
        (&Method::GET, "/wrong") => {
            session().await?.insert("number", "text")?;
            session().await?.get::<i64>("number")?.map_or_else(String::new, |n| n.to_string())
        }
        (&Method::GET, "/token") => Csrf::from_extensions(&head.extensions).await?.token()?,
        (&Method::POST, "/order") => {
            let form = body.collect().await.unwrap().to_bytes();
            format!("ordered by a form of {} bytes", form.len())
        }
        (&Method::GET, "/panic") => panic!("on purpose"),
        (&Method::GET, "/slow") => {
            session().await?.insert("half", true)?;
            tokio::time::sleep(Duration::from_secs(60)).await;
            String::new()
        }
        _ => TEXT.to_owned(),
    };
    let response = Response::builder().header("x-app", "1").header(CONTENT_TYPE, "text/plain");
    Ok(response.body(Bytes::from(text)).unwrap())
}

/// A response as the client gets it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the cookies that the response sets, for the next request.
    pub(crate) fn cookies(&self) -> String {
        let lines = self.headers.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        lines.map(|line| line.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
    }
}

pub(crate) async fn send<S, R>(service: &S, request: Request<Full<Bytes>>) -> Answer
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
    S::Error: Debug,
    R: Body,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (head, body) = service.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.map_err(Into::into).unwrap().to_bytes();
    Answer { status: head.status.as_u16(), headers: head.headers, bytes: body }
}

pub(crate) fn get(path: &str) -> http::request::Builder {
    Request::get(path)
}

/// Asserts a stack's responses to a visitor whose handlers write, fail and take forms.
pub(crate) async fn visit<S, R>(service: S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone,
    S::Error: Debug,
    R: Body,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let nothing = Full::<Bytes>::default;
    let seen = send(&service, get("/page").body(nothing()).unwrap()).await;
    assert_eq!((seen.status, seen.text()), (200, TEXT));
    assert!(seen.cookies().starts_with("__Host-session="), "{:?}", seen.headers);
    assert!(seen.header(VARY).contains("Cookie"));
    assert_eq!(seen.header("x-app"), "1");

    let wrong = send(&service, get("/wrong").body(nothing()).unwrap()).await;
    assert_eq!((wrong.status, wrong.text()), (500, "<h1>Type</h1>"));
    assert_eq!((wrong.header(CONTENT_TYPE), wrong.header("x-app")), ("text/html", ""));
    assert!(wrong.cookies().starts_with("__Host-session="), "{:?}", wrong.headers);

    let cookies = seen.cookies();
    let token = send(&service, get("/token").header(COOKIE, &cookies).body(nothing()).unwrap());
    let token = token.await;
    // A session of cookies is written anew by its first token.
    let cookies = if token.cookies().is_empty() { cookies } else { token.cookies() };
    for (form, expected) in [
        (format!("csrf_token={}&a=b", token.text()), (200, "ordered by a form of 101 bytes")),
        ("csrf_token=forged".to_owned(), (403, "<h1>Csrf</h1>")),
    ] {
        let order = Request::post("/order")
            .header(COOKIE, &cookies)
            .header(ORIGIN, HOME)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let order = send(&service, order.body(Full::from(form)).unwrap()).await;
        assert_eq!((order.status, order.text()), expected);
    }
}

/// The status of a service that waits for too long.
pub(crate) const TOO_SLOW: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
