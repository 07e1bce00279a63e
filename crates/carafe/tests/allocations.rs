//! What a layer costs a request that has no cookie, in allocations.
//!
//! A program of its own, since it replaces the allocator by one that counts.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use carafe::{SecretKey, Session, SessionLayer};
use tower::Service as _;

fn layer() -> SessionLayer {
    SessionLayer::flask(SecretKey::new("a key for these tests").unwrap())
}

/// The allocations of one request, its first ones apart: they fill what is kept for later.
fn allocations(mut app: Router, path: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut counts = (0..5).map(|_| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let info = allocation_counter::measure(|| {
            let response: Result<Response, Infallible> = runtime.block_on(app.call(request));
            assert_eq!(response.unwrap().status(), 200);
        });
        info.count_total
    });
    let first = counts.next().unwrap();
    let later: Vec<u64> = counts.collect();
    assert!(later.iter().all(|count| *count == later[0] && *count <= first), "{later:?}");
    later[0]
}

#[test]
fn a_request_without_a_cookie_costs_three_allocations_at_most() {
    let routes = || Router::new().route("/", get(async || "hello"));
    let bare = allocations(routes().layer(tower::layer::util::Identity::new()), "/");
    let ours = allocations(routes().layer(layer()), "/");
    assert!(bare > 0, "the allocator counts");
    assert!(ours <= bare + 3, "{ours} allocations with the layer, {bare} without");
}

#[test]
fn looking_into_an_empty_session_costs_none() {
    let read = get(async |session: Session| {
        assert!(!session.contains("username"));
        "hello"
    });
    let plain = Router::new().route("/", get(async || "hello")).layer(layer());
    let plain = allocations(plain, "/");
    let reading = allocations(Router::new().route("/", read).layer(layer()), "/");
    assert!(reading <= plain, "{reading} allocations where it is read, {plain} elsewhere");
}
