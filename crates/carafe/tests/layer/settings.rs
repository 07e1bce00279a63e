//! Profiles and settings, good and bad.

use std::time::Duration;

use axum::Router;
use axum::http::header::CACHE_CONTROL;
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::get;
use carafe::config::SameSite;
use carafe::signing::{Digest, KeyDerivation};
use carafe::{Clock, Config, Error, ErrorKind, Session, SessionLayer};

use crate::support::{Client, NOW, flask, key};

async fn set(session: Session) -> Result<impl IntoResponse, Error> {
    session.insert("a", 1)?;
    Ok(AppendHeaders([(CACHE_CONTROL, "max-age=60")]))
}

fn browser(layer: SessionLayer) -> Client {
    let app = Router::new()
        .route("/set", get(set))
        .route("/get", get(async |session: Session| session.len().to_string()))
        .route("/permanent", get(async |session: Session| session.set_permanent(true)))
        .route("/clear", get(async |session: Session| session.clear()))
        .layer(layer.with_clock(Clock::fixed(NOW)));
    Client::new(app)
}

#[tokio::test]
async fn flask_is_flask() {
    let mut client = browser(SessionLayer::flask(key()));
    let answer = client.get("/set").await;
    assert!(answer.set_cookie().unwrap().starts_with("session=eyJhIjoxfQ."));
    assert_eq!(answer.attributes(), ["HttpOnly", "Path=/"]);
    assert_eq!(answer.all("cache-control"), ["max-age=60"]);
    let answer = client.get("/permanent").await;
    let expires = "Expires=Fri, 15 Dec 2023 22:13:20 GMT";
    assert_eq!(answer.attributes(), [expires, "HttpOnly", "Path=/"]);
    let removed = ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0", "HttpOnly", "Path=/"];
    assert_eq!(client.get("/clear").await.attributes(), removed);
}

#[tokio::test]
async fn signed_is_hardened() {
    let mut client = browser(SessionLayer::signed(key()).unwrap());
    let answer = client.get("/set").await;
    // The format is Flask's, in another cookie.
    assert!(answer.set_cookie().unwrap().starts_with("__Host-session=eyJhIjoxfQ."));
    let attributes = ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"];
    assert_eq!(answer.attributes(), attributes);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    // Where the session is only read, the browser may keep the response.
    let answer = client.get("/get").await;
    assert_eq!((answer.text.as_str(), answer.one("cache-control")), ("1", Some("private")));
    let answer = client.get("/clear").await;
    assert_eq!(answer.attributes()[2..], attributes);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    assert!(client.cookies.is_empty());
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn an_absolute_timeout_cuts_the_default_idle_timeout_short() {
    flask().configure(|config| config.absolute_timeout(HOUR)).unwrap();
    flask().configure(|config| config.idle_timeout(HOUR).absolute_timeout(HOUR)).unwrap();
    flask().configure(|config| config.renew_after(Duration::ZERO)).unwrap();
}

#[test]
fn a_bad_setting_names_itself_its_value_and_what_is_allowed() {
    type Case = (fn(Config) -> Config, [&'static str; 3]);
    let cases: [Case; 30] = [
        (|c| c.cookie_name(""), ["SESSION_COOKIE_NAME", "\"\"", "letters, digits"]),
        (|c| c.cookie_name("a b"), ["SESSION_COOKIE_NAME", "\"a b\"", "letters, digits"]),
        (|c| c.cookie_name("s;x"), ["SESSION_COOKIE_NAME", "\"s;x\"", "letters, digits"]),
        (|c| c.cookie_name("é"), ["SESSION_COOKIE_NAME", "\"é\"", "letters, digits"]),
        (
            |c| c.cookie_domain("exa mple".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"exa mple\"", "example.com"],
        ),
        (
            |c| c.cookie_domain("a;Secure".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"a;Secure\"", "example.com"],
        ),
        (
            |c| c.lifetime(Duration::MAX),
            ["PERMANENT_SESSION_LIFETIME", "18446744073709551615", "hundred years"],
        ),
        (|c| c.inflate_limit(0), ["inflate limit", "0", "1048576"]),
        (
            |c| c.cookie_name("__Host-s"),
            ["SESSION_COOKIE_NAME", "\"__Host-s\"", "SESSION_COOKIE_SECURE"],
        ),
        (
            |c| c.cookie_name("__Secure-s"),
            ["SESSION_COOKIE_NAME", "\"__Secure-s\"", "SESSION_COOKIE_SECURE"],
        ),
        (
            |_| Config::hardened().cookie_path("/app"),
            ["SESSION_COOKIE_PATH", "\"__Host-session\"", "path is /"],
        ),
        (
            |_| Config::hardened().cookie_domain("example.com".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"__Host-session\"", "no domain"],
        ),
        (
            |c| c.cookie_domain("https://example.com".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"https://example.com\"", "without https://"],
        ),
        (
            |c| c.cookie_domain("a..b".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"a..b\"", "example.com"],
        ),
        (
            |c| c.cookie_domain("com".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"com\"", "top-level domain"],
        ),
        (
            |c| c.cookie_domain("co.uk".to_owned()),
            ["SESSION_COOKIE_DOMAIN", "\"co.uk\"", "or other suffix under which"],
        ),
        (|c| c.cookie_path("app"), ["SESSION_COOKIE_PATH", "\"app\"", "begins with /"]),
        (
            |c| c.cookie_path("https://example.com/app"),
            ["SESSION_COOKIE_PATH", "\"https://example.com/app\"", "begins with /"],
        ),
        (|c| c.application_root("myapp"), ["APPLICATION_ROOT", "\"myapp\"", "begins with /"]),
        (
            |c| c.same_site(SameSite::None),
            ["SESSION_COOKIE_SAMESITE", "\"None\"", "SESSION_COOKIE_SECURE"],
        ),
        (
            |_| Config::hardened().cookie_name("s").secure(false).same_site(SameSite::None),
            ["SESSION_COOKIE_SAMESITE", "\"None\"", "SESSION_COOKIE_SECURE"],
        ),
        (
            |c| c.cookie_name("__Http-s").secure(true).http_only(false),
            ["SESSION_COOKIE_NAME", "\"__Http-s\"", "SESSION_COOKIE_HTTPONLY"],
        ),
        (
            |c| c.cookie_name("__host-http-s").secure(true).http_only(false),
            ["SESSION_COOKIE_NAME", "\"__host-http-s\"", "SESSION_COOKIE_HTTPONLY"],
        ),
        (|c| c.lifetime(Duration::ZERO), ["PERMANENT_SESSION_LIFETIME", "0 s", "from a second"]),
        (
            |c| c.idle_timeout(HOUR).absolute_timeout(HOUR / 2),
            ["absolute_timeout", "1800 s", "at least the idle_timeout of 3600 s"],
        ),
        (|c| c.session_limit(0), ["session_limit", "0", "at least 64 bytes"]),
        (
            |c| c.renew_after(Duration::from_millis(500)),
            ["renew_after", "0.5 s", "zero, which turns it off"],
        ),
        (
            |c| c.renewal_grace(Duration::from_millis(500)),
            ["renewal_grace", "0.5 s", "zero, which turns it off"],
        ),
        (|c| c.store_timeout(Duration::ZERO), ["store_timeout", "0 s", "too late"]),
        (|c| c.watch_interval(Duration::ZERO), ["watch_interval", "0 s", "at least 10 ms"]),
    ];
    for (change, names) in cases {
        let error = flask().configure(change).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Setting);
        let text = error.to_string();
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
        assert!(SessionLayer::new(key(), change(Config::flask())).is_err(), "{text}");
    }
}

/// Returns whether a layer with the reader's settings accepts a cookie of the writer's.
async fn shares(writer: fn(Config) -> Config, reader: fn(Config) -> Config) -> bool {
    let mut client = browser(flask().configure(writer).unwrap());
    client.get("/set").await;
    client.app = browser(flask().configure(reader).unwrap()).app;
    client.get("/get").await.text == "1"
}

#[tokio::test]
async fn salt_digest_and_derivation_are_part_of_the_signature() {
    let settings: [fn(Config) -> Config; 5] = [
        |config| config,
        |config| config.salt("other"),
        |config| config.digest(Digest::Sha512),
        |config| config.key_derivation(KeyDerivation::DjangoConcat),
        |config| config.digest(Digest::Sha256).key_derivation(KeyDerivation::None),
    ];
    for (i, writer) in settings.into_iter().enumerate() {
        for (j, reader) in settings.into_iter().enumerate() {
            assert_eq!(shares(writer, reader).await, i == j, "{i} {j}");
        }
    }
    // The cookie's attributes don't matter.
    assert!(shares(|config| config, |config| config.secure(true)).await);
}

#[tokio::test]
async fn settings_of_python_that_contradict_each_other() {
    // `SameSite=None` alone doesn't make a cookie secure, and no browser keeps it; `Partitioned` does.
    let none = |config: Config| config.same_site(SameSite::None);
    assert_eq!(flask().configure(none).unwrap_err().kind(), ErrorKind::Setting);
    let both = flask().configure(|config| none(config).secure(true)).unwrap();
    let attributes = ["Secure", "HttpOnly", "Path=/", "SameSite=None"];
    assert_eq!(browser(both).get("/set").await.attributes(), attributes);
    let embedded = flask().configure(|config| config.partitioned(true)).unwrap();
    let attributes = ["Secure", "HttpOnly", "Path=/", "Partitioned"];
    assert_eq!(browser(embedded).get("/set").await.attributes(), attributes);
    // An empty path counts as unset.
    let root = |config: Config| config.cookie_path("").application_root("/app");
    let answer = browser(flask().configure(root).unwrap()).get("/set").await;
    assert_eq!(answer.attributes(), ["HttpOnly", "Path=/app"]);
}
