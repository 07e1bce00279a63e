//! Whole requests whose session is in a store, in process: of this library and of tower-sessions.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use carafe::store::MemoryStore;
use carafe::{Error, SecretKey, Session, SessionLayer};
use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use tokio::runtime::Runtime;

use crate::request::Requests;
use crate::subject::Subject;
use crate::{KEY, ours};

/// An operation on a session, and the request that does it.
const TASKS: [(&str, &str, &str); 4] = [
    ("read", "GET", "/session"),
    ("write", "POST", "/write"),
    ("login", "POST", "/login"),
    ("user-login", "POST", "/user-login"),
];

/// Every task, on Carafe's store in memory and, where its crate is there, on tower-sessions'.
///
/// # Panics
/// If a request fails.
#[must_use]
pub fn subjects() -> Vec<Subject> {
    let runtime = Arc::new(
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime without I/O can be built"),
    );
    let mut subjects = tasks("stored", carafe, &runtime);
    #[cfg(feature = "stores")]
    subjects.extend(tasks("tower-sessions", tower_sessions, &runtime));
    subjects
}

fn tasks(subject: &str, app: fn() -> Router, runtime: &Arc<Runtime>) -> Vec<Subject> {
    let task = |(task, method, path): (&str, &'static str, &'static str)| {
        let (runtime, mut requests) = (Arc::clone(runtime), Requests::new(app()));
        if !path.ends_with("login") {
            let entered = runtime.enter();
            let response = requests.send("POST", "/login");
            let cookie = response.headers()[SET_COOKIE].to_str().expect("cookies are ASCII");
            let cookie = cookie.split(';').next().unwrap_or_default();
            let header = HeaderValue::try_from(format!("{}; {cookie}", ours::OTHER_COOKIES));
            let header = header.expect("cookies are ASCII");
            requests.headers.insert(COOKIE, header);
            drop(entered);
        }
        Subject::new(format!("{subject}-{task}"), move || {
            let _entered = runtime.enter();
            let response = requests.send(method, path);
            assert!(response.status().is_success(), "a request was answered {}", response.status());
            response
        })
    };
    TASKS.map(task).into()
}

fn carafe() -> Router {
    async fn read(session: Session) -> Result<String, Error> {
        Ok(session.get("username")?.unwrap_or_default())
    }
    async fn login(session: Session) -> Result<&'static str, Error> {
        session.insert("username", "admin")?;
        Ok("Hello")
    }
    async fn user_login(session: Session) -> Result<&'static str, Error> {
        session.login("admin")?;
        session.insert("username", "admin")?;
        Ok("Hello")
    }
    async fn write(session: Session) -> Result<&'static str, Error> {
        session.insert("page", 7)?;
        Ok("Hello")
    }
    let key = SecretKey::new(KEY).expect("the key isn't empty");
    let store = MemoryStore::with_capacity(10_000_000);
    let layer = SessionLayer::stored(store, key).expect("the settings are good");
    Router::new()
        .route("/session", get(read))
        .route("/login", post(login))
        .route("/user-login", post(user_login))
        .route("/write", post(write))
        .layer(layer)
}

/// The application on tower-sessions, with its store in memory.
#[cfg(feature = "stores")]
pub fn tower_sessions() -> Router {
    use http::StatusCode;
    use tower_sessions::{MemoryStore, Session, SessionManagerLayer};
    const FAILED: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
    async fn read(session: Session) -> Result<String, StatusCode> {
        let name: Option<String> = session.get("username").await.map_err(|_| FAILED)?;
        Ok(name.unwrap_or_default())
    }
    async fn login(session: Session) -> Result<&'static str, StatusCode> {
        session.insert("username", "admin").await.map_err(|_| FAILED)?;
        Ok("Hello")
    }
    async fn user_login(session: Session) -> Result<&'static str, StatusCode> {
        session.cycle_id().await.map_err(|_| FAILED)?;
        session.insert("user", "admin").await.map_err(|_| FAILED)?;
        session.insert("username", "admin").await.map_err(|_| FAILED)?;
        Ok("Hello")
    }
    async fn write(session: Session) -> Result<&'static str, StatusCode> {
        session.insert("page", 7).await.map_err(|_| FAILED)?;
        Ok("Hello")
    }
    async fn visit(session: Session) -> Result<String, StatusCode> {
        let visits: Option<u64> = session.get("visits").await.map_err(|_| FAILED)?;
        let visits = visits.unwrap_or(0) + 1;
        session.insert("visits", visits).await.map_err(|_| FAILED)?;
        Ok(visits.to_string())
    }
    Router::new()
        .route("/session", get(read))
        .route("/login", post(login))
        .route("/user-login", post(user_login))
        .route("/write", post(write))
        .route("/visit", post(visit))
        .layer(SessionManagerLayer::new(MemoryStore::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_succeeds_again_and_again() {
        for mut subject in subjects() {
            subject.run(3);
        }
    }
}
