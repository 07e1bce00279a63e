//! The page of a user's sessions as a handler.

use std::pin::Pin;

use actix_web::web::Payload;
use actix_web::{Handler, HttpRequest, HttpResponse};
use bytes::Bytes;
use http::Request;

use super::csrf::{PayloadBody, parts};
use super::{handles, response};
use crate::SessionsPage;

/// A handler for all methods of its path: `web::route().to(SessionsPage::new())`.
impl Handler<(HttpRequest, Payload)> for SessionsPage {
    type Output = HttpResponse<Bytes>;
    type Future = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn call(&self, (request, payload): (HttpRequest, Payload)) -> Self::Future {
        let mut parts = parts(&request);
        parts.extensions = handles::of(&request);
        let body = PayloadBody(payload.into_inner());
        let answer = self.answer(Request::from_parts(parts, body));
        Box::pin(async move { response::page(&answer.await, []) })
    }
}
