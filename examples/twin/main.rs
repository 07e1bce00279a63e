//! The same small server as `interop/twin.py`, written with Carafe: whatever is sent to both must
//! be answered alike.
#![forbid(unsafe_code)]

mod answer;
mod arguments;
mod flask_logins;
mod logins;
mod on_actix;
mod on_axum;
mod operations;
mod servers;
mod stores;

use std::process::ExitCode;

use arguments::{Arguments, Server};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("twin: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let log = tracing_subscriber::fmt().with_max_level(arguments.log);
    log.with_writer(std::io::stderr).init();
    let layer = arguments.layer()?;
    let listener = std::net::TcpListener::bind(&arguments.listen)
        .map_err(|error| format!("can't listen on {}: {error}", arguments.listen))?;
    listener.set_nonblocking(true)?;
    let announcement = format!("listening on http://{}", listener.local_addr()?);
    match arguments.server {
        Server::Axum => on_axum::serve(listener, layer, &announcement).await,
        Server::Actix => on_actix::serve(listener, layer, &announcement).await,
    }
}
