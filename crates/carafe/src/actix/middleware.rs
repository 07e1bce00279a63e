//! The session's layer as middleware.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use bytes::Bytes;

use super::{LocalFuture, handles, response};
use crate::SessionLayer;
use crate::engine::{Commit, Engine};
use crate::session::Slot;

/// In actix-web the layer is middleware: `App::new().wrap(layer)`. Make it outside of the function
/// that makes an `App` for each worker, and clone it there.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use carafe::{Error, SecretKey, Session, SessionLayer};
///
/// async fn visits(session: Session) -> Result<String, Error> {
///     let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
///     Ok(format!("This is your visit no. {visits}"))
/// }
///
/// # fn server() -> std::io::Result<()> {
/// let sessions = SessionLayer::flask(SecretKey::from_env("SECRET_KEY").expect("a secret key"));
/// let server = HttpServer::new(move || {
///     App::new().route("/", web::get().to(visits)).wrap(sessions.clone())
/// });
/// # Ok(())
/// # }
/// ```
impl<S, B> Transform<S, ServiceRequest> for SessionLayer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B, Bytes>>;
    type Error = actix_web::Error;
    type Transform = ActixSessions<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ActixSessions { service, engine: Arc::clone(self.engine()) }))
    }
}

/// A service whose requests have a session.
#[derive(Debug)]
pub struct ActixSessions<S> {
    service: S,
    engine: Arc<Engine>,
}

/// However the request ends: what is written to the session from there on can't be saved.
struct Closing(Arc<Slot>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<S, B> Service<ServiceRequest> for ActixSessions<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B, Bytes>>;
    type Error = actix_web::Error;
    type Future = LocalFuture<Self::Response, Self::Error>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let engine = Arc::clone(&self.engine);
        let slot = handles::slot(&engine, &request);
        handles::insert(&request, |extensions| slot.insert_into(extensions));
        let closing = Closing(Arc::clone(&slot));
        let handler = self.service.call(request);
        Box::pin(async move {
            let _closing = closing;
            let response = handler.await?;
            let verdict = engine.prepare(response::shown(&response));
            let outcome = match engine.commit(&slot) {
                Commit::Done(outcome) => outcome,
                Commit::Waiting(commit) => commit.await,
            };
            Ok(response::apply(engine.complete(verdict, outcome), response))
        })
    }
}
