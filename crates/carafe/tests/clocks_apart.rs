//! Two machines of one service whose clocks differ by a minute: each respects the other's actions.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use carafe::signing::CLOCK_SKEW;
use carafe::store::MemoryStore;
use carafe::{Clock, Error, SecretKey, Session, SessionLayer};
use support::{Client, NOW};

const DAY: u64 = 86_400;
const GRACE: u64 = 10;

async fn act(session: Session, Path(act): Path<String>) -> Result<String, Error> {
    match act.as_str() {
        "login" => session.login("ada")?,
        "logout" => session.logout()?,
        "rotate" => session.rotate()?,
        "everywhere" => drop(session.logout_everywhere().await?),
        "write" => session.insert("n", 1)?,
        "keep" => session.set_permanent(true)?,
        _ => {}
    }
    Ok(session.user().unwrap_or_default())
}

/// Two machines that share a key and a store, with clocks that advance together.
struct Machines {
    apps: [Router; 2],
    clocks: [Clock; 2],
    what: String,
}

impl Machines {
    fn new(name: &str, layer: &SessionLayer, times: [u64; 2]) -> Self {
        let clocks = times.map(Clock::fixed);
        let apps = [0, 1].map(|at| {
            let layer = layer.clone().with_clock(clocks[at].clone());
            Router::new().route("/{act}", get(act)).layer(layer)
        });
        Self { apps, clocks, what: format!("{name} at {times:?}") }
    }

    fn advance(&self, seconds: u64) {
        self.clocks.iter().for_each(|clock| clock.advance(seconds));
    }

    fn client(&self) -> Client {
        Client::new(self.apps[0].clone())
    }

    /// Sends a request to one of the machines. Returns the user afterwards.
    async fn send(&self, at: usize, client: &mut Client, act: &str) -> String {
        client.app = self.apps[at].clone();
        let answer = client.get(&format!("/{act}")).await;
        assert_eq!(answer.status, 200, "{act} at {at}, {}", self.what);
        answer.text
    }

    /// Asserts the user that each machine sees for the unchanged cookies.
    async fn everywhere(&self, client: &Client, user: &str, when: &str) {
        for at in [0, 1] {
            let mut copy = copy_of(client);
            let seen = self.send(at, &mut copy, "who").await;
            assert_eq!(seen, user, "{when}, at {at}, {}", self.what);
        }
    }
}

fn copy_of(client: &Client) -> Client {
    Client { app: client.app.clone(), cookies: client.cookies.clone() }
}

/// Returns two machines for every kind of session and either one ahead, by the tolerated
/// difference.
fn all() -> Vec<Machines> {
    let key = || SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let layers = || {
        [
            ("signed", SessionLayer::signed(key()).unwrap().with_revocations(store())),
            ("sealed", SessionLayer::sealed(key()).unwrap().with_revocations(store())),
            ("stored", SessionLayer::stored(store(), key()).unwrap()),
        ]
    };
    let mut machines = Vec::new();
    for times in [[NOW, NOW], [NOW, NOW + CLOCK_SKEW], [NOW + CLOCK_SKEW, NOW]] {
        for (name, layer) in layers() {
            let layer = layer.configure(|config| {
                config
                    .renew_after(Duration::from_secs(DAY))
                    .renewal_grace(Duration::from_secs(GRACE))
                    .lifetime(Duration::from_secs(7 * DAY))
            });
            machines.push(Machines::new(name, &layer.unwrap(), times));
        }
    }
    machines
}

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

#[tokio::test]
async fn a_login_at_one_machine_is_one_at_the_other() {
    for machines in all() {
        let mut client = machines.client();
        machines.send(0, &mut client, "write").await;
        let before = copy_of(&client);
        machines.send(0, &mut client, "login").await;
        machines.everywhere(&client, "ada", "after the login").await;
        machines.everywhere(&before, "", "with the cookie of before").await;
        machines.send(1, &mut client, "write").await;
        machines.everywhere(&client, "ada", "after a write at the other").await;
    }
}

#[tokio::test]
async fn a_rotation_at_one_machine_ends_the_old_id_at_the_other() {
    for machines in all() {
        let mut client = machines.client();
        machines.send(1, &mut client, "login").await;
        let old = copy_of(&client);
        machines.send(0, &mut client, "rotate").await;
        for wait in [0, 1, CLOCK_SKEW, 2 * CLOCK_SKEW] {
            machines.advance(wait);
            machines.everywhere(&old, "", "with the old id").await;
            machines.everywhere(&client, "ada", "with the new id").await;
        }
    }
}

#[tokio::test]
async fn a_logout_at_one_machine_is_one_at_the_other() {
    for machines in all() {
        let mut client = machines.client();
        machines.send(1, &mut client, "login").await;
        let copy = copy_of(&client);
        machines.send(0, &mut client, "logout").await;
        for wait in [0, 1, CLOCK_SKEW, DAY, 6 * DAY, 7 * DAY, 31 * DAY] {
            machines.advance(wait);
            machines.everywhere(&copy, "", "after the logout").await;
        }
    }
}

#[tokio::test]
async fn ending_all_sessions_at_one_machine_ends_the_other_machines() {
    for machines in all() {
        for seconds in [0, 1] {
            let [mut here, mut there] = [machines.client(), machines.client()];
            machines.send(0, &mut here, "login").await;
            machines.send(1, &mut there, "login").await;
            machines.advance(seconds);
            machines.send(0, &mut here, "everywhere").await;
            for wait in [0, 1, CLOCK_SKEW, DAY] {
                machines.advance(wait);
                machines.everywhere(&there, "", "after all were ended").await;
            }
            // A later login stays, on both machines.
            for at in [0, 1] {
                let mut next = machines.client();
                machines.send(at, &mut next, "login").await;
                machines.everywhere(&next, "ada", "of a later login").await;
            }
        }
    }
}

#[tokio::test]
async fn a_login_right_after_all_sessions_were_ended_stays() {
    for machines in all() {
        for at in [0, 1] {
            let mut client = machines.client();
            machines.send(0, &mut client, "login").await;
            machines.send(0, &mut client, "everywhere").await;
            let mut next = machines.client();
            machines.send(at, &mut next, "login").await;
            machines.everywhere(&next, "ada", "of a login right after").await;
        }
    }
}

/// The old id of a renewal is valid for the grace period, by each machine's own clock.
#[tokio::test]
async fn a_renewal_at_one_machine_leads_on_at_the_other() {
    for machines in all().into_iter().filter(|machines| machines.what.starts_with("stored")) {
        let mut client = machines.client();
        machines.send(0, &mut client, "login").await;
        machines.advance(DAY);
        let old = copy_of(&client);
        machines.send(0, &mut client, "who").await;
        assert_ne!(client.cookies, old.cookies, "{}", machines.what);
        machines.everywhere(&client, "ada", "with the new id").await;
        let mut late = copy_of(&old);
        assert_eq!(machines.send(0, &mut late, "who").await, "ada", "{}", machines.what);
        machines.advance(GRACE + CLOCK_SKEW + 1);
        machines.everywhere(&old, "", "with the old id after its grace").await;
        machines.everywhere(&client, "ada", "with the new id after the grace").await;
    }
}

/// A cookie that is renewed at one machine is good at the other, which renews it in turn.
#[tokio::test]
async fn machines_renew_each_others_cookies() {
    for machines in all() {
        let mut client = machines.client();
        machines.send(0, &mut client, "login").await;
        machines.send(0, &mut client, "keep").await;
        let mut renewed = 0;
        for _ in 0..20 {
            machines.advance(DAY);
            for at in [1, 0] {
                let before = client.cookies.clone();
                let user = machines.send(at, &mut client, "who").await;
                assert_eq!(user, "ada", "at {at}, {}", machines.what);
                renewed += usize::from(client.cookies != before);
            }
        }
        assert!(renewed >= 20, "{renewed} times, {}", machines.what);
    }
}
