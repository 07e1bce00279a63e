//! The shop on actix-web.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::web::{Bytes, PayloadConfig, Redirect, resource};
use actix_web::{App, HttpRequest, HttpResponse};
use carafe::csrf::Csrf;
use carafe::http::{HeaderName, HeaderValue, Request, Response};
use carafe::{CurrentUser, Error, Session, SessionLayer, Typed, WantedPage};

use crate::browser::Server;
use crate::shop::{self, Cart};

pub(crate) struct OnActix<S>(pub(crate) S);

pub(crate) async fn shop(layer: SessionLayer) -> impl Server {
    let app = App::new()
        .service(resource("/").get(index))
        .service(
            resource("/add")
                .post(async |cart: Typed<Cart>, form: String| shop::add(cart, &form).map(|()| "")),
        )
        .service(resource("/count").post(async |cart: Typed<Cart>| shop::count(cart).await))
        .service(resource("/login").post(login))
        .service(resource("/logout").post(logout))
        .service(resource("/account").get(async |user: CurrentUser| user.into_id()))
        .service(resource("/wrong").get(async |session: Session| shop::wrong(&session)))
        .service(resource("/vary").get(vary))
        .service(resource("/stream").get(async |session: Session| stream(session)))
        .service(resource("/saved-stream").get(saved_stream))
        .service(resource("/show").get(show))
        .service(resource("/static").get(async || "static"))
        .app_data(PayloadConfig::new(1 << 20))
        .wrap(shop::csrf())
        .wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

impl<S, B> Server for OnActix<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    async fn answer(&self, request: Request<String>) -> Response<String> {
        let (head, body) = request.into_parts();
        let mut request = actix_web::test::TestRequest::with_uri(&head.uri.to_string())
            .method(head.method.as_str().parse().unwrap());
        for (name, value) in &head.headers {
            request = request.append_header((name.as_str(), value.as_bytes()));
        }
        let answer = self.0.call(request.set_payload(body).to_request()).await.unwrap();
        let mut response = Response::builder().status(answer.status().as_u16());
        for (name, value) in answer.headers() {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
            response = response.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let body = to_bytes(answer.into_body()).await.unwrap_or_else(|_| panic!("no body"));
        response.body(String::from_utf8(body.to_vec()).unwrap()).unwrap()
    }
}

async fn index(cart: Typed<Cart>, user: Option<CurrentUser>, csrf: Csrf) -> Result<String, Error> {
    shop::index(cart, user.as_ref(), &csrf)
}

async fn login(session: Session, wanted: WantedPage, form: String) -> Result<Redirect, Error> {
    Ok(Redirect::to(shop::login(&session, &wanted, &form)?).see_other())
}

async fn logout(session: Session) -> Result<Redirect, Error> {
    session.logout()?;
    Ok(Redirect::to("/").see_other())
}

async fn vary(session: Session) -> Result<HttpResponse, Error> {
    session.insert("seen", true)?;
    let mut response = HttpResponse::Ok();
    for line in [("vary", "Origin"), ("vary", "Accept"), ("set-cookie", "theme=dark")] {
        response.append_header(line);
    }
    Ok(response.finish())
}

fn stream(session: Session) -> HttpResponse {
    HttpResponse::Ok().body(BoxBody::new(Late(Some(session))))
}

async fn saved_stream(session: Session) -> Result<HttpResponse, Error> {
    session.insert("streamed", "before")?;
    session.save().await?;
    Ok(stream(session))
}

async fn show(session: Session, request: HttpRequest) -> Result<String, Error> {
    Ok(session.get(request.query_string())?.unwrap_or_default())
}

/// A body that writes to the session when it is read.
struct Late(Option<Session>);

impl MessageBody for Late {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(self.0.take().map(|session| {
            let late = session.insert("late", true).unwrap_err();
            Ok(format!("{:?}", late.kind()).into())
        }))
    }
}
