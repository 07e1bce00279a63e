//! The extractors.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use http::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{LocalFuture, handles};
use crate::{Csrf, CurrentUser, Error, LazySession, Named, Session, Typed, WantedPage};

/// Extracts something that has to wait.
fn extract<T, F>(
    request: &HttpRequest,
    from: impl FnOnce(Arc<Extensions>) -> F,
) -> LocalFuture<T, Error>
where
    F: Future<Output = Result<T, Error>> + 'static,
{
    Box::pin(from(handles::of(request)))
}

impl FromRequest for Session {
    type Error = Error;
    type Future = LocalFuture<Self, Error>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |handles| Self::from_extensions(&handles).await)
    }
}

impl FromRequest for LazySession {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::from_extensions(&handles::of(request)))
    }
}

impl<Marker: 'static> FromRequest for Named<Marker> {
    type Error = Error;
    type Future = LocalFuture<Self, Error>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |handles| Self::from_extensions(&handles).await)
    }
}

impl<T: Serialize + DeserializeOwned + Default + 'static> FromRequest for Typed<T> {
    type Error = Error;
    type Future = LocalFuture<Self, Error>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |handles| Self::from_extensions(&handles).await)
    }
}

impl FromRequest for CurrentUser {
    type Error = Error;
    type Future = LocalFuture<Self, Error>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |handles| Self::from_extensions(&handles).await)
    }
}

impl FromRequest for Csrf {
    type Error = Error;
    type Future = LocalFuture<Self, Error>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |handles| Self::from_extensions(&handles).await)
    }
}

impl FromRequest for WantedPage {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::from_query(request.query_string())))
    }
}
