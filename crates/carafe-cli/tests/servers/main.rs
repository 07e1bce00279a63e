//! `carafe sessions` on Redis and PostgreSQL, whose URLs are in `CARAFE_REDIS_URL` and
//! `CARAFE_POSTGRES_URL`: `cargo test -p carafe-cli --test servers redis` needs the first one,
//! `… postgres` the second. They take about a second each.
#![cfg(all(feature = "redis", feature = "postgres"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../sessions/service.rs"]
mod service;
#[path = "../support/mod.rs"]
mod support;

use carafe::id::PublicId;
use carafe::store::SessionStore;
use carafe_postgres::PostgresStore;
use carafe_redis::RedisStore;
use service::{Service, who};
use support::{Carafe, Folder};

fn url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} must hold the URL of a server"))
}

/// A name that no other test has.
fn unique(name: &str) -> String {
    format!("{name}-{}", PublicId::random().unwrap())
}

/// A user with two sessions, one of which is ended, then all; beside another user and a visitor.
async fn scenario<S: SessionStore>(service: Service<S>, more: &[&str]) {
    let run = |arguments: &[&str]| service.carafe(arguments).args(more).run();
    let ids = |user: &str| {
        let lines = run(&["list", user, "--json"]).quiet();
        let id = |line: &str| {
            let session: serde_json::Value = serde_json::from_str(line).unwrap();
            session["session"].as_str().unwrap().to_owned()
        };
        lines.lines().map(id).collect::<Vec<_>>()
    };
    let [ada, bob] = [unique("ada"), unique("bob")];
    let [phone, laptop] = [service.logged_in(&ada).await, service.logged_in(&ada).await];
    let other = service.logged_in(&bob).await;
    service.browser().get("/visit").await.unwrap();
    let all = run(&["list", "--limit", "none", "--json"]).quiet();
    let of = |user: &str| all.lines().filter(|line| line.contains(user)).count();
    assert_eq!((of(&ada), of(&bob)), (2, 1), "{all}");
    assert!(all.lines().any(|line| line.contains(r#""user":null"#)), "{all}");
    assert_eq!(run(&["list", &ada]).quiet().lines().count(), 3);

    let found = ids(&ada);
    assert_eq!(found.len(), 2);
    // With the user, and by looking through the store.
    for more in [&[][..], &["--user", &ada]] {
        let shown = run(&[&["show", &found[0]][..], more].concat()).quiet();
        assert!(shown.contains(&ada) && shown.ends_with("cart: int 3\n"), "{shown}");
    }
    let ended = run(&["revoke", &found[0], "--yes"]).quiet();
    assert!(ended.contains(&ada), "{ended}");
    assert_eq!(ids(&ada), found[1..]);
    let alive = [who(&phone).await, who(&laptop).await];
    assert_eq!(alive.iter().filter(|user| **user == ada).count(), 1);
    assert_eq!(run(&["revoke", &found[0], "--yes"]).code, 1);

    let ended = run(&["revoke-user", &ada, "--yes"]).quiet();
    assert_eq!(ended, format!("ended 1 session of {ada}, and logins in cookies\n"));
    assert_eq!((who(&phone).await, who(&laptop).await), (String::new(), String::new()));
    assert_eq!(who(&other).await, bob);
    let stats: serde_json::Value =
        serde_json::from_str(&run(&["stats", "--json"]).quiet()).unwrap();
    assert!(stats["logged_in"].as_u64().unwrap() >= 1, "{stats}");
    let gc = run(&["gc", "--json"]);
    assert_eq!((gc.code, gc.stdout.starts_with(r#"{"deleted":"#)), (0, true), "{gc:?}");
}

#[tokio::test]
async fn redis_sessions_are_looked_after() {
    let (url, prefix) = (url("CARAFE_REDIS_URL"), unique("test"));
    let store = RedisStore::options(url.as_str()).prefix(&prefix).open().unwrap();
    let service = Service::with(Folder::new(), url, store);
    scenario(service, &["--prefix", &prefix]).await;
}

#[tokio::test]
async fn postgres_sessions_are_looked_after() {
    let url = url("CARAFE_POSTGRES_URL");
    let store = PostgresStore::new(&url).unwrap();
    scenario(Service::with(Folder::new(), url, store), &[]).await;
}

#[tokio::test]
async fn postgres_sessions_of_another_schema_are_looked_after() {
    let url = url("CARAFE_POSTGRES_URL");
    let schema = format!("test-{:x}", std::process::id());
    let store = PostgresStore::options(url.as_str()).schema(&schema).open().unwrap();
    scenario(Service::with(Folder::new(), url, store), &["--schema", &schema]).await;
}

/// The program makes no tables: that is the service's affair.
#[tokio::test]
async fn postgres_without_tables_is_an_error() {
    let url = url("CARAFE_POSTGRES_URL");
    let (server, _) = url.rsplit_once('/').unwrap();
    let list = |url: &str| -> Carafe { support::carafe(["sessions", "list", "--store", url]) };
    let run = list(&format!("{server}/template1")).run();
    assert!(run.complaint(2).contains("42P01"), "{run:?}");
    let run = list(&format!("{server}/no_such_database")).run();
    assert!(run.complaint(2).contains("there is no such database"), "{run:?}");
}
