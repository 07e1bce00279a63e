//! Extractors for axum, and errors as axum responses.

use std::convert::Infallible;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::csrf::Csrf;
use crate::{
    CurrentUser, Error, ErrorKind, FreshUser, LazySession, Named, Session, Typed, WantedPage,
};

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

impl<S: Sync, const SECONDS: u64> FromRequestParts<S> for FreshUser<SECONDS> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        Self::from_extensions(&parts.extensions).await
    }
}

/// Gives `None` if no user is logged in. A failing store is an error.
impl<S: Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        unless(ErrorKind::LoginRequired, Self::from_extensions(&parts.extensions).await)
    }
}

/// Gives `None` on a route without a [`SessionLayer`](crate::SessionLayer). A session that the
/// store can't load is an error.
impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        unless(ErrorKind::NoLayer, Self::from_extensions(&parts.extensions).await)
    }
}

/// Gives `None` on a route without a [`SessionLayer`](crate::SessionLayer).
impl<S: Sync> OptionalFromRequestParts<S> for LazySession {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        unless(ErrorKind::NoLayer, Self::from_extensions(&parts.extensions))
    }
}

/// Gives `None` on a route without a [`SessionLayer`](crate::SessionLayer) of this name.
impl<S: Sync, Marker: 'static> OptionalFromRequestParts<S> for Named<Marker> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        unless(ErrorKind::NoLayer, Self::from_extensions(&parts.extensions).await)
    }
}

/// Gives `None` on a route without a [`SessionLayer`](crate::SessionLayer). A field of another type
/// is an error.
impl<S, T> OptionalFromRequestParts<S> for Typed<T>
where
    S: Sync,
    T: Serialize + DeserializeOwned + Default,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        unless(ErrorKind::NoLayer, Self::from_extensions(&parts.extensions).await)
    }
}

/// Gives `None` on a route without a [`CsrfLayer`](crate::csrf::CsrfLayer).
impl<S: Sync> OptionalFromRequestParts<S> for Csrf {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Error> {
        unless(ErrorKind::NoLayer, Self::from_extensions(&parts.extensions).await)
    }
}

/// Turns an error of one kind into `None`.
fn unless<T>(kind: ErrorKind, extracted: Result<T, Error>) -> Result<Option<T>, Error> {
    match extracted {
        Err(error) if error.kind() == kind => Ok(None),
        extracted => extracted.map(Some),
    }
}

impl<S: Sync> FromRequestParts<S> for WantedPage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::from_query(parts.uri.query().unwrap_or_default()))
    }
}

impl IntoResponse for Error {
    /// Returns a response that does not name the cause, which goes to the log. A layer with
    /// [`on_error`](crate::SessionLayer::on_error) replaces it by the application's page.
    fn into_response(self) -> Response {
        self.into()
    }
}
