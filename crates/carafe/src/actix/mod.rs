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

/// A future that need not be `Send`, since each worker of actix-web has one thread.
type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;
