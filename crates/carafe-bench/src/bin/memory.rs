//! Sessions in memory, this library's and tower-sessions': bytes for each, and how long a login takes
//! while there are that many.
//!
//! `memory carafe|tower-sessions|none SESSIONS` fills one store and prints a line of tab-separated
//! numbers: bytes per session, logins per second, and the times in nanoseconds that half of the logins
//! and 99 of 100 of them take at most. Each runs in a process of its own, so that the memory of one is
//! not counted for the other.

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::{SecretKey, SessionLayer};
use http::{Request, StatusCode};
use tower::ServiceExt as _;

/// As many logins at once.
const CLIENTS: u64 = 8;
/// Logins that are timed, once the store is full.
const TIMED: u64 = 100_000;

/// Numbers the users.
static USERS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [subject, sessions] = arguments.as_slice() else {
        return Err("usage: memory carafe|tower-sessions|none SESSIONS".into());
    };
    let sessions: u64 = sessions.parse()?;
    let app = match subject.as_str() {
        "carafe" => carafe_app(usize::try_from(sessions + 2 * TIMED)?)?,
        "tower-sessions" => tower_sessions_app(),
        "none" => Router::new().route(
            "/login",
            get(async || {
                user();
            }),
        ),
        _ => return Err(format!("there is no {subject}").into()),
    };
    log_in(&app, TIMED / 10).await?;
    let before = resident()?;
    log_in(&app, sessions).await?;
    let bytes = resident()?.saturating_sub(before) as f64 / sessions as f64;
    let started = Instant::now();
    let mut times = log_in(&app, TIMED).await?;
    let rate = TIMED as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    let [half, most] = [50, 99].map(|percent| times[times.len() * percent / 100].as_nanos());
    println!("{bytes:.0}\t{rate:.0}\t{half}\t{most}");
    Ok(())
}

fn carafe_app(capacity: usize) -> Result<Router, carafe::Error> {
    let key = SecretKey::new("the key of the benchmark, which is long enough")?;
    let layer = SessionLayer::stored(MemoryStore::with_capacity(capacity), key)?;
    let login = async |session: carafe::Session| {
        session.login(user())?;
        session.insert("username", "admin")
    };
    Ok(Router::new().route("/login", get(login)).layer(layer))
}

fn tower_sessions_app() -> Router {
    let layer = tower_sessions::SessionManagerLayer::new(tower_sessions::MemoryStore::default());
    let login = async |session: tower_sessions::Session| {
        let done = async {
            session.cycle_id().await?;
            session.insert("user", user()).await?;
            session.insert("username", "admin").await
        };
        done.await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
    };
    Router::new().route("/login", get(login)).layer(layer)
}

/// Each login is of another user.
fn user() -> String {
    format!("user{}", USERS.fetch_add(1, Ordering::Relaxed))
}

/// Makes `count` logins, by several clients at once, and returns the time of each.
async fn log_in(app: &Router, count: u64) -> Result<Vec<Duration>, Box<dyn Error>> {
    let left = Arc::new(AtomicU64::new(count));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (app, left) = (app.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                let mut times = Vec::new();
                let next = |left: u64| left.checked_sub(1);
                while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok() {
                    let started = Instant::now();
                    let request =
                        Request::get("/login").body(Body::empty()).map_err(|e| e.to_string())?;
                    let response = app.clone().oneshot(request).await.map_err(|e| e.to_string())?;
                    times.push(started.elapsed());
                    if response.status() != StatusCode::OK {
                        return Err(format!("a login was answered {}", response.status()));
                    }
                    // Others get their turn, as they would while a request waits for its socket.
                    tokio::task::yield_now().await;
                }
                Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await??);
    }
    Ok(times)
}

/// The bytes of memory that this process holds, as Linux counts them.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
