//! The operations and pages of Flask-Login.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use carafe::flask_login::{ClientAddress, FlaskLogin, Protection};
use carafe::http::{Response, StatusCode};
use carafe::value::{Dict, Value};
use carafe::{Error, Session};

use crate::answer;
use crate::operations::null;

/// Logins as Flask-Login 0.6.3 has them, with the settings of the environment: a user exists for each id
/// of digits.
pub(crate) fn settings(protection: Protection) -> Result<FlaskLogin, Error> {
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let settings = FlaskLogin::default()
        .protection(protection)
        .address(ClientAddress::FirstForwarded)
        .peer(|extensions| {
            extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
        })
        .user_ids(is_number);
    settings.from_prefixed_env()
}

/// Runs one of the operations; `None` if the name is of none of them.
pub(crate) fn apply(
    session: &Session,
    name: &str,
    arguments: &[Value],
) -> Option<Result<Value, &'static str>> {
    Some(match (name, arguments) {
        ("fl_login", [id, Value::Bool(remember)]) => null(log_in(session, &id_of(id)?, *remember)),
        ("fl_logout", []) => null(session.logout()),
        ("fl_confirm", []) => null(session.confirm_login()),
        ("fl_user", []) => Ok(user(session)),
        _ => return None,
    })
}

fn id_of(id: &Value) -> Option<String> {
    match id {
        Value::Text(id) => id.as_str().map(str::to_owned),
        Value::Int(id) => Some(id.to_string()),
        _ => None,
    }
}

fn log_in(session: &Session, id: &str, remember: bool) -> Result<(), Error> {
    session.login(id)?;
    if remember { session.remember_login(None) } else { Ok(()) }
}

fn user(session: &Session) -> Value {
    let id = session.user().map_or(Value::Null, Value::from);
    Value::from(Dict::from([("id", id), ("fresh", session.login_is_fresh().into())]))
}

/// `GET /fl_protected`
pub(crate) fn protected(session: &Session) -> Response<String> {
    page(session.user().is_some())
}

/// `GET /fl_fresh`
pub(crate) fn fresh(session: &Session) -> Response<String> {
    page(session.user().is_some() && session.login_is_fresh())
}

fn page(is_allowed: bool) -> Response<String> {
    match is_allowed {
        true => answer::text(StatusCode::OK, answer::PLAIN),
        false => answer::text(StatusCode::UNAUTHORIZED, "log in first"),
    }
}
