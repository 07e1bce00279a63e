//! The allocations that a layer adds to a request without a cookie.
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
use tower_http::trace::TraceLayer;

fn layer() -> SessionLayer {
    SessionLayer::flask(SecretKey::new("a key for these tests").unwrap())
}

#[derive(Clone)]
struct Marker<const N: usize>;

/// Makes the request's map of extensions so large that no layer's entry is the one for which it grows.
/// How many entries axum itself makes depends on its features.
fn make_room_for_extensions(request: &mut Request) {
    let extensions = request.extensions_mut();
    extensions.insert(Marker::<0>);
    extensions.insert(Marker::<1>);
    extensions.insert(Marker::<2>);
    extensions.insert(Marker::<3>);
    extensions.insert(Marker::<4>);
    extensions.insert(Marker::<5>);
    extensions.insert(Marker::<6>);
    extensions.insert(Marker::<7>);
    extensions.clear();
}

/// Counts the allocations of one request, after a first one has filled the caches.
fn allocations(mut app: Router, path: &str) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut counts = (0..5).map(|_| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        make_room_for_extensions(&mut request);
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

/// `TraceLayer` is the yardstick since it also has settings and a response body of its own: axum
/// allocates for each.
#[test]
fn a_request_without_a_cookie_costs_two_allocations_more_than_under_a_trace_layer() {
    let routes = || Router::new().route("/", get(async || "hello"));
    let traced = allocations(routes().layer(TraceLayer::new_for_http()), "/");
    let ours = allocations(routes().layer(layer()), "/");
    assert!(traced > 0, "the allocator counts");
    assert!(ours <= traced + 2, "{ours} allocations with the layer, {traced} with a trace layer");
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
