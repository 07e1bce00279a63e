//! Why there is no page, and what is shown then.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::response::{IntoResponse, Redirect};
use minijinja::{Environment, context};

/// The failures of handlers.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The session failed, or no user is signed in.
    Session(carafe::Error),
    /// The signed-in user has no account any more.
    NoAccount,
    /// Something that visitors needn't know of: a template, the database, a hash.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::NoAccount => f.write_str("there is no such account any more"),
            Self::Internal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl From<carafe::Error> for Failure {
    fn from(error: carafe::Error) -> Self {
        Self::Session(error)
    }
}

macro_rules! internal {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Internal(error.into())
            }
        }
    )*};
}

internal!(
    minijinja::Error,
    rusqlite::Error,
    argon2::password_hash::Error,
    tokio::task::JoinError,
    tokio::sync::AcquireError
);

impl IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        match self {
            // The session layer makes the page: see `of_session`.
            Self::Session(error) => error.into_response(),
            Self::NoAccount => Redirect::to("/login").into_response(),
            Self::Internal(error) => {
                tracing::error!(error, "a request failed");
                page(StatusCode::INTERNAL_SERVER_ERROR).map(Into::into)
            }
        }
    }
}

/// The page for a failed session, for a visitor who isn't signed in, and for a form from another
/// site.
pub(crate) fn of_session(error: &carafe::Error) -> Response<String> {
    page(error.status())
}

/// The page for a status.
pub(crate) fn page(status: StatusCode) -> Response<String> {
    let (title, text) = match status {
        StatusCode::UNAUTHORIZED => ("You are not signed in", "Sign in, and try again."),
        StatusCode::FORBIDDEN => (
            "That form has expired",
            "It was loaded before you signed in or out, or comes from another site. Go back, \
             reload the page and send it again.",
        ),
        StatusCode::NOT_FOUND => ("There is no such page", "The address may be mistyped."),
        StatusCode::CONFLICT => (
            "That came at the same time as something else",
            "You may have signed out meanwhile. Nothing was changed: please try again.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "We can't reach your session",
            "This is a fault of ours. Nothing is lost: please try again in a moment.",
        ),
        _ => ("Something went wrong", "This is a fault of ours, and we will look into it."),
    };
    // The page needs neither the session nor any other part that may have failed.
    let template = include_str!("templates/error.html");
    let html = Environment::new()
        .render_named_str("error.html", template, context! { title, text })
        .unwrap_or_else(|_| title.to_owned());
    let mut response = Response::new(html);
    *response.status_mut() = status;
    let content_type = axum::http::HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
