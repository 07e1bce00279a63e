//! The shop on axum.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::RawQuery;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use carafe::csrf::Csrf;
use carafe::http::Request;
use carafe::{CurrentUser, Error, Session, SessionLayer, Typed, WantedPage};
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;

use crate::browser::Server;
use crate::shop::{self, Cart};

pub(crate) struct OnAxum(pub(crate) Router);

pub(crate) fn shop(layer: SessionLayer) -> OnAxum {
    let app = Router::new()
        .route("/", get(index))
        .route("/add", post(async |cart: Typed<Cart>, form: String| shop::add(cart, &form)))
        .route("/count", post(async |cart: Typed<Cart>| shop::count(cart).await))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/account", get(async |user: CurrentUser| user.into_id()))
        .route("/wrong", get(async |session: Session| shop::wrong(&session)))
        .route("/vary", get(vary))
        .route("/stream", get(async |session: Session| stream(&session)))
        .route("/saved-stream", get(saved_stream))
        .route("/show", get(show))
        .route("/static", get(async || "static"))
        .layer(shop::csrf())
        .layer(layer);
    OnAxum(app)
}

impl Server for OnAxum {
    async fn answer(&self, request: Request<String>) -> carafe::http::Response<String> {
        let response = self.0.clone().oneshot(request.map(Body::from)).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
    }
}

async fn index(cart: Typed<Cart>, user: Option<CurrentUser>, csrf: Csrf) -> Result<String, Error> {
    shop::index(cart, user.as_ref(), &csrf)
}

async fn login(session: Session, wanted: WantedPage, form: String) -> Result<Response, Error> {
    Ok(shop::redirect(&shop::login(&session, &wanted, &form)?))
}

async fn logout(session: Session) -> Result<Response, Error> {
    session.logout()?;
    Ok(shop::redirect("/"))
}

async fn vary(session: Session) -> Result<impl IntoResponse, Error> {
    session.insert("seen", true)?;
    let headers = [("vary", "Origin"), ("vary", "Accept"), ("set-cookie", "theme=dark")];
    Ok(AppendHeaders(headers))
}

fn stream(session: &Session) -> Body {
    let session = session.clone();
    Body::new(Full::from("?").map_frame(move |frame| {
        let late = session.insert("late", true).unwrap_err();
        frame.map_data(|_: Bytes| Bytes::from(format!("{:?}", late.kind())))
    }))
}

async fn saved_stream(session: Session) -> Result<Body, Error> {
    session.insert("streamed", "before")?;
    session.save().await?;
    Ok(stream(&session))
}

async fn show(session: Session, RawQuery(key): RawQuery) -> Result<String, Error> {
    Ok(session.get(key.unwrap_or_default())?.unwrap_or_default())
}
