//! The extractors for axum, and errors as its responses.

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::csrf::Csrf;
use crate::session::{LazySession, Named, Session};
use crate::{Error, event};

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        LazySession::from_extensions(&parts.extensions)?.open().await
    }
}

impl<S: Sync> FromRequestParts<S> for LazySession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions)
    }
}

impl<S: Sync> FromRequestParts<S> for Csrf {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::open(&parts.extensions).await
    }
}

impl<S: Sync, Marker: 'static> FromRequestParts<S> for Named<Marker> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        let lazy = LazySession::named_from_extensions::<Marker>(&parts.extensions)?;
        Ok(Self::new(lazy.open().await?))
    }
}

impl IntoResponse for Error {
    /// A response that says nothing of the cause, which goes to the log. A layer with
    /// [`on_error`](crate::SessionLayer::on_error) replaces it by the application's page.
    fn into_response(self) -> Response {
        event::failed(&self);
        self.to_response().map(Body::from)
    }
}
