//! Every help page and every error, as files in `tests/snapshots`.
//!
//! After a change that is meant, `UPDATE_SNAPSHOTS=1 cargo test -p carafe-cli --test snapshots`
//! writes them anew; the diff then shows what users will see.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::fmt::Write as _;
use std::path::PathBuf;

use support::{COOKIE, Carafe, Folder, GOOD_KEY, carafe};

/// A second after [`COOKIE`] was signed.
const NOW: &str = "1700000001";

/// Returns the program's output, as text.
fn shown(command: &str, run: Carafe) -> String {
    let run = run.run();
    support::assert_printable(&run.stdout);
    let mut out = format!("$ carafe {command}\n");
    for (name, text) in [("output", &run.stdout), ("messages", &run.stderr)] {
        if !text.is_empty() {
            let _ = write!(out, "--- {name}\n{text}");
        }
    }
    let _ = writeln!(out, "--- exit code {}", run.code);
    out
}

/// Compares with the file, or writes it.
fn check(name: &str, text: &str) -> Result<(), String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text).map_err(|error| format!("{name}: {error}"))?;
        return Ok(());
    }
    let expected = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
    if expected == text {
        return Ok(());
    }
    let differing = expected.lines().zip(text.lines()).find(|(was, is)| was != is);
    Err(format!("{name} differs, first at {differing:?}; it is now:\n{text}"))
}

fn all(checked: Vec<Result<(), String>>) {
    let failed: Vec<String> = checked.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn help_pages() {
    let commands = [
        "inspect",
        "verify",
        "sign",
        "reseal",
        "keygen",
        "check-key",
        "doctor",
        "sessions",
        "sessions list",
        "sessions show",
        "sessions revoke",
        "sessions revoke-user",
        "sessions gc",
        "sessions stats",
        "completions",
        "man",
    ];
    let mut checked = vec![check("help.txt", &shown("--help", carafe(["--help"])))];
    for command in commands {
        let words = || carafe(command.split(' '));
        let name = command.replace(' ', "-");
        let long = shown(&format!("{command} --help"), words().args(["--help"]));
        checked.push(check(&format!("help-{name}.txt"), &long));
        let short = shown(&format!("{command} -h"), words().args(["-h"]));
        checked.push(check(&format!("help-{name}-short.txt"), &short));
    }
    all(checked);
}

#[test]
fn every_command_has_a_manual_page_and_every_shell_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = carafe(["completions", shell]).run().quiet();
        assert!(script.contains("check-key") && script.contains("secret-key-file"), "{shell}");
    }
    for command in ["inspect", "verify", "sign", "reseal", "keygen", "check-key", "doctor"] {
        let page = carafe(["man", command]).run().quiet();
        assert!(page.contains(&format!(".TH carafe-{command} 1")), "{page}");
    }
    let page = carafe(["man", "sessions", "revoke-user"]).run().quiet();
    assert!(page.contains(".TH carafe-sessions-revoke-user 1"), "{page}");
    assert!(carafe(["man"]).run().quiet().contains(".TH carafe 1"));
}

/// Errors of usage, each with a name.
const USAGE: &[(&str, &[&str])] = &[
    ("no-cookie", &["inspect"]),
    ("no-json", &["sign"]),
    ("unknown-command", &["verfy"]),
    ("unknown-option", &["verify", "x", "--maxage", "1"]),
    ("unknown-digest", &["verify", "x", "--digest", "md5"]),
    ("unknown-derivation", &["verify", "x", "--key-derivation", "pbkdf2"]),
    ("unknown-format", &["sign", "{}", "--format", "jwt"]),
    ("unknown-setting", &["reseal", "x", "--to", "flask,size=3"]),
    ("bad-max-age", &["verify", "x", "--max-age", "1d"]),
    ("negative-now", &["verify", "x", "--now", "-1"]),
    ("short-key", &["keygen", "--bytes", "8"]),
    ("two-kinds-of-keys", &["verify", "x", "--secret-key", "a", "--secret-key-file", "b"]),
    ("key-and-cookie", &["check-key", "--secret-key", "a", "--cookie", "b"]),
    ("unknown-page", &["man", "sing"]),
    ("unknown-shell", &["completions", "cmd"]),
    ("escapes-in-arguments", &["\x1b[31mred\x07"]),
    ("no-key", &["verify", COOKIE]),
    ("no-key-file", &["verify", COOKIE, "--secret-key-file", "there-is-none"]),
    ("key-file-is-folder", &["verify", COOKIE, "--secret-key-file", "."]),
    ("empty-key", &["verify", COOKIE, "--secret-key", ""]),
    ("no-json-object", &["sign", "[1]", "--secret-key", "a"]),
    ("no-json-at-all", &["sign", "user_id=42", "--secret-key", "a"]),
    ("bad-tag", &["sign", r#"{"a":{" u":"x"}}"#, "--secret-key", "a"]),
    ("several-cookies", &["inspect", "Cookie: a=1; b=2"]),
    ("no-such-cookie", &["inspect", "Cookie: a=1; b=2", "--cookie-name", "c"]),
    ("empty-input", &["verify", "-", "--secret-key", "a", "--allow-weak-key"]),
    ("url-without-http", &["doctor", "--url", "localhost:5000"]),
    ("url-elsewhere", &["doctor", "--url", "http://192.0.2.1/"]),
    ("url-with-tls", &["doctor", "--url", "https://localhost/"]),
    ("nothing-listens", &["doctor", "--url", "http://127.0.0.1:1/"]),
    ("unknown-sessions-command", &["sessions", "revok"]),
    ("unknown-nested-page", &["man", "sessions", "lost"]),
    ("no-store", &["sessions", "list"]),
    ("no-user", &["sessions", "revoke-user", "--store", "sqlite://x"]),
    ("unknown-store", &["sessions", "list", "--store", "mysql://localhost/shop"]),
    ("store-is-path", &["sessions", "list", "--store", "/var/lib/shop/sessions.db"]),
    ("no-store-file", &["sessions", "list", "--store-file", "there-is-none"]),
    ("two-stores", &["sessions", "list", "--store", "redis://a", "--store-file", "b"]),
    ("no-sqlite-file", &["sessions", "list", "--store", "sqlite://sessions.db"]),
    ("bad-redis-url", &["sessions", "list", "--store", "redis://[broken"]),
    ("bad-postgres-url", &["sessions", "list", "--store", "postgres://h:port/"]),
    ("redis-is-down", &["sessions", "stats", "--store", "redis://127.0.0.1:1"]),
    ("postgres-is-down", &["sessions", "stats", "--store", "postgres://u@127.0.0.1:1/d"]),
    ("no-certificate", &["sessions", "gc", "--store", "rediss://h", "--ca-file", "none.pem"]),
    ("bad-public-id", &["sessions", "show", "17", "--store", "sqlite://sessions.db"]),
    ("bad-limit", &["sessions", "list", "--limit", "0"]),
];

#[test]
fn errors_of_usage() {
    let folder = Folder::new();
    let mut checked = Vec::new();
    for (name, arguments) in USAGE {
        let run = carafe(*arguments).dir(&folder.0);
        let shown = shown(&arguments.join(" ").replace(['\x1b', '\x07'], "^"), run);
        assert!(shown.ends_with("--- exit code 2\n"), "{shown}");
        assert!(!shown.contains("--- output"), "{shown}");
        let errors = shown.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "{shown}");
        checked.push(check(&format!("usage-{name}.txt"), &shown));
    }
    all(checked);
}

fn signed(json: &str, more: &[&str]) -> String {
    let arguments = ["sign", json, "--timestamp", "1700000000"];
    let run = carafe(arguments).args(more).env("SECRET_KEY", GOOD_KEY).run();
    run.quiet().trim_end().to_owned()
}

#[test]
fn refused_cookies() {
    let cookie = signed(r#"{"user_id":42}"#, &[]);
    let sealed = signed(r#"{"user_id":42}"#, &["--format", "sealed,cookie-name=session"]);
    let starlette = ["--salt", "itsdangerous.Signer", "--key-derivation", "django-concat"];
    let id = "kBwAzBhSSFYB0AKJQXlSsnVHB2kiGOs_yHTzYmGWTyM";
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("expired", cookie.clone(), &["--now", "1702678401"]),
        ("expired-soon", cookie.clone(), &["--now", "1700000061", "--max-age", "60"]),
        ("from-the-future", cookie.clone(), &["--now", "1699999990"]),
        ("wrong-digest", signed("{}", &["--digest", "sha256"]), &[]),
        ("wrong-derivation", signed("{}", &["--key-derivation", "concat"]), &[]),
        ("wrong-salt", signed("{}", &["--salt", "itsdangerous"]), &[]),
        ("settings-given", cookie.clone(), &["--digest", "sha512", "--salt", "x"]),
        ("starlette", signed("{}", &starlette), &[]),
        ("wrong-key", COOKIE.to_owned(), &[]),
        ("cut-off", cookie[..cookie.len() - 3].to_owned(), &[]),
        ("changed", cookie.replacen("eyJ1", "eyJ2", 1), &[]),
        ("changed-time", cookie.replacen(".ZVPx", ".ZVPy", 1), &[]),
        ("damaged", format!("eyJ{}", &cookie[5..]), &[]),
        ("nothing", "hello".to_owned(), &[]),
        ("stored-id", format!("{id}.{id}"), &[]),
        ("flask-session", id.to_owned(), &[]),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln".to_owned(), &[]),
        (
            "django",
            "eyJ1c2VyX2lkIjo0Mn0:1r31eq:LdBc1dn_O6Xiog13IybVTxB-b1m6Lrzkut8TaH2ho9g".to_owned(),
            &[],
        ),
    ];
    let mut checked = Vec::new();
    let verify = |name: &str, cookie: &str, more: &[&str], key: &str| {
        let now: &[&str] = if more.contains(&"--now") { &[] } else { &["--now", NOW] };
        let arguments = [&["verify", cookie][..], now, more].concat();
        let shown_cookie = if cookie.starts_with('A') { "SEALED" } else { cookie };
        let command = arguments.join(" ").replace(cookie, shown_cookie);
        let run = carafe(arguments).env("SECRET_KEY", key);
        let shown = shown(&command, run);
        assert!(shown.ends_with("--- exit code 1\n"), "{shown}");
        check(&format!("refused-{name}.txt"), &shown)
    };
    for (name, cookie, more) in &cases {
        checked.push(verify(name, cookie, more, GOOD_KEY));
    }
    let spaced = format!("{GOOD_KEY}\r\n");
    checked.push(verify("key-with-line-break", &cookie, &[], &spaced));
    checked.push(verify("sealed-expired", &sealed, &["--now", "1702678401"], GOOD_KEY));
    checked.push(verify("sealed-future", &sealed, &["--now", "1699999900"], GOOD_KEY));
    checked.push(verify("sealed-other-name", &sealed, &["--cookie-name", "sid"], GOOD_KEY));
    checked.push(verify("sealed-other-key", &sealed, &[], &GOOD_KEY.replace('8', "9")));
    checked.push(verify("sealed-short-key", &sealed, &[], "short but not known"));
    all(checked);
}

#[test]
fn what_inspect_shows() {
    let everything = concat!(
        r#"{"_flashes":[{" t":["message","Welcome!"]}],"_permanent":true,"_user_id":"42","#,
        r#""at":{" d":"Thu, 29 Feb 2024 12:34:56 GMT"},"bytes":{" b":"AP8bWzMxbQ=="},"#,
        r#""cart":{"book":3},"evil \u001b]0;x\u0007":"\u001b[2J\u009b31m\u202e","#,
        r#""id":{" u":"12345678123456781234567812345678"},"n":null,"name":"Zo\u00eb"}"#
    );
    let cookie = signed(everything, &["--no-compress"]);
    let header = format!("Set-Cookie: sid={COOKIE}; HttpOnly; Path=/");
    let mut checked = Vec::new();
    for (name, argument, more) in [
        ("everything", cookie.as_str(), &[][..]),
        ("everything-json", cookie.as_str(), &["--json"]),
        ("header", header.as_str(), &[]),
        ("nothing-json", "hello", &["--json"]),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", &[]),
        ("starlette", "eyJhIjoiPz8/In0=.ZVPxAA._a-QJHUD7HWRAc003A4QL1g0IdU", &[]),
        ("id", "kBwAzBhSSFYB0AKJQXlSsnVHB2kiGOs_yHTzYmGWTyM", &[]),
        ("damaged", "eyJ1c2VyX2lkIjo0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs", &[]),
    ] {
        let arguments = [&["inspect", argument, "--now", "1700086400"][..], more].concat();
        let shown = shown(&arguments.join(" "), carafe(&arguments));
        checked.push(check(&format!("inspect-{name}.txt"), &shown));
    }
    all(checked);
}

#[test]
fn messages_about_keys() {
    let old = "5e0c1a7d3b9f8e6a4c2d1b0f7e8a9c6d";
    let json_keys = format!("[\"older\",\"{old}\"]");
    let cookie = signed("{}", &[]);
    let mut checked = Vec::new();
    let mut case = |name: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        let mut run = carafe(arguments);
        let mut command = String::new();
        for (name, value) in environment {
            run = run.env(name, value);
            let _ = write!(command, "[{name}={value}] ");
        }
        command += &arguments.join(" ");
        checked.push(check(&format!("keys-{name}.txt"), &shown(&command, run)));
    };
    let verify = ["verify", cookie.as_str(), "--now", NOW];
    let with = |more: &[&'static str]| [&verify[..], more].concat();
    case(
        "current",
        &verify,
        &[("SECRET_KEY", GOOD_KEY), ("FLASK_SECRET_KEY_FALLBACKS", &json_keys)],
    );
    case(
        "older",
        &verify,
        &[
            ("FLASK_SECRET_KEY", old),
            ("FLASK_SECRET_KEY_FALLBACKS", &format!("[\"older\",\"{GOOD_KEY}\"]")),
        ],
    );
    case(
        "bad-fallbacks",
        &verify,
        &[("SECRET_KEY", GOOD_KEY), ("FLASK_SECRET_KEY_FALLBACKS", old)],
    );
    case("number", &verify, &[("FLASK_SECRET_KEY", "1234567890123456789012345678901234567890")]);
    case("weak", &with(&["--secret-key", "dev"]), &[]);
    case("short", &with(&["--secret-key", "xK3-8f.qPz"]), &[]);
    case("weak-allowed", &with(&["--secret-key", "dev", "--allow-weak-key"]), &[]);
    case(
        "check",
        &["check-key"],
        &[
            ("SECRET_KEY", GOOD_KEY),
            ("FLASK_SECRET_KEY_FALLBACKS", "[\"dev\",\"1111\",\"k3y-8f.qPz\"]"),
        ],
    );
    case("check-json", &["check-key", "--json"], &[("SECRET_KEY", "changeme")]);
    case("check-cookie", &["check-key", "--cookie", COOKIE], &[]);
    case("check-no-cookie", &["check-key", "--cookie", "x"], &[]);
    case("check-good-cookie", &["check-key", "--cookie", &cookie, "--json"], &[]);
    case(
        "seal-with-short-key",
        &["sign", "{}", "--format", "sealed"],
        &[("SECRET_KEY", "20 bytes of good key")],
    );
    all(checked);
}

#[test]
fn what_doctor_finds_in_the_environment() {
    let mut checked = Vec::new();
    let mut case = |name: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["doctor"][..], arguments].concat();
        let mut run = carafe(&arguments);
        let mut command = String::new();
        for (name, value) in environment {
            run = run.env(name, value);
            let _ = write!(command, "[{name}={value}] ");
        }
        command += &arguments.join(" ");
        checked.push(check(&format!("doctor-{name}.txt"), &shown(&command, run)));
    };
    case("defaults", &[], &[]);
    case("defaults-json", &["--json"], &[("SECRET_KEY", "dev")]);
    let safe = [
        ("SECRET_KEY", GOOD_KEY),
        ("FLASK_SESSION_COOKIE_NAME", "__Host-session"),
        ("FLASK_SESSION_COOKIE_SECURE", "true"),
        ("FLASK_SESSION_COOKIE_SAMESITE", "Lax"),
        ("FLASK_PERMANENT_SESSION_LIFETIME", "86400"),
    ];
    case("safe", &[], &safe);
    case("signed", &["--profile", "signed"], &[("SECRET_KEY", GOOD_KEY)]);
    case(
        "slips",
        &[],
        &[
            ("SECRET_KEY", GOOD_KEY),
            ("FLASK_SECRET_KEY", "12345"),
            ("FLASK_SECRET_KEY_FALLBACKS", "not a list"),
            ("FLASK_SESSION_COKIE_SECURE", "true"),
            ("SESSION_COOKIE_SAMESITE", "Lax"),
            ("FLASK_SESSION_COOKIE_SECURE", "True"),
            ("FLASK_SESSION_COOKIE_NAME", "__Host-session"),
            ("CARAFE_STRIKT", "true"),
            ("CARAFE_ALLOW_WEAK_KEY", "1"),
            ("FLASK_DEBUG", "1"),
        ],
    );
    all(checked);
}
