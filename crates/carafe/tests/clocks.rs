//! Machines of one service whose clocks differ.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use carafe::config::Format;
use carafe::id::{PublicId, SessionId};
use carafe::signing::CLOCK_SKEW;
use carafe::store::{MemoryStore, Record, RevocationStore as _, SessionStore as _};
use carafe::{Clock, Error, SecretKey, Session, SessionLayer, UnixSeconds};
use support::{Client, NOW};

const DAY: u64 = 86_400;

fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

async fn act(session: Session, Path(act): Path<String>) -> Result<String, Error> {
    match act.as_str() {
        "login" => session.login("ada")?,
        "everywhere" => drop(session.logout_everywhere().await?),
        _ => {}
    }
    Ok(session.user().unwrap_or_default())
}

/// Returns a machine with this layer, on its own clock.
fn machine(layer: SessionLayer, now: u64) -> Router {
    Router::new().route("/{act}", get(act)).layer(layer.with_clock(Clock::fixed(now)))
}

/// Returns the user at another machine than the machine of the login.
async fn who_is_at(client: &mut Client, app: Router) -> String {
    client.app = app;
    client.get("/who").await.text
}

#[tokio::test]
async fn a_login_at_a_machine_whose_clock_is_ahead_is_known_to_the_others() {
    let layers: [fn() -> SessionLayer; 4] = [
        || SessionLayer::signed(key()).unwrap(),
        || SessionLayer::sealed(key()).unwrap(),
        || SessionLayer::sealed(key()).unwrap().accept(Format::default()).unwrap(),
        || {
            let signed = SessionLayer::signed(key()).unwrap();
            // The lifetime is shorter than the difference of the clocks.
            signed.configure(|config| config.lifetime(Duration::from_secs(5))).unwrap()
        },
    ];
    for layer in layers {
        for (ahead, user) in [(1, "ada"), (CLOCK_SKEW, "ada"), (CLOCK_SKEW + 1, "")] {
            let mut client = Client::new(machine(layer(), NOW + ahead));
            client.get("/login").await;
            assert_eq!(who_is_at(&mut client, machine(layer(), NOW)).await, user, "{ahead}");
        }
    }
}

#[tokio::test]
async fn flasks_profile_refuses_what_flask_refuses() {
    for (ahead, user) in [(0, "ada"), (1, "")] {
        let mut client = Client::new(machine(SessionLayer::flask(key()), NOW + ahead));
        client.get("/login").await;
        let here = machine(SessionLayer::flask(key()), NOW);
        assert_eq!(who_is_at(&mut client, here).await, user, "{ahead}");
    }
}

/// Ending all sessions also ends earlier logins at a machine whose clock is ahead, and keeps later
/// logins.
#[tokio::test]
async fn logins_at_machines_whose_clocks_are_ahead_are_ended_with_all_others() {
    let store = Arc::new(MemoryStore::new());
    let layer = || SessionLayer::signed(key()).unwrap().with_revocations(Arc::clone(&store));
    let here = || machine(layer(), NOW);
    let mut elsewhere = Client::new(machine(layer(), NOW + CLOCK_SKEW));
    elsewhere.get("/login").await;
    let mut client = Client::new(here());
    for _ in 0..3 {
        assert_eq!(client.get("/login").await.text, "ada");
        let mut copy = Client { app: here(), cookies: client.cookies.clone() };
        client.get("/everywhere").await;
        for one in [&mut elsewhere, &mut copy] {
            assert_eq!(who_is_at(one, here()).await, "");
        }
    }
    client.get("/login").await;
    for ahead in [0, CLOCK_SKEW] {
        assert_eq!(who_is_at(&mut client, machine(layer(), NOW + ahead)).await, "ada");
    }
}

/// The mark lasts as long as any machine accepts a copy of the cookie, for all clocks of the sweep.
#[tokio::test]
async fn a_revocation_outlives_every_cookie_that_it_refuses() {
    const LIFETIME: u64 = 600;
    let store = Arc::new(MemoryStore::new());
    let layer = || {
        let layer = SessionLayer::signed(key()).unwrap().with_revocations(Arc::clone(&store));
        let lifetime = Duration::from_secs(LIFETIME);
        layer.configure(|config| config.lifetime(lifetime)).unwrap()
    };
    let mut client = Client::new(machine(layer(), NOW + CLOCK_SKEW));
    client.get("/login").await;
    let copy = client.cookies.clone();
    client.app = machine(layer(), NOW);
    client.get("/everywhere").await;
    // Machines that are a day and many days ahead sweep.
    let last = NOW + CLOCK_SKEW + LIFETIME;
    for days in [0, 1, 400] {
        store.delete_expired_revocations(UnixSeconds(last + days * DAY), 500).await.unwrap();
    }
    let mut copy = Client { app: machine(layer(), last), cookies: copy };
    assert_eq!(copy.get("/who").await.text, "");
}

/// One process with a wrong clock sweeps: the other processes' sessions and marks must stay.
#[tokio::test]
async fn a_clock_that_is_ahead_removes_nothing_of_the_others() {
    for ahead in [600, DAY, 30 * DAY, 400 * DAY] {
        let (store, now) = (Arc::new(MemoryStore::new()), UnixSeconds(NOW));
        let layer = || {
            let layer = SessionLayer::stored(Arc::clone(&store), key()).unwrap();
            let layer = layer.configure(|config| config.sweep_interval(Duration::from_millis(5)));
            layer
                .unwrap()
                .configure(|config| config.idle_timeout(Duration::from_secs(3_600)))
                .unwrap()
        };
        let mut client = Client::new(machine(layer(), NOW));
        client.get("/login").await;
        store.revoke(&SessionId::random().unwrap().hash(), now + 20 * DAY, now).await.unwrap();
        let sessions = store.len();
        // A truly expired record shows that the sweep has run.
        let record = Record::new(PublicId::random().unwrap(), now - DAY, 60, 600);
        store.create(&SessionId::random().unwrap().hash(), &record, now).await.unwrap();
        Client::new(machine(layer(), NOW + ahead)).get("/who").await;
        while store.len() > sessions {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(client.get("/who").await.text, "ada", "{ahead} s ahead");
        assert_eq!(store.len(), sessions);
    }
}
