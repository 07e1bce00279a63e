//! Logins that a Flask site with Flask-Login shares, from outside. What Flask-Login itself does is
//! compared in `interop/login_differential.py`.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod app;
mod cookies;
mod protection;
mod stores;
