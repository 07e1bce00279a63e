//! From one key and one format to another.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use support::{COOKIE, Carafe, Folder, SIGNED, carafe};

const SESSION: &str = r#"{"user_id":42}"#;
const NEW: &str = "5e0c1a7d3b9f8e6a4c2d1b0f7e8a9c6d";

/// `reseal`, with the new key first and the old one, `dev`, second.
fn reseal(folder: &Folder, cookie: &str, more: &[&str]) -> Carafe {
    let (new, old) = (folder.file("new", NEW), folder.file("old", "dev\n"));
    carafe(["reseal", cookie, "--allow-weak-key", "--now", "1700000060"])
        .args(["--secret-key-file".into(), new, "--secret-key-file".into(), old])
        .args(more)
}

fn verify(cookie: &str, more: &[&str]) -> Carafe {
    let now = (SIGNED + 60).to_string();
    carafe(["verify", cookie.trim_end(), "--now", &now]).args(more).env("SECRET_KEY", NEW)
}

#[test]
fn a_new_key_keeps_the_session_and_its_time() {
    let folder = Folder::new();
    let cookie = reseal(&folder, COOKIE, &[]).run().quiet();
    assert_ne!(cookie.trim_end(), COOKIE);
    let line = verify(&cookie, &["--json"]).run().quiet();
    assert!(line.contains(&format!("\"signed_at\":{SIGNED}")), "{line}");
    assert!(line.contains(&format!("\"payload\":{SESSION}")), "{line}");
    // A cookie that the first key signed is unchanged.
    assert_eq!(reseal(&folder, cookie.trim_end(), &[]).run().quiet(), cookie);
}

#[test]
fn every_format_leads_to_every_other() {
    let folder = Folder::new();
    let formats: [(&str, &[&str]); 4] = [
        ("flask", &[]),
        ("flask,digest=sha256", &["--digest", "sha256"]),
        ("flask,salt=a=b,key-derivation=concat", &["--salt", "a=b", "--key-derivation", "concat"]),
        ("sealed,cookie-name=sid", &["--cookie-name", "sid"]),
    ];
    for (from, verify_from) in formats {
        let first = reseal(&folder, COOKIE, &["--to", from]).run().quiet();
        assert_eq!(verify(&first, verify_from).run().quiet().trim_end(), SESSION, "{from}");
        for (to, verify_to) in formats {
            let arguments = ["--from", from, "--to", to];
            let second = reseal(&folder, first.trim_end(), &arguments).run().quiet();
            let line = verify(&second, verify_to).args(["--json"]).run().quiet();
            assert!(line.contains(&format!("\"payload\":{SESSION}")), "{from} {to} {line}");
            assert!(line.contains(&format!("\"signed_at\":{SIGNED}")), "{from} {to} {line}");
        }
        // Without --to the format stays.
        let again = reseal(&folder, first.trim_end(), &["--from", from]).run().quiet();
        assert_eq!(verify(&again, verify_from).run().quiet().trim_end(), SESSION, "{from}");
    }
}

#[test]
fn a_sealed_session_keeps_its_end() {
    let folder = Folder::new();
    let sealed = reseal(&folder, COOKIE, &["--to", "sealed", "--lifetime", "100"]).run().quiet();
    let expires = |cookie: &str| {
        let line = verify(cookie, &["--json"]).run().quiet();
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        read["expires_at"].as_u64().unwrap()
    };
    assert_eq!(expires(&sealed), SIGNED + 100);
    let again = reseal(&folder, sealed.trim_end(), &["--lifetime", "999"]).run().quiet();
    assert_eq!(expires(&again), SIGNED + 100);
    let renewed = ["--lifetime", "999", "--timestamp", "1700000060"];
    let renewed = reseal(&folder, sealed.trim_end(), &renewed).run().quiet();
    assert_eq!(expires(&renewed), SIGNED + 60 + 999);
}

#[test]
fn what_does_not_verify_is_not_written() {
    let folder = Folder::new();
    let forged = COOKIE.replacen('h', "i", 1);
    let run = reseal(&folder, &forged, &[]).run();
    assert!(run.complaint(1).contains("none of the 2 keys makes this signature"));
    assert_eq!(run.stdout, "");
    let expired = reseal(&folder, COOKIE, &["--max-age", "59"]).run();
    assert!(expired.complaint(1).contains("expired since"));
    let sealed = reseal(&folder, COOKIE, &["--from", "sealed"]).run();
    assert!(sealed.complaint(1).contains("no sealed session"));
    // Old ones among many are told by their lines.
    let many = format!("{COOKIE}\n\n{forged}\nsession={COOKIE}; HttpOnly\n");
    let run = reseal(&folder, "-", &[]).stdin(many).run();
    assert_eq!(run.stdout.lines().count(), 2);
    assert!(run.complaint(1).starts_with("error: line 3: wrong key"), "{}", run.stderr);
}
