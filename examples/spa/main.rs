//! A page that does everything by `fetch`, and its API on another origin: CORS, and CSRF tokens in a
//! header.
//!
//! ```sh
//! cargo run --example spa    # then open http://localhost:5000, whose API is http://localhost:5001
//! ```
//!
//! `--listen ADDRESS` and `--api ADDRESS` say where the two listen, `SECRET_KEY` is the key. Both must
//! be of one site, as `https://app.example.org` and `https://api.example.org` are: browsers keep the
//! cookies of other sites from pages.
#![forbid(unsafe_code)]

mod api;

use std::net::SocketAddr;

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::Html;
use axum::routing::get;
use carafe::SecretKey;
use tokio::net::TcpListener;

/// The page, which has to know where its API is.
fn page(api: &str) -> Router {
    let html = Html(include_str!("index.html").replace("{api}", api));
    let policy = format!("default-src 'self'; connect-src {api}; frame-ancestors 'none'");
    Router::new()
        .route("/", get(async || ([(CONTENT_SECURITY_POLICY, policy)], html)))
        .route("/spa.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("spa.js"))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let argument = |name: &str| std::env::args().skip_while(|other| other != name).nth(1);
    let bind = async |name: &str, default: &str| {
        let address = argument(name).unwrap_or_else(|| default.to_owned());
        let listener = TcpListener::bind(&address).await;
        listener.map_err(|error| format!("can't listen on {address}: {error}"))
    };
    let page_listener = bind("--listen", "127.0.0.1:5000").await?;
    let api_listener = bind("--api", "127.0.0.1:5001").await?;
    let origin = |address: SocketAddr| format!("http://localhost:{}", address.port());
    let page_origin = origin(page_listener.local_addr()?);
    let api_origin = origin(api_listener.local_addr()?);

    let api = api::router(SecretKey::from_env_or_random()?, &page_origin)?;
    println!("listening on {page_origin}, with the API on {api_origin}");
    tokio::try_join!(async { axum::serve(page_listener, page(&api_origin)).await }, async {
        axum::serve(api_listener, api).await
    },)?;
    Ok(())
}
