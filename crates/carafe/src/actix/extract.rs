//! The extractors.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{LocalFuture, handles};
use crate::{Csrf, CurrentUser, Error, LazySession, Named, Session, Typed, WantedPage};

macro_rules! extract {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> FromRequest for $type {
            type Error = Error;
            type Future = LocalFuture<Self, Error>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let handles = handles::of(request);
                Box::pin(async move { Self::from_extensions(&handles).await })
            }
        }
    )*};
}
extract! {
    [] Session;
    [] CurrentUser;
    [] Csrf;
    [Marker: 'static] Named<Marker>;
    [T: Serialize + DeserializeOwned + Default + 'static] Typed<T>;
}

impl FromRequest for LazySession {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::from_extensions(&handles::of(request)))
    }
}

impl FromRequest for WantedPage {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::from_query(request.query_string())))
    }
}
