//! `carafe sessions` on sessions that a service wrote to SQLite, which goes on meanwhile.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod service;
#[path = "../support/mod.rs"]
mod support;
#[cfg(unix)]
mod terminal;

use std::path::Path;
use std::sync::Arc;

use carafe::id::{PublicId, SessionId};
use carafe::store::SessionStore as _;
use carafe::testing::Client;
use carafe::{SecretKey, SessionLayer, UnixSeconds};
use carafe_sqlite::SqliteStore;
use serde_json::Value as Json;
use service::{Service, app, now, who};
use support::{Carafe, Folder, Run, assert_printable, carafe};

impl Service<SqliteStore> {
    fn start() -> Self {
        let folder = Folder::new();
        let path = folder.0.join("sessions.db");
        let store = SqliteStore::open(&path).unwrap();
        Self::with(folder, format!("sqlite://{}", path.display()), store)
    }
}

fn complaint(run: &Run, code: i32) -> String {
    run.complaint(code).to_owned()
}

#[tokio::test]
async fn a_user_is_logged_out_everywhere_at_once() {
    let service = Service::start();
    let [phone, laptop] = [service.logged_in("ada").await, service.logged_in("ada").await];
    let other = service.logged_in("bob").await;
    let dry = service.carafe(&["revoke-user", "ada", "--dry-run"]).run().quiet();
    assert_eq!(dry, "would end 2 sessions of ada, and logins in cookies\n");
    let refused = service.carafe(&["revoke-user", "ada"]).run();
    assert!(complaint(&refused, 2).contains("--yes"), "{refused:?}");
    assert_eq!(who(&phone).await, "ada", "nothing was done");

    let done = service.carafe(&["revoke-user", "ada", "--yes"]).run().quiet();
    assert_eq!(done, "ended 2 sessions of ada, and logins in cookies\n");
    for browser in [&phone, &laptop] {
        assert_eq!(who(browser).await, "");
    }
    assert_eq!(who(&other).await, "bob");
    let again = service.carafe(&["revoke-user", "ada", "--yes"]).run();
    assert!(again.complaint(0).starts_with("warning: ada had no session in this store: "));
    assert_eq!(again.stdout, "ended 0 sessions of ada, and logins in cookies\n");
    assert_eq!(service.json(&["revoke-user", "bob", "--yes"])[0]["ended"], 1);
    // A user who was logged out can log in again.
    phone.post_form("/login/ada", &[]).await.unwrap();
    assert_eq!(who(&phone).await, "ada");
}

#[tokio::test]
async fn logins_in_cookies_are_ended_too() {
    let service = Service::start();
    let layer = SessionLayer::signed(SecretKey::random().unwrap()).unwrap();
    let layer = layer.with_revocations(Arc::clone(&service.store));
    let client = Client::new(app(layer.clone()), &layer);
    client.post_form("/login/ada", &[]).await.unwrap();
    assert_eq!(who(&client).await, "ada");
    assert_eq!(service.carafe(&["revoke-user", "eve", "--yes"]).run().code, 0);
    assert_eq!(who(&client).await, "ada");
    assert_eq!(service.carafe(&["revoke-user", "ada", "--yes"]).run().code, 0);
    assert_eq!(who(&client).await, "");
    client.post_form("/login/ada", &[]).await.unwrap();
    assert_eq!(who(&client).await, "ada");
}

#[tokio::test]
async fn one_session_is_ended() {
    let service = Service::start();
    let [first, second] = [service.logged_in("ada").await, service.logged_in("ada").await];
    let anonymous = service.browser();
    anonymous.get("/visit").await.unwrap();
    // The public id of a session stays while its id changes.
    let before = service.ids("ada");
    first.post_form("/rotate", &[]).await.unwrap();
    let mut after = service.ids("ada");
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(sorted(before), sorted(after.clone()));
    assert_eq!(after.len(), 2);

    let id = after.remove(0);
    let other_user = service.carafe(&["revoke", &id, "--user", "bob", "--yes"]).run();
    assert!(complaint(&other_user, 1).contains("bob has no session"), "{other_user:?}");
    let refused = service.carafe(&["revoke", &id]).run();
    assert!(complaint(&refused, 2).contains("--dry-run"), "{refused:?}");
    let dry = service.carafe(&["revoke", &id, "--dry-run"]).run().quiet();
    assert!(dry.starts_with(&format!("would end the session {id} of ada, last used ")), "{dry}");
    assert_eq!(service.ids("ada").len(), 2);
    let done = service.carafe(&["revoke", &id, "--yes"]).run().quiet();
    assert!(done.starts_with(&format!("ended the session {id} of ada, last used ")), "{done}");
    let mut left = [who(&first).await, who(&second).await];
    left.sort();
    assert_eq!(left, ["", "ada"]);
    let again = service.carafe(&["revoke", &id, "--yes"]).run();
    assert!(complaint(&again, 1).contains("there is no session"), "{again:?}");
    // Of a visitor who isn't logged in.
    let all = service.json(&["list"]);
    let visitor = all.iter().find(|session| session["user"].is_null()).unwrap();
    let id = visitor["session"].as_str().unwrap();
    let done = service.carafe(&["revoke", id, "--yes"]).run().quiet();
    assert!(done.contains("of a visitor who isn't logged in"), "{done}");
    assert_eq!(service.json(&["list"]).len(), 1);
}

#[tokio::test]
async fn sessions_are_listed_and_shown_without_what_opens_them() {
    let service = Service::start();
    let browser = service.logged_in("ada").await;
    service.logged_in("ada").await;
    service.browser().get("/visit").await.unwrap();
    let table = service.carafe(&["list", "ada"]).run().quiet();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("SESSION ") && lines[0].ends_with("ADDRESS      AGENT"));
    for line in &lines[1..] {
        assert!(line.contains("in 7 days  203.0.113.7  Firefox"), "{line}");
    }
    assert_eq!(service.carafe(&["list"]).run().quiet().lines().count(), 4);
    assert_eq!(service.json(&["list"]).len(), 3);
    let none = service.carafe(&["list", "eve"]).run();
    assert!(none.complaint(0).starts_with("note: eve has no session; "), "{none:?}");

    let id = service.ids("ada").remove(0);
    let shown = service.carafe(&["show", &id]).run().quiet();
    assert!(shown.starts_with(&format!("The session {id} of ada\n  began ")), "{shown}");
    assert!(shown.ends_with("\n\ncart: int 3\n"), "{shown}");
    let json = &service.json(&["show", &id, "--user", "ada"])[0];
    assert_eq!(json["payload"]["cart"], 3);
    assert_eq!((&json["user"], &json["agent"]), (&Json::from("ada"), &Json::from("Firefox")));
    assert!(json["bytes"].as_u64().unwrap() > 40);
    let unknown = service.carafe(&["show", "AAAAAAAAAAAAAAAAAAAAAA"]).run();
    assert!(complaint(&unknown, 1).contains("there is no session"), "{unknown:?}");

    // Neither the cookie's id nor its hash, with which the store knows it, in any notation.
    let cookie = browser.cookie("__Host-session").unwrap();
    let id = cookie.split('.').next().unwrap().to_owned();
    let hash = SessionId::from_text(id.as_bytes()).unwrap().hash();
    let hex: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    for arguments in [&["list"][..], &["list", "ada"], &["stats"], &["gc"]] {
        for more in [&[][..], &["--json"]] {
            let run = service.carafe(arguments).args(more).run();
            assert!(!run.stdout.contains(&id[..8]) && !run.stdout.contains(&hex[..8]), "{run:?}");
        }
    }
    for session in service.ids("ada") {
        let run = service.carafe(&["show", &session]).run();
        assert!(!run.stdout.contains(&id[..8]) && !run.stdout.contains(&hex[..8]), "{run:?}");
    }
}

#[tokio::test]
async fn a_list_has_those_that_were_used_last() {
    let service = Service::start();
    for age in 0..10 {
        service
            .put(|record| {
                record.last_seen = record.last_seen - age * 100;
                record.user = Some(format!("user{age}"));
            })
            .await;
    }
    let run = service.carafe(&["list", "--limit", "3", "--json"]).run();
    let users: Vec<_> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["user"].clone())
        .collect();
    assert_eq!(users, ["user0", "user1", "user2"]);
    assert_eq!(run.stderr, "note: 7 more that were used before these: see --limit\n");
    assert_eq!(service.json(&["list", "--limit", "none"]).len(), 10);
}

#[tokio::test]
async fn what_has_expired_is_counted_and_deleted() {
    let service = Service::start();
    let browser = service.logged_in("ada").await;
    service.logged_in("ada").await;
    service.browser().get("/visit").await.unwrap();
    for age in 0..1100 {
        service.put(|record| record.idle_expires = UnixSeconds(now() - 1 - age)).await;
    }
    service.put(|record| record.data = vec![b' '; 5000]).await;
    let stats = &service.json(&["stats"])[0];
    for (name, count) in [
        ("records", 1104),
        ("live", 4),
        ("logged_in", 2),
        ("users", 1),
        ("expired", 1100),
        ("old_ids", 0),
        ("unreadable", 0),
    ] {
        assert_eq!(stats[name], count, "{name} in {stats}");
    }
    assert!(stats["bytes"].as_u64().unwrap() > 1104 * 40);
    assert!((5000..5200).contains(&stats["largest"].as_u64().unwrap()));
    let dry = service.carafe(&["gc", "--dry-run"]).run().quiet();
    assert_eq!(dry, "would delete 1100 records that expired\n");
    assert_eq!(service.json(&["gc", "--dry-run"])[0]["expired"], 1100);
    let done = service.carafe(&["gc"]).run().quiet();
    assert_eq!(done, "deleted 1100 records that had expired\n");
    assert_eq!(service.json(&["gc"])[0]["deleted"], 0);
    let stats = service.carafe(&["stats"]).run().quiet();
    assert!(stats.starts_with("records  "), "{stats}");
    assert_eq!(service.json(&["stats"])[0]["records"], 4);
    assert_eq!(who(&browser).await, "ada");
}

/// The machine's clock is far ahead of what the service has shown the store.
#[tokio::test]
async fn what_has_expired_by_a_doubtful_clock_alone_is_kept() {
    let service = Service::start();
    service.put(|record| record.idle_expires = UnixSeconds(now() - 1)).await;
    service.store.delete_expired(UnixSeconds(now() - 400 * 86_400), 1).await.unwrap();
    let run = service.carafe(&["gc"]).run();
    let warning = run.complaint(0);
    assert!(warning.starts_with("warning: 1 record that had expired"), "{warning}");
    assert!(warning.contains("clock"), "{warning}");
    assert_eq!(run.stdout, "deleted 0 records that had expired\n");
    assert_eq!(service.json(&["stats"])[0]["records"], 1);
}

/// One of 64 public ids begins with a hyphen.
#[tokio::test]
async fn an_id_may_look_like_an_option() {
    let service = Service::start();
    for start in [[0xf8, 0, 0], [0xfa, 0x10, 0], [0xfb, 0xe0, 0], [0xfb, 0xef, 0xbe]] {
        let mut bytes = [7; 16];
        bytes[..3].copy_from_slice(&start);
        let id = PublicId::from_bytes(bytes);
        service.put(|record| record.public_id = id).await;
        let id = id.to_string();
        assert!(id.starts_with('-'), "{id}");
        let shown = service.carafe(&["show", &id]).run().quiet();
        assert!(shown.contains(&id), "{shown}");
        let ended = service.carafe(&["revoke", "--yes", &id]).run().quiet();
        assert!(ended.contains(&id), "{ended}");
    }
}

/// The agents that visitors send, and the names that users choose, can be any text.
#[tokio::test]
async fn hostile_values_reach_no_terminal() {
    let service = Service::start();
    let evil = "\x1b]0;x\x07\u{9b}2J\r\nerror: \u{202e}eve";
    let id = service
        .put(|record| {
            record.user = Some(evil.to_owned());
            record.agent = Some(evil.repeat(20));
            record.address = Some(evil.to_owned());
            record.data = br#"{"\u001b[2J":"\u009b31m\u202e"}"#.to_vec();
        })
        .await;
    let id = id.to_string();
    for arguments in [
        &["list"][..],
        &["list", evil],
        &["list", "--json"],
        &["show", &id],
        &["show", &id, "--json"],
        &["show", "AAAAAAAAAAAAAAAAAAAAAA", "--user", evil],
        &["revoke", &id, "--dry-run"],
        &["revoke-user", evil, "--dry-run"],
        &["revoke-user", evil],
        &["list", "\x1b[31m"],
        &["revoke-user", evil, "--yes"],
        &["revoke-user", evil, "--yes"],
    ] {
        let run = service.carafe(arguments).run();
        assert_printable(&run.stdout);
        assert_printable(&run.stderr);
        assert!(!run.stdout.contains('\r') && run.code < 3, "{run:?}");
        assert!(run.stdout.len() + run.stderr.len() > 0, "{arguments:?}");
    }
}

#[tokio::test]
async fn damaged_records_are_counted_and_hide_nothing() {
    let service = Service::start();
    service.logged_in("ada").await;
    let damaged = service.put(|record| record.data = b"\x80 no JSON".to_vec()).await;
    let hidden = service
        .put(|record| {
            record.data = br#"{"_carafe_csrf":"hush","csrf_token":"hush","a":1}"#.to_vec();
        })
        .await;
    assert_eq!(service.json(&["list"]).len(), 3);
    let run = service.carafe(&["show", &damaged.to_string()]).run();
    assert!(run.stderr.contains("warning: the content can't be read"), "{run:?}");
    assert_eq!(service.json(&["show", &damaged.to_string()])[0]["payload"], Json::Null);
    let run = service.carafe(&["show", &hidden.to_string()]).run();
    assert!(run.stdout.ends_with("\n\na: int 1\n") && !run.stdout.contains("hush"), "{run:?}");
    let json = &service.json(&["show", &hidden.to_string()])[0];
    assert_eq!(json["payload"].to_string(), r#"{"a":1}"#);
}

#[tokio::test]
async fn the_store_is_named_by_option_file_or_environment() {
    let service = Service::start();
    service.logged_in("ada").await;
    let file = service.folder.file("store", format!("{}\n", service.url));
    let count = |run: Carafe| run.args(["--json"]).run().quiet().lines().count();
    assert_eq!(count(carafe(["sessions", "list", "--store", &service.url])), 1);
    assert_eq!(count(carafe(["sessions", "--store", &service.url, "list"])), 1);
    let by_file = carafe(["sessions", "list", "--store-file"]).args([file]);
    assert_eq!(count(by_file), 1);
    let relative = carafe(["sessions", "list", "--store", "sqlite://sessions.db"]);
    assert_eq!(count(relative.dir(&service.folder.0)), 1);
    // An option counts more than the environment.
    let run = service.carafe(&["list", "--store", "sqlite:///nowhere"]).run();
    assert!(complaint(&run, 2).contains("/nowhere"), "{run:?}");
    assert!(!Path::new("/nowhere").exists());
    let other = service.folder.file("other.db", "something else entirely, and no database");
    let url = format!("sqlite://{}", other.to_str().unwrap());
    let run = carafe(["sessions", "list", "--store", &url]).run();
    assert!(complaint(&run, 2).contains("SQLite"), "{run:?}");
}

#[test]
fn passwords_are_warned_about_and_never_repeated() {
    for url in [
        "redis://:pa55word@127.0.0.1:1",
        "postgres://u:pa55word@127.0.0.1:1/db",
        "mysql://u:pa55word@127.0.0.1:1/db",
        "redis://u:pa55word@[broken",
        "postgres://u:pa55word@127.0.0.1:port/db",
    ] {
        let run = carafe(["sessions", "list", "ada", "--store", url]).run();
        assert_eq!((run.code, run.stderr.lines().count()), (2, 2), "{run:?}");
        assert!(run.stderr.starts_with("warning: other users of this machine"), "{run:?}");
        assert!(!run.stderr.contains("pa55word") && run.stdout.is_empty(), "{run:?}");
        let run = carafe(["sessions", "list", "ada"]).env("CARAFE_STORE", url).run();
        assert!(!complaint(&run, 2).contains("pa55word"));
    }
}
