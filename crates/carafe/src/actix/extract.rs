//! The extractors.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{LocalFuture, handles};
use crate::engine::Prompt;
use crate::{Csrf, CurrentUser, Error, LazySession, Named, Session, Typed, WantedPage};

macro_rules! extract {
    ($([$($generics:tt)*] $type:ty: $error:ty, $future:ident, |$request:ident| $do:expr;)*) => {$(
        impl<$($generics)*> FromRequest for $type {
            type Error = $error;
            type Future = $future<Result<Self, $error>>;

            fn from_request($request: &HttpRequest, _: &mut Payload) -> Self::Future {
                $do
            }
        }
    )*};
}
extract! {
    [] LazySession: Error, Ready, |request| ready(handles::current(request).map(Self::new));
    [] Session: Error, Opened, |request| opened(request, Ok);
    [] CurrentUser: Error, Opened, |request| opened(request, |session| session.current_user());
    [T: Serialize + DeserializeOwned + Default + 'static] Typed<T>: Error, Opened,
        |request| opened(request, |session| session.typed());
    [] Csrf: Error, LocalFuture, |request| {
        let handles = handles::of(request);
        Box::pin(async move { Self::from_extensions(&handles).await })
    };
    [Marker: 'static] Named<Marker>: Error, LocalFuture, |request| {
        let handles = handles::of(request);
        Box::pin(async move { Self::from_extensions(&handles).await })
    };
    [] WantedPage: Infallible, Ready, |request| ready(Ok(Self::from_query(request.query_string())));
}

/// What is made of a session, which is there at once if it needs no wait for a store.
type Opened<T> = Prompt<LocalFuture<T>>;

fn opened<T: 'static>(
    request: &HttpRequest,
    make: fn(Session) -> Result<T, Error>,
) -> Opened<Result<T, Error>> {
    match handles::current(request).map(LazySession::new).map(|lazy| (lazy.open_at_once(), lazy)) {
        Ok((Some(opened), _)) => Prompt::done(opened.and_then(make)),
        Ok((None, lazy)) => {
            Prompt::Waiting(Box::pin(async move { lazy.open().await.and_then(make) }))
        }
        Err(error) => Prompt::done(Err(error)),
    }
}
