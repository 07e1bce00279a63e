//! The acceptance cases of Flask's own tests of its session, written anew against Carafe and under
//! the same names. `docs/flask-tests.md` lists them all.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod attributes;
mod flash;
mod json_tag;
mod lifetime;
mod session;
mod size;
mod vary;
