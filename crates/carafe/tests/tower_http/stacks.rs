//! Each layer of tower-http's above, between and below the session's and the tokens'.

use std::time::Duration;

use http_body_util::Full;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer, TimeoutLayer};
use tower_http::trace::TraceLayer;

use crate::app::{App, TOO_SLOW, csrf, sessions, visit};

const LONG: Duration = Duration::from_secs(60);

macro_rules! stacks {
    ($($name:ident: $layer:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            for sessions in sessions() {
                let app = App::new(Full::new);
                let above = ServiceBuilder::new().layer($layer).layer(sessions.clone());
                visit(above.layer(csrf()).service(app.clone())).await;
                let between = ServiceBuilder::new().layer(sessions.clone()).layer($layer);
                visit(between.layer(csrf()).service(app.clone())).await;
                let below = ServiceBuilder::new().layer(sessions).layer(csrf());
                visit(below.layer($layer).service(app)).await;
            }
        }
    )*};
}
stacks! {
    compression: CompressionLayer::new();
    trace: TraceLayer::new_for_http();
    catch_panic: CatchPanicLayer::new();
    timeout: TimeoutLayer::with_status_code(TOO_SLOW, LONG);
    request_body_limit: RequestBodyLimitLayer::new(1000);
    request_body_timeout: RequestBodyTimeoutLayer::new(LONG);
    response_body_timeout: ResponseBodyTimeoutLayer::new(LONG);
}

/// A body under `ResponseBodyTimeoutLayer` has no default, which a `TimeoutLayer` above it needs.
#[tokio::test]
async fn all_of_them() {
    for sessions in sessions() {
        let above = ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(CatchPanicLayer::new())
            .layer(ResponseBodyTimeoutLayer::new(LONG))
            .layer(TimeoutLayer::with_status_code(TOO_SLOW, LONG))
            .layer(RequestBodyTimeoutLayer::new(LONG))
            .layer(RequestBodyLimitLayer::new(1000))
            .layer(CompressionLayer::new());
        let below = ServiceBuilder::new()
            .layer(CompressionLayer::new())
            .layer(RequestBodyLimitLayer::new(1000))
            .layer(RequestBodyTimeoutLayer::new(LONG))
            .layer(TimeoutLayer::with_status_code(TOO_SLOW, LONG))
            .layer(CatchPanicLayer::new())
            .layer(TraceLayer::new_for_http());
        let stack = above.layer(sessions).layer(csrf()).layer(below.into_inner());
        visit(stack.service(App::new(Full::new))).await;
    }
}
