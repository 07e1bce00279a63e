//! The page of a user's sessions, from outside.
#![cfg(all(feature = "axum", feature = "sessions-page", feature = "testing"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod app;
mod ending;
mod failing;
mod forgery;
#[cfg(feature = "actix")]
mod on_actix;
mod showing;
mod tower;
