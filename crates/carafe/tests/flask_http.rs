//! Requests that real Flask answered: the same `Set-Cookie` and `Vary` from Carafe under axum.
#![cfg(all(feature = "axum", feature = "idna"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use carafe::value::Value;
use carafe::{Clock, Config, Error, ErrorKind, KeyRing, SecretKey, Session, SessionLayer};
use serde_json::Value as Json;
use tower::ServiceExt as _;

use support::{rows, text};

type Operation = fn(&Session) -> Result<(), Error>;

/// The recorded operations, by their names.
fn operation(name: &str) -> Option<Operation> {
    Some(match name {
        "get on empty" => |session| session.get::<i64>("a").map(drop),
        "in" => |session| {
            assert!(session.contains("a"));
            Ok(())
        },
        "iter" => |session| {
            assert_eq!(session.iter().count(), 1);
            Ok(())
        },
        "repr" => |session| {
            let _ = format!("{session:?}");
            Ok(())
        },
        "read .permanent" => |session| {
            assert!(!session.is_permanent());
            Ok(())
        },
        "set same value" => |session| session.insert("a", 1),
        "clear"
        | "clear on empty, no cookie"
        | "clear permanent"
        | "delete with all attributes" => Session::clear,
        "pop last key" | "popitem" => |session| session.remove("a").map(drop),
        "pop one of two" => |session| session.remove("b").map(drop),
        "setdefault new" => |session| session.entry("b").or_insert(9).map(drop),
        "|=" => |session| session.extend([("b", 1)]),
        "modified=True on empty" => Session::mark_modified,
        "permanent set, refresh off" => |session| session.insert("a", 2),
        "permanent=True on empty" | "permanent=True again" | "all attributes" => {
            |session| session.set_permanent(true)
        }
        "permanent=False on empty" => |session| session.set_permanent(false),
        "404 still saves" => |session| session.insert("b", 1),
        "leading-dot domain"
        | "IDN domain"
        | "path"
        | "path needs quoting"
        | "httponly off"
        | "samesite Strict"
        | "samesite \"None\" does not force Secure"
        | "__Host- name" => |session| session.insert("a", 1),
        "cookie name" => |session| session.insert("a", 2),
        "oversize, MAX_COOKIE_SIZE=0" => |session| session.insert("b", incompressible()),
        "flash" => |session| session.flash("hi"),
        "flash twice" => |session| session.flash("two"),
        "consume last flash deletes cookie" => |session| session.get_flashed_messages().map(drop),
        "filter drops unmatched too" => {
            |session| session.get_flashed_messages_of(&["error"]).map(drop)
        }
        _ => return None,
    })
}

/// As many bytes as the recorded request stored, which no compression makes smaller.
fn incompressible() -> Value {
    let mut state = 1u64;
    let bytes = (0..63 * 64).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    });
    Value::Bytes(bytes.collect())
}

/// An error if a setting is one that no browser accepts, with which Flask starts all the same.
fn app(row: &Json, operation: Option<Operation>) -> Result<Router, Error> {
    let fallbacks = row["fallbacks"].as_array().into_iter().flatten();
    let fallbacks: Vec<SecretKey> =
        fallbacks.map(|key| SecretKey::new(text(key)).unwrap()).collect();
    let keys = KeyRing::from_flask(SecretKey::new(text(&row["secret"])).unwrap(), fallbacks);
    let settings = row["config"].as_object().into_iter().flatten().map(|(name, value)| {
        let python = text(value).trim_matches('\'');
        let json = match python {
            "True" => "true",
            "False" => "false",
            other => other,
        };
        (format!("FLASK_{name}"), json.to_owned())
    });
    let layer = SessionLayer::new(keys, Config::flask().with_variables(settings).unwrap())?
        .with_clock(Clock::fixed(row["now"].as_u64().unwrap()));
    let status = StatusCode::from_u16(row["status"].as_u64().unwrap_or(200) as u16).unwrap();
    let handler =
        async move |session: Session, Extension(operation): Extension<Option<Operation>>| {
            match operation {
                Some(operation) => operation(&session).map(|()| (status, String::new())),
                None => Ok((status, Value::Dict(session.to_dict()).to_tagged_json()?)),
            }
        };
    Ok(Router::new().route("/", get(handler)).layer(Extension(operation)).layer(layer))
}

async fn send(app: Router, cookie: Option<&[u8]>) -> Response<Body> {
    let mut request = Request::get("/");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

fn headers<'a>(response: &'a Response<Body>, name: &str) -> Vec<&'a str> {
    response.headers().get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn set_cookie_and_vary_are_flasks() {
    for row in rows("flask-http.jsonl") {
        let name = text(&row["name"]);
        let operation = operation(name).unwrap_or_else(|| panic!("no operation for {name:?}"));
        let config_name =
            row["config"]["SESSION_COOKIE_NAME"].as_str().map(|n| n.trim_matches('\''));
        let cookie = row["request_cookie"]
            .as_str()
            .map(|value| format!("{}={value}", config_name.unwrap_or("session")));
        let app = app(&row, Some(operation));
        if name == "samesite \"None\" does not force Secure" {
            // A documented difference: browsers drop this cookie.
            assert_eq!(app.unwrap_err().kind(), ErrorKind::Setting);
            continue;
        }
        let response = send(app.unwrap(), cookie.as_deref().map(str::as_bytes)).await;
        if name.starts_with("oversize") {
            // A documented difference: browsers would drop this cookie silently.
            assert!(text(&row["set_cookie"][0]).len() > 4096);
            assert_eq!(response.status(), 500);
            assert!(headers(&response, "set-cookie").is_empty());
            continue;
        }
        assert_eq!(
            u64::from(response.status().as_u16()),
            row["status"].as_u64().unwrap(),
            "{name}"
        );
        assert_eq!(headers(&response, "vary"), [text(&row["vary"])], "{name}");
        let expected: Vec<&str> = row["set_cookie"].as_array().unwrap().iter().map(text).collect();
        let got = headers(&response, "set-cookie");
        if expected.iter().any(|cookie| cookie.starts_with("session=.")) {
            // Compressed: another zlib may find other bytes.
            let tail = |cookie: &str| cookie.split_once("; ").map(|(_, tail)| tail.to_owned());
            assert_eq!(got.len(), 1, "{name}");
            assert_eq!(tail(got[0]), tail(expected[0]), "{name}");
        } else {
            assert_eq!(got, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn bad_cookies_give_what_they_give_in_flask_or_less() {
    let mut stricter = 0;
    for row in rows("flask-invalid.jsonl") {
        let reason = text(&row["reason"]);
        let mut row_with_settings = row.clone();
        if row["max_age"].as_i64().unwrap() <= 0 {
            // A lifetime that is over within the second of the login is refused at start.
            let lifetime = [("FLASK_PERMANENT_SESSION_LIFETIME", row["max_age"].to_string())];
            let config = Config::flask().with_variables(lifetime);
            let key = SecretKey::new("dev").unwrap();
            assert!(config.and_then(|config| SessionLayer::new(key, config)).is_err());
            continue;
        }
        let lifetime = row["max_age"].to_string();
        row_with_settings["config"] = serde_json::json!({"PERMANENT_SESSION_LIFETIME": lifetime});
        row_with_settings["status"] = 200.into();
        if row["secret"].is_null() {
            // No secret key: refused before there is a layer.
            assert!(SecretKey::new("").is_err());
            continue;
        }
        // Text beyond ASCII travelled as UTF-8.
        let header = text(&row["cookie_header"]).as_bytes();
        if axum::http::HeaderValue::from_bytes(header).is_err() {
            continue;
        }
        let response = send(app(&row_with_settings, None).unwrap(), Some(header)).await;
        assert_eq!(response.status(), 200, "{reason}");
        let set_cookie: Vec<String> =
            headers(&response, "set-cookie").iter().map(|&cookie| cookie.to_owned()).collect();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        match text(&row["flask_result"]) {
            "empty" => {
                assert_eq!(body, "{}", "{reason}");
                assert!(set_cookie.is_empty(), "{reason}: {set_cookie:?}");
            }
            "loaded" if body == "{}" => {
                // The documented refusals: another spelling of a good signature.
                let category = text(&row["category"]);
                assert!(
                    ["sig-malleable", "sig-mutated", "unicode"].contains(&category),
                    "{category}: {reason}"
                );
                stricter += 1;
            }
            "loaded" => assert!(set_cookie.is_empty(), "{reason}"),
            "500" => {
                assert_eq!(body, "{}", "{reason}");
                assert_eq!(
                    set_cookie,
                    [
                        "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; HttpOnly; Path=/"
                    ],
                    "{reason}"
                );
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(stricter, 9);
}
