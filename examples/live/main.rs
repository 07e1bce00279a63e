//! A WebSocket and an event stream that end with their session, on axum and on actix-web.
//!
//! ```sh
//! SECRET_KEY=$(openssl rand -hex 32) cargo run --example live -- --store redis://127.0.0.1:6379
//! ```
//!
//! Open the page in two tabs, log in, and log out in one of them: the connections of the other are closed at
//! once, also if another process serves it. The guide `docs/live.md` explains how.
#![forbid(unsafe_code)]

mod arguments;
mod on_actix;
mod on_axum;
mod user;
mod websocket;

use std::time::Duration;

use arguments::{Arguments, Server};

/// The code with which a WebSocket is closed whose session has ended.
const SESSION_ENDED: u16 = 4001;

/// The code with which a WebSocket is closed that can't go on.
const SERVER_ERROR: u16 = 1011;

/// The time in which a client has to answer that its WebSocket is closed.
const LEAVE: Duration = Duration::from_secs(2);

const PAGE: &str = include_str!("page.html");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let sessions = arguments.sessions()?;
    let listener = std::net::TcpListener::bind(&arguments.listen)
        .map_err(|error| format!("can't listen on {}: {error}", arguments.listen))?;
    listener.set_nonblocking(true)?;
    let announcement = format!("listening on http://{}", listener.local_addr()?);
    match arguments.server {
        Server::Axum => on_axum::serve(listener, sessions, &announcement).await,
        Server::Actix => on_actix::serve(listener, sessions, &announcement).await,
    }
}
