//! The shop on tower, without a framework.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use carafe::csrf::Csrf;
use carafe::http::{Method, Request, Response, StatusCode};
use carafe::tower::ResponseBody;
use carafe::{CurrentUser, Error, ErrorKind, Session, SessionLayer, Typed, WantedPage};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame};
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::browser::Server;
use crate::shop;

/// A body, or one that writes to the session when it is read.
pub(crate) enum Content {
    Text(String),
    Late(Session),
}

impl From<Bytes> for Content {
    fn from(page: Bytes) -> Self {
        Self::Text(String::from_utf8(page.to_vec()).unwrap())
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = match std::mem::take(&mut *self) {
            Self::Text(text) if text.is_empty() => return Poll::Ready(None),
            Self::Text(text) => text,
            Self::Late(session) => {
                format!("{:?}", session.insert("late", true).unwrap_err().kind())
            }
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))))
    }
}

/// A response behind both layers.
type Answer = Response<ResponseBody<ResponseBody<Content>>>;
type Service = BoxCloneService<Request<Full<Bytes>>, Answer, Infallible>;

pub(crate) struct OnTower(pub(crate) Service);

pub(crate) fn shop(layer: SessionLayer) -> OnTower {
    let handler = service_fn(async |request: Request<carafe::csrf::Body<Full<Bytes>>>| {
        Ok::<_, Infallible>(route(request).await.unwrap_or_else(Response::from))
    });
    let service = ServiceBuilder::new().layer(layer).layer(shop::csrf()).service(handler);
    OnTower(BoxCloneService::new(service))
}

impl Server for OnTower {
    async fn answer(&self, request: Request<String>) -> Response<String> {
        let request = request.map(|body| Full::from(Bytes::from(body)));
        let (head, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn route(
    request: Request<carafe::csrf::Body<Full<Bytes>>>,
) -> Result<Response<Content>, Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let form = std::str::from_utf8(&body).unwrap();
    let (extensions, query) = (&head.extensions, head.uri.query().unwrap_or_default());
    let session = async || Session::from_extensions(extensions).await;
    let text = |text: String| Ok(Response::new(Content::Text(text)));
    match (&head.method, head.uri.path()) {
        (&Method::GET, "/") => {
            let user = match CurrentUser::from_extensions(extensions).await {
                Err(error) if error.kind() == ErrorKind::LoginRequired => None,
                user => Some(user?),
            };
            let csrf = Csrf::from_extensions(extensions).await?;
            let cart = Typed::from_extensions(extensions).await?;
            text(shop::index(cart, user.as_ref(), &csrf)?)
        }
        (&Method::POST, "/add") => {
            shop::add(Typed::from_extensions(extensions).await?, form)?;
            Ok(Response::default())
        }
        (&Method::POST, "/count") => {
            text(shop::count(Typed::from_extensions(extensions).await?).await?)
        }
        (&Method::POST, "/login") => {
            let wanted = WantedPage::from_query(query);
            Ok(shop::redirect(&shop::login(&session().await?, &wanted, form)?))
        }
        (&Method::POST, "/logout") => {
            session().await?.logout()?;
            Ok(shop::redirect("/"))
        }
        (&Method::GET, "/account") => {
            text(CurrentUser::from_extensions(extensions).await?.into_id())
        }
        (&Method::GET, "/wrong") => text(shop::wrong(&session().await?)?),
        (&Method::GET, "/vary") => {
            session().await?.insert("seen", true)?;
            let response = Response::builder().header("vary", "Origin").header("vary", "Accept");
            Ok(response.header("set-cookie", "theme=dark").body(Content::default()).unwrap())
        }
        (&Method::GET, "/stream") => Ok(Response::new(Content::Late(session().await?))),
        (&Method::GET, "/saved-stream") => {
            let session = session().await?;
            session.insert("streamed", "before")?;
            session.save().await?;
            Ok(Response::new(Content::Late(session)))
        }
        (&Method::GET, "/show") => text(session().await?.get(query)?.unwrap_or_default()),
        (&Method::GET, "/static") => text("static".to_owned()),
        _ => {
            let mut missing = Response::default();
            *missing.status_mut() = StatusCode::NOT_FOUND;
            Ok(missing)
        }
    }
}
