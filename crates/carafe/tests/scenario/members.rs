//! A site for members, on axum, on actix-web and on tower alone: each extractor has a route.

use std::convert::Infallible;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{App, FromRequest, HttpRequest, HttpResponse, web};
use axum::Router;
use axum::routing::{any, get};
use bytes::Bytes;
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::http::{Request, Response};
use carafe::{CurrentUser, Error, ErrorKind, LazySession, Named, Session, SessionLayer, Typed};
use http_body_util::Full;
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, service_fn};

use crate::browser::Server;
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::on_tower::{Content, OnTower};
use crate::shop::Cart;

/// The name of the site's session.
struct Site;

/// The layer that gives pages a token. It checks nothing.
fn csrf() -> CsrfLayer {
    CsrfLayer::same_host().exempt(|_| true)
}

fn log_in(session: &Session) -> Result<String, Error> {
    session.login("ann").map(|()| String::new())
}

/// Greets users and guests.
fn greet(user: Option<CurrentUser>) -> String {
    user.map_or("a guest".to_owned(), CurrentUser::into_id)
}

/// The page of a handler that can do without the user.
fn own_page(user: Result<CurrentUser, Error>) -> String {
    user.map_or_else(|error| format!("own page: {:?}", error.kind()), CurrentUser::into_id)
}

async fn lazy(session: LazySession) -> String {
    own_page(session.open().await.and_then(|session| session.current_user()))
}

/// Tells whether an optional extractor gave a value.
fn there<T>(optional: Option<T>) -> &'static str {
    optional.map_or("none", |_| "there")
}

pub(crate) fn on_axum(layer: SessionLayer) -> OnAxum {
    let app = Router::new()
        .route("/login", any(async |session: Session| log_in(&session)))
        .route("/account", any(async |user: CurrentUser| user.into_id()))
        .route("/", get(async |user: Option<CurrentUser>| greet(user)))
        .route("/own", get(async |user: Result<CurrentUser, Error>| own_page(user)))
        .route("/lazy", get(lazy))
        .route("/session", get(async |session: Option<Session>| there(session)))
        .route("/typed", get(async |cart: Option<Typed<Cart>>| there(cart)))
        .route("/named", get(async |session: Option<Named<Site>>| there(session)))
        .route("/csrf", get(async |csrf: Option<Csrf>| there(csrf)))
        .route("/static", get(async || "static"))
        .layer(csrf())
        .layer(layer.named::<Site>());
    OnAxum(app)
}

pub(crate) async fn on_actix(layer: SessionLayer) -> impl Server {
    /// A user, by an extractor of the application's own.
    struct Member;
    impl FromRequest for Member {
        type Error = actix_web::Error;
        type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

        fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
            let user = CurrentUser::extract(request);
            Box::pin(async move {
                user.await?;
                Ok(Self)
            })
        }
    }
    /// The page of [`own_page`], with actix-web's error type.
    async fn status(user: Result<CurrentUser, actix_web::Error>) -> HttpResponse {
        match user {
            Ok(user) => HttpResponse::Ok().body(user.into_id()),
            Err(error) => {
                let status = error.as_response_error().status_code();
                HttpResponse::Ok().body(format!("own page: {}", status.as_u16()))
            }
        }
    }
    let app = App::new()
        .route("/login", web::route().to(async |session: Session| log_in(&session)))
        .route("/account", web::route().to(async |user: CurrentUser| user.into_id()))
        .route("/", web::get().to(async |user: Option<CurrentUser>| greet(user)))
        .route("/own", web::get().to(async |user: Result<CurrentUser, Error>| own_page(user)))
        .route("/status", web::get().to(status))
        .route("/member", web::get().to(async |member: Option<Member>| there(member)))
        .route("/lazy", web::get().to(lazy))
        .route("/session", web::get().to(async |session: Option<Session>| there(session)))
        .route("/typed", web::get().to(async |cart: Option<Typed<Cart>>| there(cart)))
        .route("/named", web::get().to(async |session: Option<Named<Site>>| there(session)))
        .route("/csrf", web::get().to(async |csrf: Option<Csrf>| there(csrf)))
        .route("/static", web::get().to(async || "static"))
        .wrap(csrf())
        .wrap(layer.named::<Site>());
    OnActix(actix_web::test::init_service(app).await)
}

pub(crate) fn on_tower(layer: SessionLayer) -> OnTower {
    async fn route<B>(request: Request<B>) -> Result<String, Error> {
        let extensions = request.extensions();
        let user = async || CurrentUser::from_extensions(extensions).await;
        let there = || "there".to_owned();
        match request.uri().path() {
            "/login" => log_in(&Session::from_extensions(extensions).await?),
            "/account" => Ok(user().await?.into_id()),
            "/" => match user().await {
                Err(error) if error.kind() == ErrorKind::LoginRequired => Ok(greet(None)),
                user => user.map(|user| greet(Some(user))),
            },
            "/own" => Ok(own_page(user().await)),
            "/lazy" => Ok(lazy(LazySession::from_extensions(extensions)?).await),
            "/session" => Session::from_extensions(extensions).await.map(|_| there()),
            "/typed" => Typed::<Cart>::from_extensions(extensions).await.map(|_| there()),
            "/named" => Named::<Site>::from_extensions(extensions).await.map(|_| there()),
            "/csrf" => Csrf::from_extensions(extensions).await.map(|_| there()),
            _ => Ok("static".to_owned()),
        }
    }
    let handler = service_fn(async |request: Request<carafe::csrf::Body<Full<Bytes>>>| {
        let answer = route(request).await;
        let content = |text: String| Response::new(Content::Text(text));
        Ok::<_, Infallible>(answer.map_or_else(Response::from, content))
    });
    let layers = ServiceBuilder::new().layer(layer.named::<Site>()).layer(csrf());
    OnTower(BoxCloneService::new(layers.service(handler)))
}
