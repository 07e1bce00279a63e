//! One application and one visit to it, on axum, on actix-web and on tower alone.
#![cfg(all(feature = "axum", feature = "actix"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod actix_errors;
mod actix_layers;
mod browser;
mod caching;
mod duplicates;
mod ended;
mod flashes;
mod lifetimes;
mod logins;
mod members;
mod nested;
mod on_actix;
mod on_axum;
mod on_tower;
mod outage;
mod remembered;
mod shop;
mod slow;
#[cfg(feature = "metrics")]
mod telemetry;
mod uploads;
mod users;
mod visit;

#[path = "../support/log.rs"]
#[allow(dead_code, reason = "other test programs use more of it")]
mod log;

use carafe::SessionLayer;
use carafe::store::MemoryStore;

use crate::slow::Slow;

/// The layers of the tests: sessions in cookies, and in stores.
fn layers() -> [SessionLayer; 3] {
    let layer = || shop::layer(SessionLayer::flask(shop::key()));
    [layer(), layer().in_store(MemoryStore::new()), layer().in_store(Slow::default())]
}

#[tokio::test]
async fn on_axum() {
    for layer in layers() {
        visit::run(&on_axum::shop(layer)).await;
    }
}

#[tokio::test]
async fn on_actix() {
    for layer in layers() {
        visit::run(&on_actix::shop(layer).await).await;
    }
}

#[tokio::test]
async fn on_tower() {
    for layer in layers() {
        visit::run(&on_tower::shop(layer)).await;
    }
}
