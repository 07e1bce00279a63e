//! The application on tower-sessions, with whatever store.

use std::error::Error;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_sessions::{Session, SessionManagerLayer, SessionStore};

const FAILED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

async fn read(session: Session) -> Result<String, StatusCode> {
    let name: Option<String> = session.get("username").await.map_err(|_| FAILED)?;
    Ok(name.unwrap_or_default())
}

async fn login(session: Session) -> Result<&'static str, StatusCode> {
    session.insert("username", "admin").await.map_err(|_| FAILED)?;
    Ok("Hello")
}

async fn visit(session: Session) -> Result<String, StatusCode> {
    let visits: Option<u64> = session.get("visits").await.map_err(|_| FAILED)?;
    let visits = visits.unwrap_or(0) + 1;
    session.insert("visits", visits).await.map_err(|_| FAILED)?;
    Ok(visits.to_string())
}

/// Serves until the input ends, and prints the address.
pub(crate) async fn serve(store: impl SessionStore + Clone) -> Result<(), Box<dyn Error>> {
    let app = Router::new()
        .route("/session", get(read))
        .route("/login", post(login))
        .route("/visit", post(visit))
        .layer(SessionManagerLayer::new(store));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(end_of_input()).await?;
    Ok(())
}

/// Waits until the process that started the server closes its input or ends.
async fn end_of_input() {
    let read = || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|len| len > 0) {}
        // Connections that are kept alive would be waited for.
        std::process::exit(0)
    };
    let _ = tokio::task::spawn_blocking(read).await;
}
