//! The layers as actix-web middleware.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::error::InternalError;
use actix_web::{Error, HttpRequest};
use pin_project_lite::pin_project;

use super::response::Answer;
use super::{LocalFuture, csrf, handles};
use crate::SessionLayer;
use crate::csrf::{CsrfLayer, page};
use crate::engine::Reply as _;
use crate::handled::{Handled, Handling, Layered};
use crate::prompt::Prompt;

/// A service with a [`SessionLayer`] or a
/// [`CsrfLayer`] around it.
#[derive(Debug)]
pub struct Around<S>(Rc<(Layered, S)>);

type Answered<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

pin_project! {
    /// The response future of an [`Around`] service.
    #[derive(Debug)]
    #[project = Stage]
    pub enum ResponseFuture<F, B> {
        /// The handler runs, and then the session is saved.
        Handling { #[pin] handling: Handling<F, Result<HttpRequest, Error>, Answer<B>> },
        /// The CSRF check decides whether the handler gets the request.
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
        let handling = match self.project() {
            Stage::Handling { handling } => handling,
            Stage::Checking { checking } => return Pin::new(checking).poll(cx),
        };
        let answer = handling.poll_answer(cx, |answer| match answer {
            Ok(answer) => {
                let (request, response) = answer.into_parts();
                (Ok(request), response.map_into_left_body())
            }
            Err(error) => {
                let response = error.error_response().map_into_right_body();
                (Err(error), response)
            }
        });
        answer.map(|(rest, response)| match rest {
            Ok(request) => Ok(ServiceResponse::new(request, response)),
            // A middleware's error becomes a response further out, with the session's headers.
            Err(error) => {
                Err(InternalError::from_response(error, response.map_into_boxed_body()).into())
            }
        })
    }
}

impl<F: Future, B> ResponseFuture<F, B> {
    fn new(handler: F, handled: Handled) -> Self {
        Self::Handling { handling: Handling::new(handler, handled) }
    }
}

impl<S, B> Service<ServiceRequest> for Around<S>
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
            Layered::Sessions(engine) => {
                let handled = handles::of(request.request(), |outer| {
                    Handled::session(engine, outer, || handles::slot(engine, &request))
                });
                match handled {
                    Ok(handled) => {
                        handles::insert(&request, &handled);
                        return ResponseFuture::new(self.0.1.call(request), handled);
                    }
                    Err(error) => {
                        let answer = Ok(request.into_response(engine.refuse::<Answer<B>>(&error)));
                        return ResponseFuture::Checking { checking: Prompt::done(answer) };
                    }
                }
            }
            Layered::Csrf(settings) => Arc::clone(settings),
        };
        let layered = Rc::clone(&self.0);
        let checking: LocalFuture<_> = Box::pin(async move {
            match csrf::check(&mut request, &settings).await {
                Ok(handled) => ResponseFuture::new(layered.1.call(request), handled).await,
                Err(error) => Ok(request.into_response(Answer::from_page(page(&settings, &error)))),
            }
        });
        ResponseFuture::Checking { checking: Prompt::Waiting(checking) }
    }
}

macro_rules! transform {
    ($($layer:ty),*) => {$(
        impl<S, B> Transform<S, ServiceRequest> for $layer
        where
            S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
            B: MessageBody + 'static,
        {
            type Response = ServiceResponse<EitherBody<B>>;
            type Error = Error;
            type Transform = Around<S>;
            type InitError = ();
            type Future = Ready<Result<Self::Transform, ()>>;

            fn new_transform(&self, service: S) -> Self::Future {
                ready(Ok(Around(Rc::new((Layered::from(self), service)))))
            }
        }
    )*};
}
transform!(SessionLayer, CsrfLayer);
