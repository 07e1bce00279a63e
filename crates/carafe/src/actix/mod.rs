//! The layers as middleware for actix-web, extractors, errors as responses, and conversions to http 1.

mod csrf;
mod extract;
mod handles;
mod middleware;
mod response;

pub use self::csrf::http_request;
pub use self::response::http_response;

use std::future::Future;
use std::pin::Pin;

/// What actix-web waits for: each worker has one thread, so that nothing has to be `Send`.
type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;
