//! The recorded terminal session in `docs/cli.md` is what happens.
//!
//! After a change that is meant, `UPDATE_SNAPSHOTS=1 cargo test -p carafe-cli --test docs` records
//! it anew.
#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::Command;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{Record, SessionStore as _};
use carafe_sqlite::SqliteStore;
use support::{Folder, SIGNED};

/// The store of the shop in the recorded session, a week after [`SIGNED`].
async fn shop(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    let week = 7 * 86_400;
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
    let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1";
    let now = SIGNED + week;
    for (number, user, began, used, address, agent) in [
        (1, Some("ada"), 4 * 86_400, 180, "203.0.113.7", firefox),
        (2, Some("ada"), week, 90_000, "198.51.100.23", phone),
        (3, Some("bob"), 4000, 20, "192.0.2.80", firefox),
        (4, None, 60, 60, "", ""),
        (5, None, 9 * 86_400, 8 * 86_400, "", ""),
    ] {
        let (began, used) = (now - began, now - used);
        let public_id = PublicId::from_bytes(std::array::from_fn(|at| {
            u8::wrapping_mul(number, 83).wrapping_add((at as u8).wrapping_mul(37))
        }));
        let mut record = Record::new(public_id, UnixSeconds(began), week, 31 * 86_400);
        record.last_seen = UnixSeconds(used);
        record.idle_expires = record.last_seen + week;
        record.data = br#"{"cart":{"book":3}}"#.to_vec();
        if let Some(user) = user {
            record.user = Some(user.to_owned());
            record.logged_in = Some(UnixSeconds(began));
            record.address = Some(address.to_owned());
            record.agent = Some(agent.to_owned());
        }
        let id = SessionIdHash::from_bytes([number; 32]);
        assert!(store.create(&id, &record, UnixSeconds(now)).await.unwrap());
    }
}

/// Runs commands in one folder, as a user would type them.
struct Shell {
    folder: Folder,
    path: String,
    /// Variables that were set so far.
    variables: String,
}

impl Shell {
    fn new() -> Self {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_carafe"));
        let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
        Self { folder: Folder::new(), path, variables: String::new() }
    }

    /// Returns the output of a command, from both streams.
    fn run(&mut self, command: &str) -> String {
        if command.starts_with("COOKIE=") || command.starts_with("export ") {
            self.variables += &format!("{command}\n");
            return String::new();
        }
        let script = format!("exec 2>&1\n{}{command}\n", self.variables);
        let output = Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("PATH", &self.path)
            .current_dir(&self.folder.0)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test]
async fn the_recorded_session_is_what_happens() {
    let path = format!("{}/../../docs/cli.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let mut shell = Shell::new();
    shop(&shell.folder.0.join("sessions.db")).await;
    let mut recorded = String::new();
    let mut lines = page.lines();
    let mut commands = 0;
    while let Some(line) = lines.next() {
        recorded += &format!("{line}\n");
        if line != "```console" {
            continue;
        }
        let mut block = lines.by_ref().take_while(|line| *line != "```").peekable();
        while let Some(line) = block.next() {
            let Some(mut command) = line.strip_prefix("$ ").map(str::to_owned) else { continue };
            while command.ends_with('\\') {
                command = format!("{command}\n{}", block.next().unwrap());
            }
            recorded += &format!("$ {command}\n{}", shell.run(&command));
            commands += 1;
        }
        recorded += "```\n";
    }
    assert!(commands > 10, "{commands}");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &recorded).unwrap();
    }
    let differing = page.lines().zip(recorded.lines()).find(|(was, is)| was != is);
    let same = page == recorded || std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    assert!(same, "docs/cli.md is not what happens: {differing:?}");
}
