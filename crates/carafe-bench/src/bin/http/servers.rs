//! The servers on axum.

use std::error::Error;

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum_extra::extract::SignedCookieJar;
use axum_extra::extract::cookie::{Cookie, Key};
use carafe::{Compression, MemoryStore, SecretKey, SessionLayer};
use carafe_bench::KEY;
use carafe_sqlite::SqliteStore;
use tokio::net::TcpListener;

/// Serves one of the applications until the input ends. Its files are in the working directory.
pub(crate) fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let app = match name {
            "bare" => Router::new()
                .route("/session", get(async || "admin"))
                .route("/login", post(async || "Hello")),
            "carafe-flask" => carafe(SessionLayer::flask(key()?)),
            "carafe-signed" => carafe(
                SessionLayer::signed(key()?)?
                    .configure(|config| config.compression(Compression::Never))?,
            ),
            "carafe-sealed" => carafe(SessionLayer::sealed(key()?)?),
            "carafe-memory" => carafe(SessionLayer::stored(MemoryStore::new(), key()?)?),
            "carafe-sqlite" => {
                carafe(SessionLayer::stored(SqliteStore::open("sessions.db")?, key()?)?)
            }
            "tower-sessions-memory" => tower_sessions_app(),
            "signed-cookie-jar" => signed_cookie_jar(),
            _ => return Err(format!("there is no server {name}").into()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, app).with_graceful_shutdown(end_of_input()).await?;
        Ok(())
    })
}

/// Waits until whoever started the server closes its input, or is no more.
pub(crate) async fn end_of_input() {
    let read = || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|len| len > 0) {}
        // Connections that are kept alive would be waited for.
        std::process::exit(0)
    };
    let _ = tokio::task::spawn_blocking(read).await;
}

pub(crate) fn key() -> Result<SecretKey, carafe::Error> {
    SecretKey::new(KEY)
}

fn carafe(layer: SessionLayer) -> Router {
    use carafe::{Error, Session};
    async fn read(session: Session) -> Result<String, Error> {
        Ok(session.get("username")?.unwrap_or_default())
    }
    async fn login(session: Session) -> Result<&'static str, Error> {
        session.insert("username", "admin")?;
        Ok("Hello")
    }
    Router::new().route("/session", get(read)).route("/login", post(login)).layer(layer)
}

fn tower_sessions_app() -> Router {
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
    let layer = SessionManagerLayer::new(MemoryStore::default());
    Router::new().route("/session", get(read)).route("/login", post(login)).layer(layer)
}

#[derive(Clone)]
struct State(Key);

impl FromRef<State> for Key {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

fn signed_cookie_jar() -> Router {
    async fn read(jar: SignedCookieJar) -> String {
        jar.get("session").map(|cookie| cookie.value().to_owned()).unwrap_or_default()
    }
    async fn login(jar: SignedCookieJar) -> (SignedCookieJar, &'static str) {
        (jar.add(Cookie::new("session", "admin")), "Hello")
    }
    let key = Key::from(KEY.repeat(2).as_bytes());
    Router::new().route("/session", get(read)).route("/login", post(login)).with_state(State(key))
}
