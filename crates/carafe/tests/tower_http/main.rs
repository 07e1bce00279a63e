//! The layers in one stack with tower-http's layers, over every kind of body.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod app;
mod axum_router;
mod bodies;
mod files;
mod replaced;
mod stacks;
