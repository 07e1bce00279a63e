//! The recorded terminal session in `docs/cli.md` is what happens.
//!
//! After a change that is meant, `UPDATE_SNAPSHOTS=1 cargo test -p carafe-cli --test docs` records
//! it anew.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use support::Folder;

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

    /// What a command prints, on both outputs.
    fn run(&mut self, command: &str) -> String {
        if command.starts_with("COOKIE=") {
            self.variables = format!("{command}\n");
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

#[test]
fn the_recorded_session_is_what_happens() {
    let path = format!("{}/../../docs/cli.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&path).unwrap();
    let mut shell = Shell::new();
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
