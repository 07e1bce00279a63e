//! The layer and the extractors, from outside: what an application and its visitors see.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod closed;
mod concurrency;
mod conflict;
mod connection;
mod cookies;
mod debug;
mod environment;
mod errors;
mod lazy;
mod mistyped;
mod optional;
mod panics;
mod reading;
mod settings;
mod shapes;
mod size;
mod typed;
mod typed_serde;
mod users;
mod writing;
