//! Logins that are shared with a Flask site, from outside. `interop/login_differential.py` compares
//! them with Flask-Login itself.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod app;
mod cookies;
mod protection;
mod stores;
