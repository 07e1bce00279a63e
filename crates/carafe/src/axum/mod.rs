//! The extractors for axum, and errors as its responses.

use std::convert::Infallible;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Csrf, CurrentUser, Error, ErrorKind, LazySession, Named, Session, Typed, WantedPage};

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).await
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
        Self::from_extensions(&parts.extensions).await
    }
}

impl<S: Sync, Marker: 'static> FromRequestParts<S> for Named<Marker> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).await
    }
}

impl<S, T> FromRequestParts<S> for Typed<T>
where
    S: Sync,
    T: Serialize + DeserializeOwned + Default,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).await
    }
}

impl<S: Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).await
    }
}

/// `None` if nobody is logged in. A store that can't tell is an error all the same.
impl<S: Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        match Self::from_extensions(&parts.extensions).await {
            Err(error) if error.kind() == ErrorKind::LoginRequired => Ok(None),
            other => other.map(Some),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for WantedPage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_query(parts.uri.query().unwrap_or_default()))
    }
}

impl IntoResponse for Error {
    /// A response that says nothing of the cause, which goes to the log. A layer with
    /// [`on_error`](crate::SessionLayer::on_error) replaces it by the application's page.
    fn into_response(self) -> Response {
        self.into()
    }
}
