//! Whole requests through an application on actix-web, in process: no socket and no server.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use actix_session::SessionMiddleware;
use actix_session::config::CookieContentSecurity;
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::Key;
use actix_web::http::header::SET_COOKIE;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{ServiceConfig, get, post};
use actix_web::{App, dev::Service};
use carafe::config::Compression;
use carafe::{SecretKey, Session, SessionLayer};

use crate::KEY;
use crate::subject::Subject;

/// An operation on a session, and the request that does it.
const TASKS: [(&str, &str); 2] = [("read", "/session"), ("login", "/login")];

/// Every task without a session, with Carafe's and with actix-session's.
#[must_use]
pub fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (task, path) in TASKS {
        let app = App::new().configure(bare);
        subjects.push(subject(format!("actix-bare-{task}"), path, now(init_service(app))));
        let app = App::new().configure(carafe).wrap(layer());
        subjects.push(subject(format!("actix-carafe-{task}"), path, now(init_service(app))));
        let key = Key::from(KEY.repeat(2).as_bytes());
        let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key)
            .cookie_content_security(CookieContentSecurity::Signed)
            .build();
        let app = App::new().configure(actix_session).wrap(sessions);
        subjects.push(subject(format!("actix-session-{task}"), path, now(init_service(app))));
    }
    subjects
}

/// Requests to a path. Those that aren't logins come with the cookie of one.
fn subject<S, B>(name: String, path: &'static str, app: S) -> Subject
where
    S: Service<
            actix_http::Request,
            Response = actix_web::dev::ServiceResponse<B>,
            Error = actix_web::Error,
        > + 'static,
    B: 'static,
{
    let send = move |path, cookie: Option<&str>| {
        let request = if path == "/login" { TestRequest::post() } else { TestRequest::get() };
        let mut request = request.uri(path).insert_header(("host", "localhost"));
        if let Some(cookie) = cookie {
            request = request.insert_header(("cookie", cookie));
        }
        let response = now(app.call(request.to_request())).expect("the handlers don't fail");
        assert!(response.status().is_success(), "answered {}", response.status());
        response
    };
    let login = send("/login", None);
    let cookie = login.headers().get(SET_COOKIE).filter(|_| path != "/login");
    let cookie = cookie.and_then(|line| line.to_str().ok()?.split(';').next().map(str::to_owned));
    drop(login);
    Subject::new(name, move || send(path, cookie.as_deref()))
}

/// The result of a future that is ready at once, as all futures are here.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the answer isn't there"),
    }
}

/// Signed sessions in a cookie with all the attributes that actix-session's has.
fn layer() -> SessionLayer {
    let key = SecretKey::new(KEY).expect("the key isn't empty");
    let layer = SessionLayer::signed(key).expect("the key is long");
    layer.configure(|config| config.compression(Compression::Never)).expect("the settings are good")
}

fn bare(app: &mut ServiceConfig) {
    app.route("/session", get().to(async || "admin"));
    app.route("/login", post().to(async || "Hello"));
}

fn carafe(app: &mut ServiceConfig) {
    async fn read(session: Session) -> Result<String, carafe::Error> {
        Ok(session.get("username")?.unwrap_or_default())
    }
    async fn login(session: Session) -> Result<&'static str, carafe::Error> {
        session.insert("username", "admin")?;
        Ok("Hello")
    }
    app.route("/session", get().to(read)).route("/login", post().to(login));
}

fn actix_session(app: &mut ServiceConfig) {
    use actix_session::Session;
    async fn read(session: Session) -> actix_web::Result<String> {
        Ok(session.get::<String>("username")?.unwrap_or_default())
    }
    async fn login(session: Session) -> actix_web::Result<&'static str> {
        session.insert("username", "admin")?;
        Ok("Hello")
    }
    app.route("/session", get().to(read)).route("/login", post().to(login));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_answered() {
        let mut names = Vec::new();
        for mut subject in subjects() {
            subject.run(2);
            names.push(subject.name);
        }
        assert!(names.contains(&"actix-carafe-login".to_owned()), "{names:?}");
    }
}
