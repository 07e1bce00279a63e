//! The page of a user's sessions as a handler.

use std::future::Future;
use std::pin::Pin;

use actix_web::web::Payload;
use actix_web::{Handler, HttpRequest, HttpResponse};
use carafe::actix::{http_request, http_response};

use super::SessionsPage;

/// A handler for all methods of its path: `web::route().to(SessionsPage::new())`.
impl Handler<(HttpRequest, Payload)> for SessionsPage {
    type Output = HttpResponse;
    type Future = Pin<Box<dyn Future<Output = HttpResponse>>>;

    fn call(&self, (request, payload): (HttpRequest, Payload)) -> Self::Future {
        let answer = self.answer(http_request(&request, payload));
        Box::pin(async move { http_response(&answer.await) })
    }
}
