//! The servers that are loaded: how they run, and Carafe's application.

use std::error::Error;

use axum::Router;
use axum::routing::{get, post};
use carafe::{Session, SessionLayer};
use tokio::net::TcpListener;

/// The variable of the environment that says how many threads work in a server.
pub const THREADS: &str = "CARAFE_BENCH_THREADS";

/// The number of threads that work in this server: two, unless it was started with another number.
#[must_use]
pub fn threads() -> usize {
    std::env::var(THREADS).ok().and_then(|threads| threads.parse().ok()).unwrap_or(2)
}

/// Serves what is made within the runtime, until the input ends; prints the address.
///
/// # Errors
/// If the application can't be made or its address can't be had.
pub fn serve<F>(app: impl FnOnce() -> F) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = Result<Router, Box<dyn Error>>>,
{
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(threads()).enable_all().build()?;
    runtime.block_on(async {
        let app = app().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, app).with_graceful_shutdown(end_of_input()).await?;
        Ok(())
    })
}

/// Waits until the process that started the server closes its input or ends, and ends this process.
pub async fn end_of_input() {
    let read = || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|len| len > 0) {}
        // Connections that are kept alive would be waited for.
        std::process::exit(0)
    };
    let _ = tokio::task::spawn_blocking(read).await;
}

/// An application on axum whose sessions are Carafe's.
pub fn carafe(layer: SessionLayer) -> Router {
    Router::new()
        .route("/session", get(read))
        .route("/login", post(login))
        .route("/visit", post(visit))
        .layer(layer)
}

/// Reads one key.
///
/// # Errors
/// If the session can't be had.
pub async fn read(session: Session) -> Result<String, carafe::Error> {
    Ok(session.get("username")?.unwrap_or_default())
}

/// Stores one key.
///
/// # Errors
/// If the session can't be had or written.
pub async fn login(session: Session) -> Result<&'static str, carafe::Error> {
    session.insert("username", "admin")?;
    Ok("Hello")
}

/// Counts.
///
/// # Errors
/// If the session can't be had or written.
pub async fn visit(session: Session) -> Result<String, carafe::Error> {
    let visits = session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
    Ok(visits.to_string())
}
