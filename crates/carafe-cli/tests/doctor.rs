//! `carafe doctor` and a service that runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use axum::Router;
use axum::http::{HeaderName, HeaderValue};
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::testing::Client;
use carafe::{SecretKey, Session, SessionLayer};
use support::{COOKIE, GOOD_KEY, carafe};

/// Answers one request with `response`; gives back what was asked.
fn service(response: impl Into<Vec<u8>>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/login?next=%2F", listener.local_addr().unwrap());
    let response = response.into();
    let answered = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut chunk = [0; 1000];
        while !request.ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut chunk).unwrap();
            request.extend_from_slice(&chunk[..read]);
        }
        // A client that has seen enough hangs up.
        drop(stream.write_all(&response));
        String::from_utf8(request).unwrap()
    });
    (url, answered)
}

fn findings(response: &str, more: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
    let (url, answered) = service(response.replace('\n', "\r\n") + "\r\n\r\n<html>");
    let mut run = carafe(["doctor", "--json", "--profile", "signed", "--url", &url]).args(more);
    for (name, value) in environment {
        run = run.env(name, value);
    }
    let run = run.run();
    answered.join().unwrap();
    let found = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let place = line["place"].as_str().unwrap();
        place.starts_with("response of ").then(|| line["finding"].as_str().unwrap().to_owned())
    };
    run.stdout.lines().filter_map(found).collect()
}

#[test]
fn flasks_own_response() {
    let response = format!(
        "HTTP/1.1 302 FOUND\nServer: Werkzeug\nLocation: /\nVary: Cookie\n\
         Set-Cookie: session={COOKIE}; HttpOnly; Path=/"
    );
    assert_eq!(
        findings(&response, &[], &[]),
        ["secure-off", "published-key", "no-samesite", "no-prefix", "no-no-store"]
    );
    let environment = [("SECRET_KEY", GOOD_KEY), ("FLASK_SESSION_COOKIE_SECURE", "true")];
    let found = findings(&response, &[], &environment);
    assert!(found.contains(&"other-key".to_owned()), "{found:?}");
    assert!(found.contains(&"setting-ignored".to_owned()), "{found:?}");
}

#[test]
fn a_safe_service_has_no_finding() {
    let cookie = carafe(["sign", "{}"]).env("SECRET_KEY", GOOD_KEY).run().quiet();
    let response = format!(
        "HTTP/1.1 200 OK\nvary: cookie\ncache-control: no-store\n\
         set-cookie: lang=de; Path=/\n\
         set-cookie: __Host-session={}; Secure; HttpOnly; Path=/; SameSite=Lax",
        cookie.trim_end()
    );
    let (url, answered) = service(response.replace('\n', "\r\n") + "\r\n\r\n");
    let run = carafe(["doctor", "--profile", "signed", "--url", &url])
        .env("SECRET_KEY", GOOD_KEY)
        .env("FLASK_PERMANENT_SESSION_LIFETIME", "3600")
        .run();
    let request = answered.join().unwrap();
    assert!(request.starts_with("GET /login?next=%2F HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
    let expected = format!(
        "good: nothing found in the environment\ngood: nothing found in the response of {url}\n"
    );
    assert_eq!(run.quiet(), expected);
}

#[test]
fn a_session_that_is_sent_needs_vary() {
    let ok = "HTTP/1.1 200 OK\nContent-Type: text/html";
    // The session that is sent is looked at, too: its key is `dev`.
    let cookie = format!("session={COOKIE}");
    assert_eq!(findings(ok, &["--cookie", &cookie], &[]), ["no-vary", "published-key"]);
    assert!(findings(ok, &[], &[]).is_empty());
    assert!(findings(&format!("{ok}\nVary: Accept, Cookie"), &["--cookie", "a=b"], &[]).is_empty());

    let (url, answered) = service("HTTP/1.1 204 No Content\r\n\r\n");
    let cookie = format!("Cookie: session={COOKIE}");
    let run = carafe(["doctor", "--url", &url, "--cookie", &cookie]).run();
    assert!(run.stderr.starts_with("note: the page sets no session cookie"), "{}", run.stderr);
    assert!(answered.join().unwrap().contains(&format!("\r\nCookie: session={COOKIE}\r\n")));
}

#[test]
fn a_set_cookie_line_can_be_pasted() {
    let line = format!("< set-cookie: session={COOKIE}; HttpOnly; Path=/\r");
    let run = carafe(["doctor", "--profile", "signed", "--set-cookie", &line]).run();
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let (_, found) = run.stdout.split_once("In the Set-Cookie line:\n").unwrap();
    let found: Vec<&str> = found.lines().step_by(2).map(str::trim).collect();
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("unsafe: the cookie session is not Secure"));
    assert!(found[1].starts_with("unsafe: the cookie is signed with a key that is published"));
    let other = carafe(["doctor", "--cookie-name", "sid", "--set-cookie", &line]).run();
    assert!(other.complaint(2).contains("--set-cookie must be a line"), "{}", other.stderr);
}

#[test]
fn other_answers_are_one_clear_line() {
    for (response, message) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n\r\n"[..], "doesn't speak HTTP"),
        (b"HTTP/1.1 200", "closed the connection"),
        (b"", "closed the connection"),
        (&[b'x'; 100_000], "no response"),
    ] {
        let (url, answered) = service(response);
        let run = carafe(["doctor", "--url", &url]).run();
        answered.join().unwrap();
        assert!(run.complaint(2).contains(message), "{}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    // Text from a service doesn't reach the terminal raw.
    let evil =
        "HTTP/1.1 200 OK\r\nVary: \x1b[31m\r\nSet-Cookie: a\x1b[2J=x; Domain=\u{9b}x\r\n\r\n";
    let (url, answered) = service(evil);
    let run = carafe(["doctor", "--url", &url, "--cookie-name", "a\x1b[2J"]).run();
    answered.join().unwrap();
    support::assert_printable(&run.stdout);
    support::assert_printable(&run.stderr);
    assert!(run.stdout.contains("a\\u001b[2J"), "{}", run.stdout);
}

/// The response of a service that begins a session, as it goes over the wire.
async fn response_of(layer: SessionLayer) -> String {
    let begin = get(async |session: Session| session.insert("seen", true));
    let app = Router::new().route("/", begin).layer(layer.clone());
    let response = Client::new(app, &layer).get("/").await.unwrap();
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("\n{name}: {}", value.to_str().unwrap())
    };
    format!("HTTP/1.1 200 OK{}", response.headers().iter().map(header).collect::<String>())
}

/// Without `--profile`, the settings of the environment are judged on the profile that the running
/// service shows.
#[tokio::test]
async fn a_hardened_service_is_judged_by_its_own_profile() {
    let key = || SecretKey::new(GOOD_KEY).unwrap();
    for (layer, profile) in [
        (SessionLayer::signed(key()).unwrap(), "signed"),
        (SessionLayer::sealed(key()).unwrap(), "sealed"),
        (SessionLayer::stored(MemoryStore::new(), key()).unwrap(), "signed"),
    ] {
        let response = response_of(layer).await.replace('\n', "\r\n");
        let (url, answered) = service(format!("{response}\r\n\r\n"));
        let run = carafe(["doctor", "--url", &url])
            .env("SECRET_KEY", GOOD_KEY)
            .env("FLASK_PERMANENT_SESSION_LIFETIME", "3600")
            .run();
        answered.join().unwrap();
        let expected = format!(
            "good: nothing found in the environment\ngood: nothing found in the response of {url}\n"
        );
        assert_eq!(run.stdout, expected, "{response}");
        let note = format!("note: the cookie __Host-session is one of the profile {profile}, ");
        assert!(run.stderr.starts_with(&note), "{}", run.stderr);
        assert_eq!(run.code, 0);
    }
}

#[tokio::test]
async fn the_profile_that_is_named_counts_whatever_the_service_shows() {
    let layer = SessionLayer::signed(SecretKey::new(GOOD_KEY).unwrap()).unwrap();
    let response = response_of(layer).await.replace('\n', "\r\n");
    let (url, answered) = service(format!("{response}\r\n\r\n"));
    let run = carafe(["doctor", "--profile", "flask", "--url", &url]).run();
    answered.join().unwrap();
    assert!(run.stdout.contains("is not Secure"), "{}", run.stdout);
}
