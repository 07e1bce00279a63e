//! The promises of SECURITY.md that no other test shows.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod cookies;
mod life;
mod logs;
mod names;
mod table;
mod tokens;
mod visitor;
