//! The answers, for all servers.

use carafe::http::{Response, StatusCode, header};
use carafe::value::{Dict, Value};
use carafe::{Error, ErrorKind, LazySession, Session};

use crate::operations::{self, Outcome};

/// `GET /op`: the operations are in the query, as a list or in the form of a body.
pub(crate) async fn get_op(session: &LazySession, ops: &[u8]) -> Result<Response<String>, Error> {
    match Value::from_tagged_json(ops) {
        Ok(Value::List(ops)) => run(session, ops).await,
        Ok(Value::Dict(body)) => run_body(session, body).await,
        _ => Ok(bad_request()),
    }
}

/// `POST /op`
pub(crate) async fn post_op(session: &LazySession, body: &[u8]) -> Result<Response<String>, Error> {
    match Value::from_tagged_json(body) {
        Ok(Value::Dict(body)) => run_body(session, body).await,
        _ => Ok(bad_request()),
    }
}

/// `GET /read`
pub(crate) fn read(session: &Session) -> Result<String, Error> {
    match session.get("username")? {
        // Flask's view returns what is there, and Flask answers with text alone.
        Some(Value::Uuid(_) | Value::DateTime(_)) => {
            Err(Error::new(ErrorKind::Type, "the session's username is no text"))
        }
        _ => Ok(session.get("username")?.unwrap_or_else(|| "-".to_owned())),
    }
}

/// `GET /plain`
pub(crate) const PLAIN: &str = "ok";

async fn run_body(session: &LazySession, mut body: Dict) -> Result<Response<String>, Error> {
    match body.remove("ops") {
        Some(Value::List(ops)) => run(session, ops).await,
        _ => Ok(bad_request()),
    }
}

async fn run(session: &LazySession, ops: Vec<Value>) -> Result<Response<String>, Error> {
    Ok(match operations::run(session, ops).await? {
        Outcome::Done { status, results } => {
            let body = Value::from(Dict::from([("results", Value::List(results))]));
            page(status, "application/json", body.to_tagged_json()?)
        }
        Outcome::Failed => text(StatusCode::INTERNAL_SERVER_ERROR, "failed as told"),
        Outcome::Malformed => bad_request(),
    })
}

pub(crate) fn bad_request() -> Response<String> {
    text(StatusCode::BAD_REQUEST, "the operations must be a JSON list")
}

pub(crate) fn text(status: StatusCode, text: &str) -> Response<String> {
    page(status, "text/plain; charset=utf-8", text.to_owned())
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let mut page = Response::new(body);
    *page.status_mut() = status;
    let content_type = header::HeaderValue::from_static(content_type);
    page.headers_mut().insert(header::CONTENT_TYPE, content_type);
    page
}
