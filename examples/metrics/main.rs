//! The metrics of sessions, for Prometheus: `docs/telemetry.md` explains each.
//!
//! ```sh
//! cargo run --example metrics
//! curl http://localhost:5000/ http://localhost:9100/metrics
//! ```
//!
//! The metrics are on a port of their own (`--metrics ADDRESS`), which no client from outside
//! reaches.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use carafe::store::MemoryStore;
use carafe::{Error, SecretKey, Session, SessionLayer};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

async fn index(session: Session) -> Result<String, Error> {
    let visits = session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
    Ok(format!("This is your visit no. {visits}\n"))
}

fn app(key: SecretKey) -> Result<Router, Error> {
    Ok(Router::new()
        .route("/", get(index))
        .route("/logout", post(async |session: Session| session.logout()))
        .layer(SessionLayer::stored(MemoryStore::new(), key)?))
}

/// The page that Prometheus reads.
fn metrics(prometheus: PrometheusHandle) -> Router {
    Router::new().route("/metrics", get(async move || prometheus.render()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    carafe::metrics::describe();
    // Sums up what histograms collect, also while no scraper reads it.
    let upkeep = prometheus.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });

    let argument = |name: &str| std::env::args().skip_while(|other| other != name).nth(1);
    let bind = async |name: &str, default: &str| {
        let address = argument(name).unwrap_or_else(|| default.to_owned());
        let listener = TcpListener::bind(&address).await;
        listener.map_err(|error| format!("can't listen on {address}: {error}"))
    };
    let app_listener = bind("--listen", "127.0.0.1:5000").await?;
    let metrics_listener = bind("--metrics", "127.0.0.1:9100").await?;
    let app = app(SecretKey::from_env_or_random()?)?;
    println!(
        "listening on http://{}, metrics on http://{}/metrics",
        app_listener.local_addr()?,
        metrics_listener.local_addr()?
    );
    tokio::try_join!(async { axum::serve(app_listener, app).await }, async {
        axum::serve(metrics_listener, metrics(prometheus)).await
    },)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(app: &Router, path: &str) -> String {
        let response = app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        let body = to_bytes(response.await.unwrap().into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn prometheus_reads_what_happened() {
        let prometheus = PrometheusBuilder::new().install_recorder().unwrap();
        carafe::metrics::describe();
        let app = app(SecretKey::random().unwrap()).unwrap();
        assert_eq!(ask(&app, "/").await, "This is your visit no. 1\n");
        let page = ask(&metrics(prometheus), "/metrics").await;
        for line in [
            "# HELP carafe_sessions_created_total Sessions that were saved for the first time",
            "# TYPE carafe_sessions_created_total counter",
            "carafe_sessions_created_total 1",
            "carafe_sessions_opened_total{outcome=\"none\"} 1",
            "carafe_store_duration_seconds_count{operation=\"create\"} 1",
        ] {
            assert!(page.lines().any(|other| other == line), "no {line} in {page}");
        }
    }
}
