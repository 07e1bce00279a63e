//! The pages: what `interop/browser/shared_login.py` has on Flask.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use carafe::csrf::Csrf;
use carafe::{CurrentUser, Error, Session};

#[derive(serde::Deserialize)]
struct Login {
    username: String,
    remember: Option<String>,
    permanent: Option<String>,
}

/// The pages below a prefix.
pub(crate) fn router(prefix: &str) -> Router {
    let at = |path: &str| format!("{prefix}/{path}");
    Router::new()
        .route(&at(""), get(index))
        .route(&at("login"), post(log_in))
        .route(&at("confirm"), post(confirm))
        .route(&at("logout"), post(log_out))
        .route(&at("account"), get(account))
        .with_state(at(""))
}

async fn index(
    State(home): State<String>,
    user: Option<CurrentUser>,
    csrf: Csrf,
) -> Result<Html<String>, Error> {
    let token = csrf.field()?;
    let form = |action: &str, fields: &str| {
        format!(
            r#"<form method="post" action="{home}{action}">{token}{fields}<button id="{action}">{action}</button></form>"#
        )
    };
    let body = match user {
        // An id is made of digits, which need no escapes.
        Some(user) => {
            let fresh = if user.session().login_is_fresh() { "fresh" } else { "not fresh" };
            let forms = form("confirm", "") + &form("logout", "");
            format!("<p>User {}, {fresh}</p>{forms}", user.id())
        }
        None => {
            let fields = r#"<input name="username"><input name="remember" type="checkbox"><input name="permanent" type="checkbox">"#;
            format!("<p>Nobody</p>{}", form("login", fields))
        }
    };
    Ok(Html(format!("<!doctype html><title>Shared login</title>{body}")))
}

async fn log_in(
    State(home): State<String>,
    session: Session,
    Form(form): Form<Login>,
) -> Result<Response, Error> {
    // In place of a password.
    if form.username.is_empty() || !form.username.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    session.set_permanent(form.permanent.is_some())?;
    session.login(form.username)?;
    if form.remember.is_some() {
        session.remember_login(None)?;
    }
    Ok(Redirect::to(&home).into_response())
}

async fn confirm(State(home): State<String>, user: CurrentUser) -> Result<Redirect, Error> {
    user.session().confirm_login()?;
    Ok(Redirect::to(&home))
}

async fn log_out(State(home): State<String>, session: Session) -> Result<Redirect, Error> {
    session.logout()?;
    Ok(Redirect::to(&home))
}

async fn account(user: CurrentUser) -> String {
    format!("The account of {}", user.id())
}
