//! The cases that Flask-Unsign tests its own decode, verify and sign with, written anew for this
//! program, and where it differs, how.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use support::{Folder, carafe};

const COOKIE: &str = "eyJoZWxsbyI6IndvcmxkIn0.XDtqeQ.1qsBdjyRJLokwRzJdzXMVCSyRTA";
const SESSION: &str = r#"{"hello":"world"}"#;
const KEY: &str = "CHANGEME";
/// Its `legacy` is a digest that ItsDangerous had for a while: SHA-512 without a derivation of its
/// own is what sets the two apart.
const LEGACY: [&str; 2] = ["--digest", "sha512"];
const ALL_TYPES: &str = concat!(
    r#"{"base64":{" b":"U0dWc2JHOGdkMjl5YkdRPQ=="},"#,
    r#""datetime":{" d":"Sun, 13 Jan 2019 16:42:33 GMT"},"dict":{"hello":"world"},"#,
    r#""hello":"world","markup":{" m":"<script>alert(\"evil\")</script>"},"#,
    r#""tuple":{" t":["bar","baz"]},"uuid":{" u":"78787878787878787878787878787878"}}"#
);

fn with_key(arguments: &[&str], key: &str) -> support::Carafe {
    carafe(arguments).env("SECRET_KEY", key).env("CARAFE_ALLOW_WEAK_KEY", "1")
}

#[test]
fn decode_takes_an_argument_or_standard_input() {
    let shown = carafe(["inspect", COOKIE, "--json"]).run().quiet();
    assert!(shown.contains(&format!("\"payload\":{SESSION}")), "{shown}");
    let piped = carafe(["inspect", "-", "--json"]).stdin(COOKIE).run().quiet();
    assert_eq!(piped.replace("\"line\":1,", ""), shown);
    let shown = carafe(["inspect", COOKIE]).run().quiet();
    assert!(shown.contains("hello: str \"world\"") && shown.contains("2019-01-13"), "{shown}");
}

#[test]
fn decode_refuses_what_is_no_session() {
    for nothing in ["Hello world!", "x".repeat(50).as_str()] {
        assert!(carafe(["inspect", nothing]).run().complaint(1).contains("no session's cookie"));
    }
    assert!(carafe(["inspect", ""]).run().complaint(1).contains("no session's cookie"));
    assert!(carafe(["inspect"]).run().complaint(2).contains("<COOKIE>"));
}

#[test]
fn all_types_survive_both_digests() {
    let modern = with_key(&["sign", ALL_TYPES], KEY).run().quiet();
    let legacy = with_key(&["sign", ALL_TYPES], KEY).args(LEGACY).run().quiet();
    assert_ne!(modern, legacy);
    let verify = |cookie: &str| with_key(&["verify", cookie.trim_end()], KEY);
    assert_eq!(verify(&modern).run().quiet().trim_end(), ALL_TYPES);
    assert_eq!(verify(&legacy).args(LEGACY).run().quiet().trim_end(), ALL_TYPES);
    // Unlike there, a wrong digest is named.
    let refused = verify(&legacy).run();
    assert!(refused.complaint(1).contains("would verify with --digest sha512"));
    for cookie in [&modern, &legacy] {
        let decoded = carafe(["inspect", cookie.trim_end(), "--json"]).run().quiet();
        assert!(decoded.contains(&format!("\"payload\":{ALL_TYPES}")), "{decoded}");
    }
}

#[test]
fn verify_knows_the_key_and_no_other() {
    // There, age plays no part.
    let verify = |key| with_key(&["verify", COOKIE, "--max-age", "none"], key).run();
    assert_eq!(verify(KEY).quiet().trim_end(), SESSION);
    assert!(verify("CHANGEMEx").complaint(1).contains("wrong key"));
    let old = with_key(&["verify", COOKIE], KEY).run();
    assert!(old.complaint(1).contains("expired since 2019-02-13 16:42:33 UTC"), "{}", old.stderr);
    assert!(with_key(&["verify", ""], KEY).run().complaint(1).contains("no session's cookie"));
    assert!(carafe(["verify", COOKIE]).run().complaint(2).contains("no secret key"));
}

#[test]
fn sign_makes_what_verifies() {
    let cookie = with_key(&["sign", SESSION, "--timestamp", "1547397753"], KEY).run().quiet();
    assert_eq!(cookie.trim_end(), COOKIE);
    let piped = with_key(&["sign", "-", "--timestamp", "1547397753"], KEY).stdin(SESSION).run();
    assert_eq!(piped.quiet().trim_end(), COOKIE);
    // A Python literal isn't JSON.
    let python = with_key(&["sign", "{'hello': 'world'}"], KEY).run();
    assert!(python.complaint(2).contains("a session is a JSON object such as"));
    assert!(carafe(["sign", SESSION]).run().complaint(2).contains("no secret key"));
    assert!(carafe(["sign"]).env("SECRET_KEY", KEY).run().complaint(2).contains("<JSON>"));
    // A key is text, whatever it looks like.
    for key in ["12345", "\"hello\""] {
        let cookie = with_key(&["sign", SESSION], key).run().quiet();
        let verified = with_key(&["verify", cookie.trim_end()], key).run().quiet();
        assert_eq!(verified.trim_end(), SESSION);
    }
}

#[test]
fn a_well_known_key_is_noticed_and_not_told() {
    let run = carafe(["check-key", "--cookie", COOKIE]).run();
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    assert!(run.stdout.starts_with("published: "), "{}", run.stdout);
    assert!(!run.stdout.contains(KEY));
    // One letter more, and it is no signature at all.
    let other = carafe(["check-key", "--cookie", &format!("{COOKIE}x")]).run();
    assert_eq!(other.code, 0, "{}", other.stdout);
    let folder = Folder::new();
    let key = folder.file("key", KEY);
    let run = carafe(["check-key".into(), "--secret-key-file".into(), key]).run();
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("published: the key in "), "{}", run.stdout);
}

#[test]
fn help_and_version_go_to_standard_output() {
    assert!(carafe(["--version"]).run().quiet().starts_with("carafe "));
    assert!(carafe(["--help"]).run().quiet().contains("Usage: carafe"));
    let nothing = carafe::<&str>([]).run();
    assert_eq!((nothing.code, nothing.stdout.as_str()), (2, ""));
    assert!(nothing.stderr.contains("Usage: carafe"));
}
