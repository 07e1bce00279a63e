//! Keys and settings from the environment. Each test runs itself again in a process with its own
//! variables, since all tests share this process's variables.

use std::process::Command;

use axum::Router;
use axum::routing::get;
use carafe::signing::SigningOptions;
use carafe::{ErrorKind, KeyRing, SecretKey, Session, SessionLayer};

use crate::support::{Client, Log};

const INNER: &str = "CARAFE_TESTS_INNER";

/// Returns whether this is the inner process; if not, runs it and asserts its success.
fn inner(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(INNER).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().contains("SECRET_KEY")
            || name.to_string_lossy().starts_with("FLASK_")
        {
            command.env_remove(name);
        }
    }
    let name = format!("environment::{test}");
    command.args(["--exact", &name]).env(INNER, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

async fn set(session: Session) -> Result<(), carafe::Error> {
    session.insert("a", 1)?;
    session.set_permanent(true)
}

fn browser(layer: SessionLayer) -> Client {
    let read = async |session: Session| session.len().to_string();
    Client::new(Router::new().route("/set", get(set)).route("/get", get(read)).layer(layer))
}

#[tokio::test]
async fn everything_from_the_environment() {
    let variables = [
        ("FLASK_SECRET_KEY", "\"new key\""),
        ("FLASK_SECRET_KEY_FALLBACKS", r#"["oldest key", "old key"]"#),
        ("FLASK_SESSION_COOKIE_NAME", "sid"),
        ("FLASK_SESSION_COOKIE_DOMAIN", "example.com"),
        ("FLASK_SESSION_COOKIE_PATH", "/app"),
        ("FLASK_SESSION_COOKIE_HTTPONLY", "false"),
        ("FLASK_SESSION_COOKIE_SECURE", "true"),
        ("FLASK_SESSION_COOKIE_SAMESITE", "Strict"),
        ("FLASK_SESSION_COOKIE_PARTITIONED", "true"),
        ("FLASK_SESSION_REFRESH_EACH_REQUEST", "false"),
        ("FLASK_PERMANENT_SESSION_LIFETIME", "3600"),
        ("FLASK_MAX_COOKIE_SIZE", "0"),
        ("FLASK_DEBUG", "1"),
    ];
    if !inner("everything_from_the_environment", &variables) {
        return;
    }
    let mut client = browser(SessionLayer::from_flask_env().unwrap());
    let answer = client.get("/set").await;
    assert!(answer.set_cookie().unwrap().starts_with("sid="));
    let mut attributes = answer.attributes();
    assert!(attributes.remove(1).starts_with("Expires="));
    let expected = ["Domain=example.com", "Secure", "Path=/app", "SameSite=Strict", "Partitioned"];
    assert_eq!(attributes, expected);
    assert_eq!(client.get("/get").await.set_cookie(), None, "no refresh");
    // Every key verifies, and the current one alone is needed for its own signatures.
    let with_name = |keys: KeyRing| {
        SessionLayer::flask(keys).configure(|config| config.cookie_name("sid")).unwrap()
    };
    for (key, shared) in [("new key", true), ("old key", false), ("\"new key\"", false)] {
        client.app = browser(with_name(SecretKey::new(key).unwrap().into())).app;
        assert_eq!(client.get("/get").await.text == "2", shared, "{key}");
    }
    for key in ["old key", "oldest key"] {
        let mut client = browser(with_name(SecretKey::new(key).unwrap().into()));
        client.get("/set").await;
        client.app = browser(with_name(KeyRing::from_flask_env().unwrap())).app;
        assert_eq!(client.get("/get").await.text, "2", "{key}");
    }
}

#[test]
fn without_a_key_the_error_names_the_variable() {
    if !inner("without_a_key_the_error_names_the_variable", &[("EMPTY", ""), ("FLASK_EMPTY", "")]) {
        return;
    }
    for name in ["SECRET_KEY", "FLASK_SECRET_KEY", "EMPTY", "FLASK_EMPTY"] {
        let error = SecretKey::from_env(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
        let text = error.to_string();
        assert!(text.contains(&format!("variable {name} ")) && text.contains("openssl rand"));
    }
    let error = SessionLayer::from_flask_env().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingSecretKey);
    assert!(error.to_string().contains("FLASK_SECRET_KEY"));
    // A random key is meant for experiments.
    let log = Log::capture();
    let key = SecretKey::from_env_or_random().unwrap();
    assert_eq!(format!("{key:?}"), "SecretKey(32 bytes)");
    let _layer = SessionLayer::flask(key);
    assert!(log.line().contains("session.random_key"), "{}", log.line());
}

#[test]
fn a_bad_variable_is_named_and_a_key_is_never_shown() {
    let variables = [
        ("FLASK_SECRET_KEY", "a key"),
        ("FLASK_SECRET_KEY_FALLBACKS", "the-old-key"),
        ("FLASK_SESSION_COOKIE_SECURE", "yes"),
    ];
    if !inner("a_bad_variable_is_named_and_a_key_is_never_shown", &variables) {
        return;
    }
    let error = KeyRing::from_flask_env().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    let text = error.to_string();
    assert!(text.contains("FLASK_SECRET_KEY_FALLBACKS") && text.contains("JSON list"), "{text}");
    assert!(!text.contains("the-old-key"), "{text}");
    let text = carafe::Config::flask().from_prefixed_env().unwrap_err().to_string();
    assert!(text.contains("FLASK_SESSION_COOKIE_SECURE is \"yes\""), "{text}");
    assert!(text.contains("true or false"), "{text}");
}

/// Flask parses `FLASK_SECRET_KEY` as JSON if possible, while an application uses `SECRET_KEY`
/// unchanged: a quoted key differs between the two.
#[test]
fn only_flasks_variables_are_read_as_json() {
    let quoted = "\"in quotes\"";
    let variables = [("SECRET_KEY", quoted), ("FLASK_SECRET_KEY", quoted), ("EMPTY", "")];
    if !inner("only_flasks_variables_are_read_as_json", &variables) {
        return;
    }
    let signs = |key: SecretKey| {
        carafe::signing::Signer::new(&key.into(), &SigningOptions::default()).sign("value")
    };
    let key = |text: &str| signs(SecretKey::new(text).unwrap());
    assert_eq!(signs(SecretKey::from_env("SECRET_KEY").unwrap()), key(quoted));
    assert_eq!(signs(SecretKey::from_env("FLASK_SECRET_KEY").unwrap()), key("in quotes"));
    // The application's own variable comes first.
    assert_eq!(signs(SecretKey::from_env_or_random().unwrap()), key(quoted));
    let ring = KeyRing::from_env().unwrap();
    assert_eq!(signs(ring.iter().next().unwrap().clone()), key(quoted));
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let variables = [("SECRET_KEY", ""), ("FLASK_SECRET_KEY", "the key of Flask")];
    if !inner("an_empty_variable_is_as_good_as_none", &variables) {
        return;
    }
    let signs = |key: SecretKey| {
        carafe::signing::Signer::new(&key.into(), &SigningOptions::default()).sign("value")
    };
    let expected = signs(SecretKey::new("the key of Flask").unwrap());
    assert_eq!(signs(SecretKey::from_env_or_random().unwrap()), expected);
    let ring = KeyRing::from_env().unwrap();
    assert_eq!(signs(ring.iter().next().unwrap().clone()), expected);
}

/// Flask reads a number, with which it can't sign.
#[test]
fn a_key_of_digits_is_its_text_and_the_log_says_so() {
    let variables = [("FLASK_SECRET_KEY", "20231114221320")];
    if !inner("a_key_of_digits_is_its_text_and_the_log_says_so", &variables) {
        return;
    }
    let signs = |key: SecretKey| {
        carafe::signing::Signer::new(&key.into(), &SigningOptions::default()).sign("value")
    };
    let log = Log::capture();
    let key = SecretKey::from_env("FLASK_SECRET_KEY").unwrap();
    let _layer = SessionLayer::flask(key.clone().allow_weak_key());
    assert_eq!(signs(key), signs(SecretKey::new("20231114221320").unwrap()));
    assert!(log.line().contains("session.ambiguous_key"), "{}", log.line());
    assert!(!log.text().contains("20231114221320"), "{}", log.text());
}

/// A random key in its place would log all users out, for no visible reason.
#[test]
fn a_key_that_cant_be_read_is_an_error_where_a_random_one_would_do() {
    let name = "a_key_that_cant_be_read_is_an_error_where_a_random_one_would_do";
    if !inner(name, &[("FLASK_SECRET_KEY", r#""\ud800""#)]) {
        return;
    }
    let error = SecretKey::from_env_or_random().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
}
