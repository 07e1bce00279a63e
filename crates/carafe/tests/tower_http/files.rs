//! Files from a directory, with the layers around them.

use bytes::Bytes;
use carafe::{SecretKey, Session, SessionLayer};
use http::header::COOKIE;
use http::{Request, Response};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};
use tower_http::services::ServeDir;

use crate::app::{csrf, get, send, sessions};

fn files() -> ServeDir {
    ServeDir::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tower_http"))
}

#[tokio::test]
async fn a_file_is_served_below_the_layers() {
    for sessions in sessions() {
        let service = ServiceBuilder::new().layer(sessions).layer(csrf()).service(files());
        let request = || get("/files.rs").body(Full::<Bytes>::default()).unwrap();
        let answer = send(&service, request()).await;
        assert_eq!((answer.status, answer.text()), (200, include_str!("files.rs")));
        assert_eq!(answer.cookies(), "");

        let answer = send(&service, Request::post("/files.rs").body(Full::default()).unwrap());
        let answer = answer.await;
        assert_eq!((answer.status, answer.text()), (403, "<h1>Csrf</h1>"));
    }
}

/// In Flask's profile a permanent session is refreshed with a response that no handler made.
#[tokio::test]
async fn a_file_refreshes_a_permanent_session() {
    let layer = SessionLayer::flask(SecretKey::new("a key for these tests").unwrap());
    let begin = service_fn(async |request: Request<Full<Bytes>>| {
        let session = Session::from_extensions(request.extensions()).await?;
        session.set_permanent(true)?;
        Ok::<_, carafe::Error>(Response::new(Full::<Bytes>::default()))
    });
    let begin = ServiceBuilder::new().layer(layer.clone()).service(begin);
    let began = send(&begin, get("/").body(Full::default()).unwrap()).await;
    let service = ServiceBuilder::new().layer(layer).service(files());
    let request = get("/files.rs").header(COOKIE, began.cookies());
    let answer = send(&service, request.body(Full::<Bytes>::default()).unwrap()).await;
    assert_eq!((answer.status, answer.text()), (200, include_str!("files.rs")));
    assert!(answer.cookies().starts_with("session="));
}
