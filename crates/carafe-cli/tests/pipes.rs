//! Many cookies through pipes, and readers that go away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use support::{COOKIE, Carafe, carafe, rows, text};

fn verify(more: &[&str]) -> Carafe {
    carafe(["verify", "-", "--now", "1700000001"])
        .args(more)
        .env("SECRET_KEY", "dev")
        .env("CARAFE_ALLOW_WEAK_KEY", "1")
}

#[test]
fn a_line_without_a_session_hides_no_well_known_key_after_it() {
    let lines = format!("hello\n{COOKIE}\n");
    let check = |more: &[&str]| {
        carafe(["check-key", "--cookie", "-"]).args(more).stdin(lines.clone()).run()
    };
    let run = check(&[]);
    assert!(run.stdout.starts_with("line 2: published: "), "{}", run.stdout);
    assert!(run.complaint(1).starts_with("error: line 1: this is no session's cookie"));

    let run = check(&["--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let read: Vec<Json> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = read.iter().map(|line| &line["published_key"]).collect();
    assert_eq!(seen, [&Json::Null, &Json::Bool(true)]);
}

#[test]
fn each_line_has_its_result() {
    let lines = format!("{COOKIE}\r\n\n  session={COOKIE}\nhello\nCookie: a=b; session={COOKIE}\n");
    let run = verify(&[]).stdin(lines.clone()).run();
    assert_eq!(run.stdout, "{\"user_id\":42}\n".repeat(3));
    assert!(run.complaint(1).starts_with("error: line 4: this is no session's cookie"));

    let run = verify(&["--json"]).stdin(lines).run();
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let read: Vec<Json> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        read.iter().map(|line| (line["line"].as_u64().unwrap(), &line["verified"])).collect();
    let (yes, no) = (Json::Bool(true), Json::Bool(false));
    assert_eq!(seen, [(1, &yes), (3, &yes), (4, &no), (5, &yes)]);
    assert_eq!(read[0]["payload"]["user_id"], 42);
    assert_eq!(read[2]["reason"], "not-a-session");
}

#[test]
fn json_lines_are_json_for_every_payload_of_flask() {
    let mut cookies = String::new();
    let mut expected = Vec::new();
    for row in rows("flask.jsonl") {
        cookies += text(&row["cookie"]);
        cookies.push('\n');
        expected.push(text(&row["tagged_json"]).to_owned());
    }
    let run = carafe(["inspect", "-", "--json"]).stdin(cookies).run().quiet();
    assert_eq!(run.lines().count(), expected.len());
    for (line, json) in run.lines().zip(&expected) {
        // An integer of thousands of digits is JSON, but no number of serde_json's.
        if json.bytes().filter(u8::is_ascii_digit).count() > 300 {
            continue;
        }
        let read: Json = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        match &read["payload_text"] {
            Json::String(text) => assert_eq!(text, json),
            _ => assert_eq!(read["payload"], serde_json::from_str::<Json>(json).unwrap()),
        }
    }
}

fn spawn(arguments: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_carafe"))
        .args(arguments)
        .env_clear()
        .env("SECRET_KEY", "8d1f0c6b7a5e4d3c2b1a0f9e8d7c6b5a")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let mut child = spawn(&["inspect", "-"]);
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // Ends when the program does.
        while stdin.write_all(format!("{COOKIE}\n").repeat(1000).as_bytes()).is_ok() {}
    });
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    assert!(first.starts_with("Line 1: ") || first.contains("session of Flask"), "{first}");
    drop(stdout);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    writer.join().unwrap();
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    let mut child = spawn(&["inspect", "-", "--json"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for number in 1..=3 {
        writeln!(stdin, "{COOKIE}").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("{{\"line\":{number},")), "{line}");
    }
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn help_into_a_closed_pipe_is_quiet() {
    for arguments in [&["--help"][..], &["completions", "zsh"], &["man"]] {
        let mut child = spawn(arguments);
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "");
        assert!(child.wait().unwrap().code().is_some());
    }
}
