//! The extractors for actix-web.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handles::of;
use crate::csrf::Csrf;
use crate::handled::Handles;
use crate::session::{Extracting, Unopened, extract};
use crate::{CurrentUser, Error, FreshUser, LazySession, Named, Session, Typed, WantedPage};

macro_rules! extractors {
    ($([$($generics:tt)*] $type:ty: $future:ty, $error:ty, |$request:ident| $do:expr;)*) => {$(
        impl<$($generics)*> FromRequest for $type {
            type Error = $error;
            type Future = $future;

            fn from_request($request: &HttpRequest, _: &mut Payload) -> Self::Future {
                $do
            }
        }
    )*};
}
extractors! {
    [] LazySession: Ready<Result<Self, Error>>, Error,
        |request| ready(of(request, |handles| handles.slot().map(Self::new)));
    [] Session: Extracting<Self>, Unopened,
        |request| extract(of(request, Handles::slot), Ok);
    [] CurrentUser: Extracting<Self>, Unopened,
        |request| extract(of(request, Handles::slot), |session| session.current_user());
    [const SECONDS: u64] FreshUser<SECONDS>: Extracting<Self>, Unopened,
        |request| extract(of(request, Handles::slot), |session| Self::of(&session));
    [T: Serialize + DeserializeOwned + Default + 'static] Typed<T>: Extracting<Self>, Unopened,
        |request| extract(of(request, Handles::slot), |session| session.typed());
    [Marker: 'static] Named<Marker>: Extracting<Self>, Unopened,
        |request| extract(of(request, Handles::named::<Marker>), |session| Ok(Self::new(session)));
    [] Csrf: Extracting<Self>, Unopened, |request| Self::extract(of(request, Handles::protection));
    [] WantedPage: Ready<Result<Self, Infallible>>, Infallible,
        |request| ready(Ok(Self::from_query(request.query_string())));
}
