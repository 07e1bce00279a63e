//! Cookies and headers.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use carafe::config::{Compression, SameSite};
use carafe::value::Value;
use carafe::{Config, ErrorKind, Session, SessionLayer};

use crate::support::{Client, Log};
use crate::visitor::{hardened, key, layers, stored, visitor};

const SAFE: [&str; 4] = ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"];

#[tokio::test]
async fn every_hardened_profile_has_safe_defaults() {
    for layer in hardened() {
        let mut client = visitor(layer);
        let answer = client.get("/keep").await;
        assert!(answer.set_cookie().unwrap().starts_with("__Host-session="));
        assert_eq!(answer.attributes(), SAFE);
        assert_eq!(answer.one("cache-control"), Some("no-store"));
        assert_eq!(answer.vary(), Some("Cookie"));
        let answer = client.get("/permanent").await;
        assert_eq!(answer.attributes()[1..], SAFE, "{:?}", answer.attributes());
        assert!(answer.attributes()[0].starts_with("Expires="));
    }
}

#[test]
fn a_prefix_whose_rules_the_settings_break_is_refused_at_start() {
    for layer in hardened() {
        for change in [
            (|config: Config| config.secure(false)) as fn(Config) -> Config,
            |config| config.cookie_domain("shop.example".to_owned()),
            |config| config.cookie_path("/app"),
            |config| config.application_root("/app"),
            |config| config.cookie_name("__Secure-x").secure(false),
            |config| config.cookie_name("__HOST-x").secure(false),
        ] {
            let error = layer.clone().configure(change).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Setting, "{error}");
        }
        let renamed = |config: Config| config.cookie_name("s").secure(false);
        layer.configure(renamed).unwrap();
    }
}

#[test]
fn flasks_profile_warns_once_of_what_its_cookie_lacks() {
    let lacking = |change: fn(Config) -> Config| {
        let log = Log::capture();
        // The settings are changed before the layer is in use, and nothing is logged until then.
        let layer = SessionLayer::flask(key()).configure(change).unwrap();
        assert_eq!(log.lax_cookies(), Vec::<String>::new());
        // Each route has the layer around it, and each clone is the same layer.
        let routes =
            || Router::<()>::new().route("/a", get(async || ())).route("/b", get(async || ()));
        drop((routes().layer(layer.clone()), routes().layer(layer)));
        log.lax_cookies()
    };
    for (change, expected) in [
        ((|config| config) as fn(Config) -> Config, "lacking=\"Secure and SameSite\""),
        (|config| config.secure(true), "lacking=\"SameSite\""),
        (|config| config.same_site(SameSite::Lax), "lacking=\"Secure\""),
    ] {
        let lines = lacking(change);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("WARN") && lines[0].contains(expected), "{lines:?}");
        assert!(lines[0].contains("cookie=\"session\""), "{lines:?}");
    }
    let safe = |config: Config| config.secure(true).same_site(SameSite::Strict);
    assert_eq!(lacking(safe), Vec::<String>::new());
    let log = Log::capture();
    drop(hardened().map(visitor));
    assert_eq!(log.lax_cookies(), Vec::<String>::new());
    // Other layers log their own warnings.
    drop([SessionLayer::flask(key()), SessionLayer::flask(key())].map(visitor));
    assert_eq!(log.lax_cookies().len(), 2);
}

/// Each worker of actix-web wraps the layer anew.
#[cfg(feature = "actix")]
#[tokio::test]
async fn all_workers_of_actix_web_warn_once() {
    let log = Log::capture();
    let layer = SessionLayer::flask(key());
    for _worker in 0..3 {
        let app = actix_web::App::new().wrap(layer.clone());
        drop(actix_web::test::init_service(app).await);
    }
    assert_eq!(log.lax_cookies().len(), 1);
}

/// A check before the encryption would miss cookies that only then become too large for browsers.
#[tokio::test]
async fn the_size_is_that_of_the_final_text() {
    for config in [Config::sealed(), Config::hardened(), Config::flask()] {
        let config = config.compression(Compression::Never).max_cookie_size(0);
        let layer = SessionLayer::new(key(), config).unwrap();
        let (mut sent, mut refused) = (0, Vec::new());
        for len in (2800..4200).step_by(23) {
            let handler = async move |session: Session| session.insert("k", "x".repeat(len));
            let app = Router::new().route("/", get(handler)).layer(layer.clone());
            let mut client = Client::new(app);
            let answer = client.get("/").await;
            match answer.set_cookie() {
                Some(line) => {
                    let pair = line.split(';').next().unwrap();
                    assert!(pair.len() - 1 <= 4096, "{len}");
                    sent += 1;
                }
                None => {
                    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
                    refused.push(len);
                }
            }
        }
        assert!(sent > 0 && refused.iter().any(|len| *len < 4000), "{sent} {refused:?}");
    }
}

#[tokio::test]
async fn no_byte_of_a_session_adds_an_attribute_or_a_header() {
    for layer in layers() {
        let expected = visitor(layer.clone()).get("/keep").await.attributes().len();
        for byte in 0..=u8::MAX {
            let handler = async move |session: Session| {
                let text = format!("; Domain=evil.example{}\r\nX: y", char::from(byte));
                session.insert(text.as_str(), text.as_str())?;
                session.insert("bytes", Value::bytes([byte; 8]))
            };
            let app = Router::new().route("/", get(handler)).layer(layer.clone());
            let answer = Client::new(app).get("/").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.attributes().len(), expected, "{:?}", answer.headers);
            let value = answer.set_cookie().unwrap().split(';').next().unwrap();
            assert!(value.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",\\".contains(&byte)));
            assert!(answer.one("x").is_none());
        }
    }
}

#[tokio::test]
async fn a_removal_repeats_every_attribute() {
    let wide = |config: Config| {
        config
            .cookie_name("shop")
            .cookie_domain("shop.example".to_owned())
            .cookie_path("/shop")
            .same_site(SameSite::None)
            .http_only(false)
            .secure(true)
            .partitioned(true)
    };
    for layer in
        layers().into_iter().flat_map(|layer| [layer.clone(), layer.configure(wide).unwrap()])
    {
        let mut client = visitor(layer);
        let set = client.get("/keep").await;
        let removal = client.post("/logout", "").await;
        assert!(client.cookies.is_empty());
        let line = removal.set_cookie().unwrap();
        assert_eq!(
            line.split(';').next().unwrap(),
            format!("{}=", set.set_cookie().unwrap().split('=').next().unwrap())
        );
        let kept: Vec<_> = removal
            .attributes()
            .into_iter()
            .filter(|part| !part.starts_with("Expires=") && !part.starts_with("Max-Age="))
            .collect();
        assert_eq!(kept, set.attributes());
        assert!(line.contains("Max-Age=0") && line.contains("Expires=Thu, 01 Jan 1970"));
    }
}

#[tokio::test]
async fn whatever_looks_at_a_session_varies_with_the_cookie() {
    for layer in layers() {
        let mut client = visitor(layer);
        for _ in 0..2 {
            for path in ["/who", "/keys", "/keep", "/clear", "/keep"] {
                assert_eq!(client.get(path).await.vary(), Some("Cookie"), "{path}");
            }
            for path in ["/login-and-fail", "/rotate", "/logout"] {
                assert_eq!(client.post(path, "").await.vary(), Some("Cookie"), "{path}");
            }
            assert_eq!(client.get("/plain").await.vary(), None);
        }
    }
}

#[tokio::test]
async fn a_session_in_a_store_is_as_small_as_its_id() {
    let mut client = visitor(stored());
    let answer = client.get("/keep").await;
    let value = answer.set_cookie().unwrap().split(['=', ';']).nth(1).unwrap();
    assert_eq!(value.len(), 43 + 1 + 43, "an id of 32 bytes, and its signature");
}
