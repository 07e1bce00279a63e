//! The contents of the log.

use axum::Router;
use axum::routing::post;
use carafe::csrf::CsrfLayer;
use carafe::signing::{SigningOptions, UrlSafeTimedSerializer};
use carafe::value::{Dict, Value};

use crate::support::{Client, Log, NOW};
use crate::visitor::{cookie, key, layers, stored, visitor, with_cookie};

#[tokio::test]
async fn no_log_line_shows_a_secret() {
    for layer in layers() {
        let log = Log::capture();
        let mut client = visitor(layer);
        let mut secrets = vec!["a key for these".to_owned(), "of an attacker".to_owned()];
        client.get("/keep").await;
        let (name, value) = cookie(&client);
        secrets.push(value.clone());
        client.post("/login", "").await;
        secrets.push(cookie(&client).1);
        client.post("/login-and-fail", "").await;
        client.post("/rotate", "").await;
        secrets.push(cookie(&client).1);
        // Cookies that are refused, for every reason.
        let foreign = UrlSafeTimedSerializer::new(&key().into(), &SigningOptions::default());
        let session = Value::from(Dict::from([("hush", "hush")]));
        for bad in [
            "hush-hush-hush".to_owned(),
            format!("{value}x"),
            foreign.dumps(&session, 1).unwrap(),
            foreign.dumps(&session, NOW + 99).unwrap(),
            foreign.dumps(&Value::from("hush"), NOW).unwrap(),
            format!("{value}; {name}={value}"),
            value,
        ] {
            with_cookie(&client, &name, &bad).get("/who").await;
            secrets.push(bad);
        }
        client.post("/logout", "").await;
        assert!(log.lines().len() >= 4, "nothing is logged: {:?}", log.lines());
        let text = log.text();
        let lines: Vec<&str> = text.lines().collect();
        // Parts of secrets are as bad as whole ones.
        let parts = secrets
            .iter()
            .flat_map(|secret| secret.split(['.', ';', '=']))
            .filter(|part| part.len() >= 8);
        for secret in parts.map(str::trim).filter(|part| *part != name).chain(["hush", "ada\""]) {
            for line in &lines {
                assert!(!line.contains(secret), "{secret} in {line}");
            }
        }
    }
}

/// An investigation of an attack finds the request in the log, without the token.
#[tokio::test]
async fn a_request_that_may_be_forged_is_logged() {
    let app = Router::new()
        .route("/do", post(async || ()))
        .layer(CsrfLayer::new(["https://shop.example"]).unwrap())
        .layer(stored());
    let log = Log::capture();
    let token = "A".repeat(86);
    let answer = Client::new(app).post("/do", &format!("csrf_token={token}")).await;
    assert_eq!(answer.status, 403);
    let line = log.line();
    assert!(line.contains("WARN") && line.contains("csrf.refused"), "{line}");
    assert!(!line.contains(&token[..8]), "{line}");
}
