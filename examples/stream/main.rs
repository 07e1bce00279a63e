//! A response that streams: what it changes in the session is saved before it begins.
//!
//! ```sh
//! cargo run --example stream
//! curl -N -c jar -b jar http://127.0.0.1:5000/export
//! ```
//!
//! The headers, and the cookie with them, go out before the first line of the stream. From there on
//! every change of the session is an error: it could be saved neither in a cookie nor, for sure, in
//! a store that a newer request may have written to. So a handler saves first and streams then.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use carafe::{Error, MemoryStore, SecretKey, Session, SessionLayer};
use futures_util::stream;

/// How many lines are streamed.
const LINES: u64 = 5;

async fn export(session: Session) -> Result<Body, Error> {
    let number = session.update_now("exports", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    session.insert("last_export", number)?;
    // Whatever becomes of the stream: from here on all of that is in the store.
    session.save().await?;
    Ok(Body::from_stream(stream::unfold(0, move |line| {
        let session = session.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let text = match line {
                0 => format!("This is your export no. {number}\n"),
                1..LINES => format!("line {line}\n"),
                // Reading goes on as long as there is a handle. Writing doesn't.
                LINES => match session.insert("last_line", line) {
                    Ok(()) => return None,
                    Err(error) => format!("Not saved: {error}\n"),
                },
                _ => return None,
            };
            Some((Ok::<_, Error>(Bytes::from(text)), line + 1))
        }
    })))
}

async fn index(session: Session) -> Result<String, Error> {
    let exports: Option<u64> = session.get("last_export")?;
    Ok(format!("You have made {} exports\n", exports.unwrap_or(0)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let key = SecretKey::from_env_or_random()?;
    let sessions = SessionLayer::flask(key).in_store(MemoryStore::new());
    let app = Router::new().route("/", get(index)).route("/export", get(export)).layer(sessions);
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
