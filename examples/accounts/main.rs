//! A site with accounts, as a real application has them: register, sign in, change the password,
//! see and end one's sessions.
//!
//! ```sh
//! cargo run --example accounts                       # then open http://localhost:5000
//! cargo run --example accounts -- --database accounts.db --store sqlite:sessions.db
//! ```
//!
//! | Option | |
//! |---|---|
//! | `--listen ADDRESS` | `127.0.0.1:5000`, or the port that `PORT` says |
//! | `--origin ORIGIN` | where browsers find the site, such as `https://site.example`; several are allowed |
//! | `--database FILE` | where accounts are kept; without it they end with the process |
//! | `--store memory` | sessions in memory: the default |
//! | `--store sqlite:FILE` | sessions in a file, which outlive the process |
//! | `--store redis://HOST:PORT` | sessions in Redis, for many processes; `redis-cluster://…`, too |
//! | `--store postgres://USER@HOST/DATABASE` | sessions in PostgreSQL, for many processes |
//! | `--store sealed` | sessions in encrypted cookies, and what was ended in memory |
//!
//! The key comes from `SECRET_KEY`; without one it is random, and sessions end with the process.
//! The cookie is `Secure`: over plain HTTP, browsers keep it from `localhost` alone, and Chromium from
//! `127.0.0.1` too.
//!
//! `site.rs` puts the layers together; `pages.rs` and `signing_in.rs` have the handlers.
#![forbid(unsafe_code)]

mod accounts;
mod arguments;
mod device;
mod failure;
mod pages;
mod passwords;
mod signing_in;
mod site;
#[cfg(test)]
mod tests;
mod visit;

use std::net::SocketAddr;
use std::process::ExitCode;

use accounts::Accounts;
use arguments::Arguments;
use carafe::SecretKey;
use carafe::csrf::CsrfLayer;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("accounts: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let listener = tokio::net::TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", arguments.listen))?;
    let port = listener.local_addr()?.port();

    let accounts = Accounts::open(arguments.database.as_deref())?;
    let csrf = CsrfLayer::new(arguments.origins(port))?;
    let site = site::router(accounts, arguments.store, csrf, SecretKey::from_env_or_random()?)?;

    println!("listening on http://localhost:{port}");
    // With the address of each visitor, which the list of sessions shows.
    let service = site.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}
