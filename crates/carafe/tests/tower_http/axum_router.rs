//! The visit in axum's `Router`.

use std::time::Duration;

use axum::Router;
use axum::routing::any_service;
use http_body_util::Full;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::services::ServeDir;
use tower_http::timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;

use crate::app::{App, TOO_SLOW, csrf, sessions, visit};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_router_takes_each_stack() {
    for sessions in sessions() {
        let outer = ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(CatchPanicLayer::new())
            .layer(CompressionLayer::new())
            .layer(RequestBodyLimitLayer::new(1000))
            .layer(RequestBodyTimeoutLayer::new(LONG))
            .layer(ResponseBodyTimeoutLayer::new(LONG))
            .layer(TimeoutLayer::with_status_code(TOO_SLOW, LONG))
            .layer(sessions)
            .layer(csrf());
        let inner = ServiceBuilder::new()
            .layer(RequestBodyLimitLayer::new(1000))
            .layer(CompressionLayer::new());
        let app = Router::new()
            .fallback_service(any_service(App::new(Full::new)))
            .nest_service("/files", ServeDir::new("."))
            .layer(inner)
            .layer(outer);
        visit(app).await;
    }
}
