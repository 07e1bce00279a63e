//! The page of a user's sessions, from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../../carafe/tests/support/client.rs"]
#[allow(dead_code, reason = "the tests of carafe use all of it")]
mod support;

mod app;
mod ending;
mod failing;
mod forgery;
mod fresh;
#[cfg(feature = "actix")]
mod on_actix;
mod showing;
mod tower;
