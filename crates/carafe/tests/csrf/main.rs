//! Protection against cross-site request forgery, from outside: what visitors and attackers see.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bodies;
mod clocks;
mod cookie;
mod life;
mod pages;
mod site;
mod token;
mod visitor;
mod wtf;

#[path = "../support/log.rs"]
#[allow(dead_code, reason = "other test programs use more of it")]
mod log;
