//! A server whose sessions are counted: it prints its address, and ends when its input does.
//!
//! A program of its own, since what counts is compiled in, or is not.

use std::error::Error;
use std::time::Duration;

use carafe::config::Compression;
use carafe::{SecretKey, SessionLayer};
use carafe_bench::{KEY, application};
use metrics_exporter_prometheus::PrometheusBuilder;

fn main() -> Result<(), Box<dyn Error>> {
    application::serve(async || {
        let prometheus = PrometheusBuilder::new().install_recorder()?;
        carafe::metrics::describe();
        // Sums up what histograms collect, also while no scraper reads it.
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                prometheus.run_upkeep();
            }
        });
        let layer = SessionLayer::signed(SecretKey::new(KEY)?)?
            .configure(|config| config.compression(Compression::Never))?;
        Ok(application::carafe(layer))
    })
}
