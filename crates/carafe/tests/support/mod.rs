//! What the integration tests share.
#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[cfg(feature = "axum")]
mod client;
mod log;
#[path = "../../../carafe-format/tests/support/mod.rs"]
mod vectors;

#[cfg(feature = "axum")]
pub(crate) use self::client::{Answer, Client, NOW, flask, in_session, key};
pub(crate) use self::log::Log;
pub(crate) use self::vectors::{hex, rows, text};
