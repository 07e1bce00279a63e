//! Every cookie that was recorded from real Flask, through `verify` and `sign`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod support;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use serde_json::Value as Json;

use support::{Carafe, Folder, carafe, rows, text, unhex};

/// Arguments for a row's keys, the current one first, and its settings.
fn settings(row: &Json, secrets: &[Vec<u8>], folder: &Folder) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["--allow-weak-key".into()];
    for (at, secret) in secrets.iter().enumerate() {
        arguments.push("--secret-key-file".into());
        // One newline at the end doesn't count, so that a key can end in one.
        arguments.push(folder.file(&format!("key{at}"), [secret.as_slice(), b"\n"].concat()));
    }
    arguments.push("--salt".into());
    arguments.push(OsString::from_vec(unhex(&row["salt_hex"])));
    arguments.extend(["--digest".into(), text(&row["digest"]).into()]);
    arguments.extend(["--key-derivation".into(), text(&row["key_derivation"]).into()]);
    arguments
}

fn verify(row: &Json, cookie: &str, folder: &Folder) -> Carafe {
    let secrets: Vec<_> = row["secrets_hex"].as_array().unwrap().iter().rev().map(unhex).collect();
    let now = row["timestamp"].to_string();
    carafe(["verify", cookie, "--max-age", "0", "--now", &now])
        .args(settings(row, &secrets, folder))
}

#[test]
fn every_cookie_of_flask_verifies_and_is_printed_as_it_stands() {
    let folder = Folder::new();
    for row in rows("flask.jsonl") {
        let run = verify(&row, text(&row["cookie"]), &folder).run();
        assert_eq!(run.code, 0, "{} {}", row["note"], run.stderr);
        assert_eq!(run.stdout, format!("{}\n", text(&row["tagged_json"])), "{}", row["note"]);
    }
}

#[test]
fn what_is_signed_has_flasks_bytes() {
    let folder = Folder::new();
    let mut identical = 0;
    for row in rows("flask.jsonl") {
        let json = text(&row["tagged_json"]);
        let timestamp = row["timestamp"].to_string();
        let cookie = carafe(["sign", json, "--timestamp", &timestamp])
            .args(settings(&row, &[unhex(&row["secret_hex"])], &folder))
            .run();
        assert_eq!(cookie.stderr, "", "{}", row["note"]);
        let cookie = cookie.stdout.trim_end();
        if row["sort_keys"] == true && row["compressed"] == false {
            assert_eq!(cookie, text(&row["cookie"]), "{}", row["note"]);
            identical += 1;
        }
        if row["sort_keys"] == true {
            let again = verify(&row, cookie, &folder).run();
            assert_eq!(again.stdout.trim_end(), json, "{}", row["note"]);
        }
    }
    assert!(identical > 120, "{identical}");
}

#[test]
fn what_flask_takes_for_no_session_is_refused_with_one_line() {
    let folder = Folder::new();
    let key = folder.file("key", "dev");
    let mut seen = 0;
    for row in rows("flask-invalid.jsonl") {
        // Rows with other settings, and those about headers, are not about the cookie alone.
        let plain = row["secret"] == "dev" && row["fallbacks"].is_null();
        let category = text(&row["category"]);
        let has_age = row["max_age"].as_i64().is_some_and(|age| age >= 0);
        if !plain || !has_age || category == "header" || !row["cookie"].is_string() {
            continue;
        }
        seen += 1;
        let run = carafe(["verify", "-", "--allow-weak-key"])
            .args(["--now", &row["now"].to_string()])
            .args(["--max-age", &row["max_age"].to_string()])
            .args(["--salt", text(&row["salt"]), "--digest", text(&row["digest"])])
            .args(["--key-derivation", text(&row["key_derivation"])])
            .args(["--secret-key-file".into(), key.clone()])
            .stdin(text(&row["cookie"]))
            .run();
        let reason = text(&row["reason"]);
        match text(&row["flask_result"]) {
            // Flask reads signatures in several spellings, and this program in one.
            "loaded" if matches!(category, "sig-malleable" | "sig-mutated" | "unicode") => {
                run.complaint(1);
            }
            "loaded" => assert_eq!((run.code, run.stdout.lines().count()), (0, 1), "{reason}"),
            // A session without content is one that verifies.
            "empty" if category == "top-level" => assert_eq!(run.code, 0, "{reason}"),
            _ if text(&row["cookie"]).trim().is_empty() => {
                run.complaint(2);
            }
            _ => {
                assert_eq!(run.stdout, "", "{reason}");
                run.complaint(1);
            }
        }
    }
    assert!(seen > 120, "{seen}");
}

#[test]
fn every_sealed_session_opens() {
    let folder = Folder::new();
    for row in rows("sealed.jsonl") {
        let key = folder.file("key", unhex(&row["secret_hex"]));
        let run = carafe(["verify", text(&row["cookie"]), "--max-age", "none"])
            .args(["--now", &row["issued"].to_string()])
            .args(["--cookie-name", text(&row["cookie_name"])])
            .args(["--secret-key-file".into(), key])
            .run();
        let session = String::from_utf8(unhex(&row["session_hex"]));
        match session {
            Ok(json) if run.code == 0 => assert_eq!(run.stdout.trim_end(), json),
            // Some rows hold bytes that are no session.
            _ => assert!(run.complaint(1).contains("no session"), "{}", run.stderr),
        }
    }
}

/// Starlette signs with the same primitives, under another salt, and its base64 is the other one.
#[test]
fn sessions_of_starlette_verify_with_their_settings() {
    let verify = |cookie: &str, key: &str| {
        carafe(["verify", cookie, "--now", "1700000000", "--allow-weak-key"])
            .args(["--salt", "itsdangerous.Signer", "--key-derivation", "django-concat"])
            .env("SECRET_KEY", key)
            .run()
    };
    for row in rows("flask-extensions.jsonl") {
        if row["kind"] == "starlette" {
            assert_eq!(verify(text(&row["cookie"]), text(&row["secret"])).quiet(), "{}\n");
        }
    }
    let cookie = "eyJhIjogIj8/PyIsICJiIjogIn5+fj4+PiJ9.ZVPxAA.p4rf-SEHGorbz4ifywGaGJ7yYq8";
    let run = verify(cookie, support::GOOD_KEY);
    assert_eq!(run.quiet(), "{\"a\": \"???\", \"b\": \"~~~>>>\"}\n");
    verify(cookie, "another key").complaint(1);
}
