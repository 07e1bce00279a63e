//! The servers on axum.

use std::env;
use std::error::Error;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use axum_extra::extract::SignedCookieJar;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};
use carafe::config::Compression;
use carafe::store::MemoryStore;
use carafe::{SecretKey, SessionLayer};
use carafe_bench::{KEY, application, stored};
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use carafe_sqlite::SqliteStore;

/// As many sessions as are made in a long run.
const SESSIONS: usize = 50_000_000;

/// Serves one of the applications until the input ends. Its files are in the working directory.
pub(crate) fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    application::serve(async || {
        let layer = match name {
            "bare" => {
                return Ok(Router::new()
                    .route("/session", get(async || "admin"))
                    .route("/login", post(async || "Hello"))
                    .route("/visit", post(async || "1")));
            }
            "tower-sessions-memory" => return Ok(stored::tower_sessions()),
            "signed-cookie-jar" => return Ok(signed_cookie_jar()),
            "carafe-flask" => SessionLayer::flask(key()?),
            "carafe-signed" => SessionLayer::signed(key()?)?
                .configure(|config| config.compression(Compression::Never))?,
            "carafe-sealed" => SessionLayer::sealed(key()?)?,
            "carafe-memory" => SessionLayer::stored(MemoryStore::with_capacity(SESSIONS), key()?)?,
            "carafe-sqlite" => {
                let options = SqliteStore::options("carafe.db").readers(2);
                SessionLayer::stored(options.open()?, key()?)?
            }
            "carafe-redis" => {
                SessionLayer::stored(RedisStore::new(&env::var("CARAFE_REDIS_URL")?)?, key()?)?
            }
            "carafe-postgres" => {
                let options = PostgresStore::options(env::var("CARAFE_POSTGRES_URL")?);
                let options = options.pool_size(8).prepared_statements(true);
                SessionLayer::stored(options.open()?, key()?)?
            }
            _ => return Err(format!("there is no server {name}").into()),
        };
        Ok(application::carafe(layer))
    })
}

pub(crate) fn key() -> Result<SecretKey, carafe::Error> {
    Ok(SecretKey::new(KEY)?)
}

#[derive(Clone)]
struct State(Key);

impl FromRef<State> for Key {
    fn from_ref(state: &State) -> Self {
        state.0.clone()
    }
}

fn signed_cookie_jar() -> Router {
    /// With the attributes that a cookie of a login should have, and every other side's has.
    fn cookie(name: &'static str, value: String) -> Cookie<'static> {
        let cookie = Cookie::build((name, value)).path("/").secure(true).http_only(true);
        cookie.same_site(SameSite::Lax).build()
    }
    async fn read(jar: SignedCookieJar) -> String {
        jar.get("session").map(|cookie| cookie.value().to_owned()).unwrap_or_default()
    }
    async fn login(jar: SignedCookieJar) -> (SignedCookieJar, &'static str) {
        (jar.add(cookie("session", "admin".to_owned())), "Hello")
    }
    async fn visit(jar: SignedCookieJar) -> (SignedCookieJar, String) {
        let visits = jar.get("visits").and_then(|cookie| cookie.value().parse().ok());
        let visits = (visits.unwrap_or(0_u64) + 1).to_string();
        (jar.add(cookie("visits", visits.clone())), visits)
    }
    Router::new()
        .route("/session", get(read))
        .route("/login", post(login))
        .route("/visit", post(visit))
        .with_state(State(Key::from(KEY.repeat(2).as_bytes())))
}
