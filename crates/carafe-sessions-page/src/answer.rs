//! The answers of the page.

use std::sync::Arc;

use bytes::Bytes;
use carafe::csrf::Csrf;
use carafe::{Error, LazySession, Session};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;

use super::form::{Form, Target};
use super::html;
use super::part::{self, Part};
use super::settings::Settings;

type Answer = Response<Bytes>;

/// The query with which users are asked to confirm who they are before the page is shown.
const CONFIRM: &str = "confirm";
/// The page with that query.
const TO_CONFIRM: HeaderValue = HeaderValue::from_static("?confirm");

pub(super) async fn request<B: Body>(settings: Arc<Settings>, request: Request<B>) -> Answer {
    let (parts, body) = request.into_parts();
    let answer = match parts.method {
        Method::GET | Method::HEAD => show(&settings, &parts).await,
        Method::POST => end(&settings, &parts, body).await,
        _ => Ok(method_not_allowed()),
    };
    let mut answer = answer.unwrap_or_else(Response::from);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Shows a user's sessions.
async fn show(settings: &Settings, request: &Parts) -> Result<Answer, Error> {
    let extensions = &request.extensions;
    let session = LazySession::from_extensions(extensions)?.open().await?;
    session.current_user()?;
    if let Some(max_age) = settings.max_age.filter(|_| request.uri.query() == Some(CONFIRM)) {
        session.fresh_user(max_age)?;
    }
    let mut sessions = session.sessions().await?;
    // The current session comes first, then the one that was used last.
    sessions.sort_by_key(|session| !session.current);
    let field = Csrf::of_request(extensions).await?.field()?;
    let part = Part::of(&sessions, part::asked_for(request.uri.query()));
    Ok(page(settings, html::sessions(settings, &part, &field)))
}

/// Ends sessions of a user.
async fn end(settings: &Settings, request: &Parts, body: impl Body) -> Result<Answer, Error> {
    let session = LazySession::from_extensions(&request.extensions)?.open().await?;
    session.current_user()?;
    let csrf = Csrf::of_request(&request.extensions).await?;
    let Some(form) = Form::read(body, csrf.field_name()).await else {
        return Ok(plain(StatusCode::BAD_REQUEST));
    };
    let token = form.token.as_deref().unwrap_or_default();
    csrf.verify(token, &request.headers).await?;
    let Some(target) = form.target else {
        return Ok(plain(StatusCode::BAD_REQUEST));
    };
    let ends_others = match target {
        Target::One(id) => session.public_id() != Some(id),
        Target::Others | Target::All => true,
    };
    if ends_others && settings.max_age.is_some_and(|max_age| !session.is_fresh(max_age)) {
        return Ok(redirect(TO_CONFIRM));
    }
    let to = match end_target(&session, target).await? {
        true => settings.home.header.clone(),
        false => part_of(request),
    };
    Ok(redirect(to))
}

/// The part of the page that a button was on, wherever the page is mounted.
fn part_of(request: &Parts) -> HeaderValue {
    let query = part::query(part::asked_for(request.uri.query()));
    // A number and a name are a header's value.
    HeaderValue::try_from(query).unwrap_or(HeaderValue::from_static("?"))
}

/// Ends the chosen sessions; returns whether the session that asked was one of them.
async fn end_target(session: &Session, target: Target) -> Result<bool, Error> {
    match target {
        Target::One(id) => {
            let own = session.public_id() == Some(id);
            // A session that has ended meanwhile is no error.
            session.revoke(id).await?;
            Ok(own)
        }
        Target::Others => {
            session.logout_others().await?;
            Ok(false)
        }
        Target::All => {
            session.logout_everywhere().await?;
            Ok(true)
        }
    }
}

fn page(settings: &Settings, html: String) -> Answer {
    let mut answer = Response::new(Bytes::from(html));
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, html::policy(settings)),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn redirect(to: HeaderValue) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    answer.headers_mut().insert(LOCATION, to);
    answer
}

fn method_not_allowed() -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED);
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    answer
}

/// A status and its name.
fn plain(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::from(status.canonical_reason().unwrap_or_default()));
    *answer.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, text);
    answer
}
