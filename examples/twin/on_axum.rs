//! The twin on axum.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use carafe::{LazySession, Session, SessionLayer};
use tokio::signal::unix::{SignalKind, signal};

use crate::{answer, flask_logins};

pub(crate) async fn serve(
    listener: std::net::TcpListener,
    layer: SessionLayer,
    announcement: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new()
        .route("/op", get(get_op).post(post_op))
        .route("/read", get(async |session: Session| answer::read(&session)))
        .route("/fl_protected", get(async |session: Session| flask_logins::protected(&session)))
        .route("/fl_fresh", get(async |session: Session| flask_logins::fresh(&session)))
        .route("/plain", get(async || answer::PLAIN))
        .layer(layer)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (ending, end) = tokio::sync::oneshot::channel();
    println!("{announcement}");
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        terminate.recv().await;
        // If the server has ended, its receiver is gone, which is no error.
        let _ = ending.send(());
    });
    tokio::select! {
        result = serving => result?,
        () = patience(end) => {}
    }
    Ok(())
}

/// Ends some time after the server was told to: a client that never finishes its request would hold
/// it for ever. actix-web does the same by itself.
async fn patience(end: tokio::sync::oneshot::Receiver<()>) {
    if end.await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
}

#[derive(serde::Deserialize)]
struct Ops {
    ops: String,
}

async fn get_op(session: LazySession, Query(query): Query<Ops>) -> Response {
    answer::get_op(&session, query.ops.as_bytes()).await.into_response()
}

async fn post_op(session: LazySession, body: Bytes) -> Response {
    answer::post_op(&session, &body).await.into_response()
}
