//! A counter of visits with hyper and tower, without a framework.
//!
//! The session comes from the request's extensions, and an error becomes a response.
#![forbid(unsafe_code)]

use std::convert::Infallible;

use bytes::Bytes;
use carafe::http::{Method, Request, Response, StatusCode};
use carafe::{Error, SecretKey, Session, SessionLayer};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tower::{Layer as _, service_fn};

async fn route(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => {
            let session = Session::from_extensions(request.extensions()).await?;
            let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
            Ok(Response::new(Full::from(format!("This is your visit no. {visits}\n"))))
        }
        (&Method::POST, "/forget") => {
            Session::from_extensions(request.extensions()).await?.clear()?;
            Ok(Response::new(Full::from("Forgotten\n")))
        }
        _ => {
            let mut missing = Response::new(Full::from("There is no such page\n"));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            Ok(missing)
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let sessions = SessionLayer::flask(SecretKey::from_env_or_random()?);
    let service = sessions.layer(service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(route(request).await.unwrap_or_else(Response::from))
    }));
    let address = std::env::args().skip_while(|arg| arg != "--listen").nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("a connection failed: {error}");
            }
        });
    }
}
