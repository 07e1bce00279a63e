//! The twin on actix-web.

use actix_web::guard::{Any, Get, Head};
use actix_web::web::{Bytes, PayloadConfig, Query, resource, route};
use actix_web::{App, HttpResponse, HttpResponseBuilder, HttpServer, Route};
use carafe::http::Response;
use carafe::{Error, LazySession, Session, SessionLayer};

use crate::{answer, flask_logins};

/// The bytes that a body may have: as in axum.
const LIMIT: usize = 2 * 1024 * 1024;

/// actix-web ends at SIGTERM by itself, when open requests are answered.
pub(crate) async fn serve(
    listener: std::net::TcpListener,
    layer: SessionLayer,
    announcement: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let app = move || {
        App::new()
            .service(resource("/op").route(reading().to(get_op)).post(post_op))
            .service(
                resource("/read")
                    .route(reading().to(async |session: Session| answer::read(&session))),
            )
            .service(resource("/fl_protected").route(reading().to(protected)))
            .service(resource("/fl_fresh").route(reading().to(fresh)))
            .service(resource("/plain").route(reading().to(async || answer::PLAIN)))
            .app_data(PayloadConfig::new(LIMIT))
            .wrap(layer.clone())
    };
    let server = HttpServer::new(app).workers(2).listen(listener)?;
    println!("{announcement}");
    Ok(server.run().await?)
}

/// A route for `GET`, and for `HEAD` as well, as the other servers have it.
fn reading() -> Route {
    route().guard(Any(Get()).or(Head()))
}

#[derive(serde::Deserialize)]
struct Ops {
    ops: String,
}

async fn get_op(session: LazySession, query: Query<Ops>) -> Result<HttpResponse, Error> {
    answer::get_op(&session, query.ops.as_bytes()).await.map(respond)
}

async fn post_op(session: LazySession, body: Bytes) -> Result<HttpResponse, Error> {
    answer::post_op(&session, &body).await.map(respond)
}

async fn protected(session: Session) -> HttpResponse {
    respond(flask_logins::protected(&session))
}

async fn fresh(session: Session) -> HttpResponse {
    respond(flask_logins::fresh(&session))
}

/// The answer, in the types of actix-web.
fn respond(answer: Response<String>) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16());
    let mut response = HttpResponseBuilder::new(status.unwrap_or_default());
    for (name, value) in answer.headers() {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    response.body(answer.into_body())
}
