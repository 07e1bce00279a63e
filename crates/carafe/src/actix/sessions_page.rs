//! The page of a user's sessions as a handler.

use actix_web::web::Payload;
use actix_web::{Handler, HttpRequest, HttpResponse};
use http::Request;

use super::csrf::parts;
use super::response::page;
use super::{LocalFuture, handles};
use crate::SessionsPage;
use crate::bridge::Streamed;
use crate::engine::Handles;

/// A handler for all methods of its path: `web::route().to(SessionsPage::new())`.
impl Handler<(HttpRequest, Payload)> for SessionsPage {
    type Output = HttpResponse;
    type Future = LocalFuture<Self::Output>;

    fn call(&self, (request, payload): (HttpRequest, Payload)) -> Self::Future {
        let mut parts = parts(&request);
        parts.extensions = handles::of(&request, Handles::extensions);
        let answer = self.answer(Request::from_parts(parts, Streamed(payload.into_inner())));
        Box::pin(async move { page(&answer.await) })
    }
}
