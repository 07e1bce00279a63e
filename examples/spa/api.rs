//! The API: JSON, for one page on another origin.

use std::time::Duration;

use axum::Router;
use axum::extract::Json;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, Response};
use axum::routing::{get, post};
use carafe::csrf::{Csrf, CsrfLayer};
use carafe::store::MemoryStore;
use carafe::{CurrentUser, Error, SecretKey, SessionLayer, Typed};
use serde_json::{Value, json};
use tower_http::cors::CorsLayer;

/// The content of a user's session.
#[derive(serde::Serialize, serde::Deserialize, Default)]
struct Notes {
    notes: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Login {
    name: String,
}

#[derive(serde::Deserialize)]
struct Note {
    text: String,
}

/// The data of the page, and the token for its next request: a login and a logout change it.
fn state(notes: &Typed<Notes>, csrf: &Csrf) -> Result<Json<Value>, Error> {
    let user = notes.session().user();
    Ok(Json(json!({ "user": user, "notes": notes.notes, "csrf": csrf.token()? })))
}

async fn show(notes: Typed<Notes>, csrf: Csrf) -> Result<Json<Value>, Error> {
    state(&notes, &csrf)
}

/// Logs in the user of any name. A real application checks a password first, like the example
/// `accounts`.
async fn login(
    mut notes: Typed<Notes>,
    csrf: Csrf,
    Json(login): Json<Login>,
) -> Result<Json<Value>, Error> {
    notes.session().login(login.name)?;
    notes.reload()?;
    state(&notes, &csrf)
}

async fn add(
    _: CurrentUser,
    mut notes: Typed<Notes>,
    csrf: Csrf,
    Json(note): Json<Note>,
) -> Result<Json<Value>, Error> {
    notes.update(move |notes| notes.notes.push(note.text.clone()))?;
    state(&notes, &csrf)
}

async fn logout(mut notes: Typed<Notes>, csrf: Csrf) -> Result<Json<Value>, Error> {
    notes.session().logout()?;
    notes.reload()?;
    state(&notes, &csrf)
}

/// Errors are JSON, too. What went wrong is in the log, and not in the answer.
fn failure(error: &Error) -> Response<String> {
    let status = error.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(json!({ "error": reason }).to_string());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(crate) fn router(key: SecretKey, page: &str) -> Result<Router, Box<dyn std::error::Error>> {
    let cors = CorsLayer::new()
        // Only one origin is allowed, by name: scripts of other sites may neither read answers nor
        // send JSON.
        .allow_origin(HeaderValue::from_str(page)?)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE, HeaderName::from_static("x-csrf-token")])
        .max_age(Duration::from_secs(600));
    let sessions = SessionLayer::stored(MemoryStore::new(), key)?.on_error(failure);
    Ok(Router::new()
        .route("/state", get(show))
        .route("/login", post(login))
        .route("/notes", post(add))
        .route("/logout", post(logout))
        // From the inside to the outside: CORS comes last, so that the page can read errors, and
        // since the requests by which browsers ask for leave carry neither cookies nor tokens.
        .layer(CsrfLayer::new([page])?)
        .layer(sessions)
        .layer(cors))
}
