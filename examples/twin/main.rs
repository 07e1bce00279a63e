//! The same small server as `interop/twin.py`, written with Carafe: whatever is sent to both must
//! be answered alike.
#![forbid(unsafe_code)]

mod arguments;
mod operations;
mod servers;
mod stores;

use std::process::ExitCode;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use carafe::{Dict, Error, LazySession, Session, Value};

use arguments::Arguments;
use operations::Outcome;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
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
    let app = Router::new()
        .route("/op", get(get_op).post(post_op))
        .route("/read", get(read))
        .route("/plain", get(|| async { "ok" }))
        .layer(arguments.layer()?);
    let listener = tokio::net::TcpListener::bind(&arguments.listen)
        .await
        .map_err(|error| format!("can't listen on {}: {error}", arguments.listen))?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}

#[derive(serde::Deserialize)]
struct Ops {
    ops: String,
}

async fn get_op(session: LazySession, Query(query): Query<Ops>) -> Response {
    match Value::from_tagged_json(query.ops.as_bytes()) {
        Ok(Value::List(ops)) => answer(session, ops).await,
        Ok(Value::Dict(body)) => answer_body(session, body).await,
        _ => bad_request(),
    }
}

async fn post_op(session: LazySession, body: Bytes) -> Response {
    match Value::from_tagged_json(&body) {
        Ok(Value::Dict(body)) => answer_body(session, body).await,
        _ => bad_request(),
    }
}

async fn answer_body(session: LazySession, mut body: Dict) -> Response {
    match body.remove("ops") {
        Some(Value::List(ops)) => answer(session, ops).await,
        _ => bad_request(),
    }
}

fn bad_request() -> Response {
    (StatusCode::BAD_REQUEST, "the operations must be a JSON list").into_response()
}

async fn answer(session: LazySession, ops: Vec<Value>) -> Response {
    match operations::run(&session, ops).await {
        Ok(Outcome::Done { status, results }) => {
            let body = Value::from(Dict::from([("results", Value::List(results))]));
            match body.to_tagged_json() {
                Ok(json) => (status, [("content-type", "application/json")], json).into_response(),
                Err(error) => error.into_response(),
            }
        }
        Ok(Outcome::Failed) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "failed as told").into_response()
        }
        Ok(Outcome::Malformed) => bad_request(),
        Err(error) => error.into_response(),
    }
}

async fn read(session: Session) -> Result<String, Error> {
    Ok(session.get("username")?.unwrap_or_else(|| "-".to_owned()))
}
