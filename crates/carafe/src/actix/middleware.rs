//! The layers as middleware: what stands around a handler.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::{Error, HttpRequest};
use pin_project_lite::pin_project;

use super::response::{Answer, page};
use super::{LocalFuture, csrf, handles};
use crate::csrf::{Settings, page as page_for};
use crate::engine::{Answering, Engine, Handled, Prompt};
use crate::{CsrfLayer, SessionLayer};

/// A service with a layer around it.
#[derive(Debug)]
pub struct Layered<S>(Rc<(Layer, S)>);

#[derive(Debug)]
enum Layer {
    Sessions(Arc<Engine>),
    Csrf(Arc<Settings>),
}

type Answered<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

pin_project! {
    /// The response of a [`Layered`] service.
    #[derive(Debug)]
    #[project = Stage]
    pub enum ResponseFuture<F, B> {
        /// The handler is at work, and then the session is saved.
        Handling {
            #[pin]
            handler: F,
            handled: Handled,
            saving: Option<(Result<HttpRequest, Error>, Prompt<Answering<Answer<B>>>)>,
        },
        /// Whether the handler gets the request has to be found out first.
        Checking { checking: Prompt<LocalFuture<Answered<B>>> },
    }
}

impl<F, B> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody + 'static,
{
    type Output = Answered<B>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answered<B>> {
        let (handler, handled, waiting) = match self.project() {
            Stage::Handling { handler, handled, saving } => (handler, handled, saving),
            Stage::Checking { checking } => return Pin::new(checking).poll(cx),
        };
        let (rest, mut saving) = match waiting.take() {
            Some(saving) => saving,
            None => match ready!(handler.poll(cx)) {
                Ok(answer) => {
                    let (request, response) = answer.into_parts();
                    (Ok(request), handled.after(response.map_into_left_body()))
                }
                Err(error) => {
                    let response = error.error_response().map_into_right_body();
                    (Err(error), handled.after(response))
                }
            },
        };
        let Poll::Ready(response) = Pin::new(&mut saving).poll(cx) else {
            *waiting = Some((rest, saving));
            return Poll::Pending;
        };
        Poll::Ready(match rest {
            Ok(request) => Ok(ServiceResponse::new(request, response)),
            // A middleware's error becomes a response further out: with what is decided here.
            Err(error) => {
                Err(InternalError::from_response(error, response.map_into_boxed_body()).into())
            }
        })
    }
}

impl<S, B> Service<ServiceRequest> for Layered<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = ResponseFuture<S::Future, B>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.1.poll_ready(cx)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let settings = match &self.0.0 {
            Layer::Sessions(engine) => {
                let slot = handles::slot(engine, &request);
                handles::insert(&request, |handles| handles.slots.push(Arc::clone(&slot)));
                let handled = Handled::Session(slot);
                let handler = self.0.1.call(request);
                return ResponseFuture::Handling { handler, handled, saving: None };
            }
            Layer::Csrf(settings) => Arc::clone(settings),
        };
        let layered = Rc::clone(&self.0);
        let checking: LocalFuture<_> = Box::pin(async move {
            match csrf::check(&mut request, &settings).await {
                Ok(protection) => {
                    let (handler, handled) = (layered.1.call(request), Handled::Csrf(protection));
                    ResponseFuture::Handling { handler, handled, saving: None }.await
                }
                Err(error) => {
                    let page = page(&page_for(&settings, &error), []).map_into_boxed_body();
                    Ok(request.into_response(page.map_into_right_body()))
                }
            }
        });
        ResponseFuture::Checking { checking: Prompt::Waiting(checking) }
    }
}

macro_rules! transform {
    ($($layer:ty: $make:expr;)*) => {$(
        impl<S, B> Transform<S, ServiceRequest> for $layer
        where
            S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
            B: MessageBody + 'static,
        {
            type Response = ServiceResponse<EitherBody<B>>;
            type Error = Error;
            type Transform = Layered<S>;
            type InitError = ();
            type Future = Ready<Result<Self::Transform, ()>>;

            fn new_transform(&self, service: S) -> Self::Future {
                let make: fn(&Self) -> Layer = $make;
                ready(Ok(Layered(Rc::new((make(self), service)))))
            }
        }
    )*};
}
transform! {
    SessionLayer: |layer| {
        layer.engine().in_use();
        // Each worker counts its own requests' handles of it: none waits for another's processor.
        Layer::Sessions(Arc::new(Engine::clone(layer.engine())))
    };
    CsrfLayer: |layer| Layer::Csrf(Arc::clone(layer.settings()));
}
