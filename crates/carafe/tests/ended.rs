//! The end of sessions in cookies, as seen by waiting futures.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use carafe::engine::Sessions;
use carafe::store::MemoryStore;
use carafe::{Clock, Config, ErrorKind, SecretKey, Session, SessionEnded, UnixSeconds};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

/// The longest wait for the news of an end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The wait for an event that must not come.
const A_WHILE: Duration = Duration::from_millis(200);

/// An interval longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);

/// A site with sessions in cookies, and a browser that uses it.
struct Site {
    sessions: Sessions,
    clock: Clock,
    cookie: Option<String>,
}

impl Site {
    fn new(key: &SecretKey, config: Config, store: Option<&Arc<MemoryStore>>) -> Self {
        let clock = Clock::fixed(NOW);
        let sessions = Sessions::new(key.clone(), config).unwrap().with_clock(clock.clone());
        let sessions = match store {
            Some(store) => sessions.with_revocations(Arc::clone(store)),
            None => sessions,
        };
        Self { sessions, clock, cookie: None }
    }

    /// Sends a request whose handler runs `work`.
    async fn send<T>(&mut self, work: impl FnOnce(&Session) -> T) -> T {
        let request = self.sessions.request(self.cookie.as_deref());
        let done = work(&Session::open(&request).await.unwrap());
        let committed = request.commit().await.unwrap();
        if let Some((_, line)) = committed.lines().find(|(name, _)| *name == "set-cookie") {
            let line = std::str::from_utf8(line).unwrap();
            self.cookie = Some(line.split(';').next().unwrap().to_owned());
        }
        done
    }

    async fn log_in(&mut self, user: &str) {
        self.send(|session| session.login(user).unwrap()).await;
    }

    async fn wait(&mut self) -> JoinHandle<()> {
        tokio::spawn(self.send(Session::ended).await)
    }

    /// Returns another process with the same sessions, and a copy of the cookie.
    fn other(&self, key: &SecretKey, config: Config, store: &Arc<MemoryStore>) -> Self {
        Self { cookie: self.cookie.clone(), ..Self::new(key, config, Some(store)) }
    }
}

async fn is_told(waiting: JoinHandle<()>) {
    timeout(PATIENCE, waiting).await.unwrap().unwrap();
}

async fn nothing_is_told(waiting: &JoinHandle<()>) {
    sleep(A_WHILE).await;
    assert!(!waiting.is_finished(), "the session goes on");
}

fn configs() -> [Config; 2] {
    [Config::hardened(), Config::sealed()]
}

#[tokio::test]
async fn a_revoked_session_ends_what_waits_in_every_process() {
    for config in configs() {
        let (key, store) = (SecretKey::random().unwrap(), Arc::new(MemoryStore::new()));
        let config = config.watch_interval(NEVER);
        let mut here = Site::new(&key, config.clone(), Some(&store));
        here.log_in("ada").await;
        let mut there = here.other(&key, config, &store);
        // The session ends by a logout.
        let (one, two) = (here.wait().await, there.wait().await);
        nothing_is_told(&one).await;
        there.send(|session| session.logout().unwrap()).await;
        is_told(one).await;
        is_told(two).await;
        // A login replaces the session.
        here.log_in("ada").await;
        let waiting = here.wait().await;
        here.log_in("bob").await;
        is_told(waiting).await;
        // All sessions of the user end, and no other user's.
        let waiting = here.wait().await;
        there.log_in("ada").await;
        let other = there.wait().await;
        let end = |session: &Session| session.clone();
        let session = here.send(end).await;
        assert!(session.logout_everywhere().await.is_err(), "its response has begun");
        let request = here.sessions.request(here.cookie.as_deref());
        Session::open(&request).await.unwrap().logout_everywhere().await.unwrap();
        is_told(waiting).await;
        nothing_is_told(&other).await;
    }
}

#[tokio::test]
async fn a_store_that_tells_nothing_is_asked() {
    for config in configs() {
        let (key, store) = (SecretKey::random().unwrap(), Arc::new(MemoryStore::new()));
        let mut site = Site::new(&key, config.watch_interval(A_WHILE / 4), Some(&store));
        site.log_in("ada").await;
        let waiting = site.wait().await;
        nothing_is_told(&waiting).await;
        // After the cookie's life, the store need not be asked.
        site.clock.advance(31 * 86_400 + 1);
        is_told(waiting).await;
    }
}

#[tokio::test]
async fn without_revocations_a_session_in_a_cookie_only_expires() {
    for config in configs() {
        let config = config.watch_interval(A_WHILE / 4).lifetime(Duration::from_secs(100));
        let mut site = Site::new(&SecretKey::random().unwrap(), config, None);
        let never = site.wait().await;
        site.send(|session| session.insert("n", 1).unwrap()).await;
        let waiting = site.wait().await;
        site.send(|session| session.logout().unwrap()).await;
        site.clock.advance(100);
        nothing_is_told(&waiting).await;
        site.clock.advance(1);
        is_told(waiting).await;
        nothing_is_told(&never).await;
    }
}

#[tokio::test]
async fn a_session_that_its_own_request_ends_has_ended() {
    let store = Arc::new(MemoryStore::new());
    let mut site = Site::new(&SecretKey::random().unwrap(), Config::hardened(), Some(&store));
    site.log_in("ada").await;
    let log_out = |session: &Session| {
        session.logout().unwrap();
        session.ended()
    };
    let ended: SessionEnded = site.send(log_out).await;
    is_told(tokio::spawn(ended)).await;
}

#[tokio::test]
async fn a_session_in_a_cookie_has_no_handle() {
    for config in configs() {
        let mut site = Site::new(&SecretKey::random().unwrap(), config, None);
        site.log_in("ada").await;
        let error = site.send(|session| session.handle().map(drop)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoStore);
    }
}

/// The future can be kept in a struct and sent between threads.
#[test]
fn what_waits_may_be_kept_anywhere() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<SessionEnded>();
    check::<carafe::SessionHandle>();
}
