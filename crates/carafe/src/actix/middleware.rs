//! The layers as middleware: what stands around a handler.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use bytes::Bytes;

use super::response::{self, Verdict};
use super::{LocalFuture, csrf, handles};
use crate::csrf::{Protection, Settings, page};
use crate::engine::{Commit, Engine};
use crate::session::Slot;
use crate::{CsrfLayer, SessionLayer};

/// A service with a layer around it.
#[derive(Debug)]
pub struct Layered<S>(Rc<(Layer, S)>);

#[derive(Clone, Debug)]
enum Layer {
    Sessions(Arc<Engine>),
    Csrf(Arc<Settings>),
}

/// What a layer keeps of a request until there is a response.
enum Handled {
    Session(Arc<Slot>),
    Csrf(Arc<Protection>),
}

impl Layer {
    fn in_use(&self) {
        match self {
            Self::Sessions(engine) => engine.in_use(),
            Self::Csrf(_) => {}
        }
    }

    /// Lets a request through, or gives the page that goes out instead.
    async fn before(&self, request: &mut ServiceRequest) -> Result<Handled, http::Response<Bytes>> {
        match self {
            Self::Sessions(engine) => {
                let slot = handles::slot(engine, request);
                handles::insert(request, |extensions| slot.insert_into(extensions));
                Ok(Handled::Session(slot))
            }
            Self::Csrf(settings) => {
                // Apart, so that the future of requests without a form is no larger for it.
                let checked = Box::pin(csrf::check(request, settings)).await;
                checked.map(Handled::Csrf).map_err(|error| page(settings, &error))
            }
        }
    }
}

impl Handled {
    /// Decides on the response.
    async fn after(&self, shown: Verdict) -> Verdict {
        match self {
            Self::Session(slot) => {
                let shown = slot.engine.prepare(shown);
                let outcome = match slot.engine.commit(slot) {
                    Commit::Done(outcome) => outcome,
                    Commit::Waiting(commit) => commit.await,
                };
                slot.engine.complete(shown, outcome)
            }
            Self::Csrf(protection) => protection.finish_or_page(shown),
        }
    }
}

impl Drop for Handled {
    // However the request ends: what is written to the session from there on can't be saved.
    fn drop(&mut self) {
        if let Self::Session(slot) = self {
            slot.close();
        }
    }
}

macro_rules! transform {
    ($($layer:ty, $settings:ident => $variant:ident;)*) => {$(
        impl<S, B> Transform<S, ServiceRequest> for $layer
        where
            S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>
                + 'static,
            B: MessageBody + 'static,
        {
            type Response = ServiceResponse<EitherBody<B, Bytes>>;
            type Error = actix_web::Error;
            type Transform = Layered<S>;
            type InitError = ();
            type Future = Ready<Result<Self::Transform, ()>>;

            fn new_transform(&self, service: S) -> Self::Future {
                let layer = Layer::$variant(Arc::clone(self.$settings()));
                layer.in_use();
                ready(Ok(Layered(Rc::new((layer, service)))))
            }
        }
    )*};
}
transform! {
    SessionLayer, engine => Sessions;
    CsrfLayer, settings => Csrf;
}

impl<S, B> Service<ServiceRequest> for Layered<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B, Bytes>>;
    type Error = actix_web::Error;
    type Future = LocalFuture<Self::Response, Self::Error>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.1.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let layered = Rc::clone(&self.0);
        Box::pin(async move {
            let (layer, service) = layered.as_ref();
            let handled = match layer.before(&mut request).await {
                Ok(handled) => handled,
                Err(page) => {
                    let page =
                        response::page(&page, []).map_body(|_, page| EitherBody::right(page));
                    return Ok(request.into_response(page));
                }
            };
            match service.call(request).await {
                Ok(answer) => {
                    let (request, response) = answer.into_parts();
                    let verdict = handled.after(response::shown(&response)).await;
                    Ok(ServiceResponse::new(request, response::apply(verdict, response)))
                }
                // A middleware's error becomes a response further out: with what is decided here.
                Err(error) => {
                    let response = error.error_response();
                    let verdict = handled.after(response::shown(&response)).await;
                    let response = response::apply(verdict, response).map_into_boxed_body();
                    Err(InternalError::from_response(error, response).into())
                }
            }
        })
    }
}
