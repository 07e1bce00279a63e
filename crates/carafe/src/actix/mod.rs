//! The layers as middleware for actix-web, the extractors, and errors as its responses.
//!
//! What there is to decide is decided elsewhere: here types of actix-web, which go with http 0.2,
//! become those of http 1, and back.

mod csrf;
mod extract;
mod handles;
mod middleware;
mod response;
#[cfg(feature = "sessions-page")]
mod sessions_page;

use std::future::Future;
use std::pin::Pin;

/// What actix-web waits for: each worker has one thread, so that nothing has to be `Send`.
type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;
