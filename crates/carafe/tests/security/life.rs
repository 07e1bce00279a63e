//! The life of a session.

use std::time::Duration;

use carafe::signing::{Digest, Signer, SigningOptions};
use carafe::{Clock, Config};

use crate::support::NOW;
use crate::visitor::{cookie, key, layers, stored, visitor, with_cookie};

#[tokio::test]
async fn a_login_makes_a_new_session_and_drops_the_old_one() {
    for layer in layers() {
        let mut client = visitor(layer);
        client.get("/keep").await;
        let (name, planted) = cookie(&client);
        assert_eq!(client.get("/keys").await.text, "cart");
        client.post("/login", "").await;
        let (_, after) = cookie(&client);
        assert_ne!(after, planted);
        assert!(!client.get("/keys").await.text.contains("cart"), "an attacker's, maybe");
        // The attacker who planted the session isn't logged in with it.
        assert_eq!(with_cookie(&client, &name, &planted).get("/who").await.text, "-");
    }
}

#[tokio::test]
async fn the_old_id_is_dead_after_a_login_and_a_rotation() {
    let mut client = visitor(stored());
    client.get("/keep").await;
    let mut dead = vec![cookie(&client)];
    for path in ["/login", "/login", "/rotate"] {
        client.post(path, "").await;
        let new = cookie(&client);
        assert!(!dead.contains(&new), "{path}");
        for (name, value) in &dead {
            let mut old = with_cookie(&client, name, value);
            assert_eq!(old.get("/who").await.text, "-", "{path}");
            assert_eq!(old.get("/keys").await.text, "", "{path}");
        }
        dead.push(new);
        assert_eq!(client.get("/who").await.text, "ada");
    }
}

#[tokio::test]
async fn a_login_survives_a_handler_that_fails_after_it() {
    for layer in layers() {
        let mut client = visitor(layer);
        client.get("/keep").await;
        let before = cookie(&client);
        let answer = client.post("/login-and-fail", "").await;
        assert_eq!(answer.status, 500);
        assert_ne!(cookie(&client), before);
        assert_eq!(client.get("/who").await.text, "ada");
    }
}

#[tokio::test]
async fn a_rotation_survives_a_handler_that_fails_after_it() {
    let mut client = visitor(stored());
    client.post("/login", "").await;
    let (name, old) = cookie(&client);
    assert_eq!(client.post("/rotate-and-fail", "").await.status, 500);
    assert_ne!(cookie(&client).1, old);
    assert_eq!(client.get("/who").await.text, "ada");
    assert_eq!(with_cookie(&client, &name, &old).get("/who").await.text, "-");
}

/// The time of the login counts: using the session, which signs it anew, doesn't extend the login.
#[tokio::test]
async fn a_login_ends_after_the_absolute_timeout_in_a_cookie_too() {
    for (at, layer) in layers().into_iter().enumerate() {
        let clock = Clock::fixed(NOW);
        let layer = layer.with_clock(clock.clone());
        let limits = |config: Config| config.absolute_timeout(Duration::from_secs(10_000));
        let mut client = visitor(layer.configure(limits).unwrap());
        client.post("/login", "").await;
        client.get("/permanent").await;
        // The lifetime is an hour, and the session is used every half hour.
        for _ in 0..5 {
            clock.advance(1800);
            assert_eq!(client.get("/who").await.text, "ada", "layer {at}");
        }
        let (name, last) = cookie(&client);
        clock.advance(999);
        assert_eq!(client.get("/who").await.text, "ada", "layer {at}");
        clock.advance(2);
        assert_eq!(client.get("/who").await.text, "-", "layer {at}");
        assert_eq!(with_cookie(&client, &name, &last).get("/who").await.text, "-");
    }
}

#[tokio::test]
async fn an_id_that_is_not_in_the_store_is_never_adopted() {
    let client = visitor(stored());
    // A valid signature doesn't help, for the id of an ended session or of another store.
    let options = SigningOptions::default().salt("carafe session id").digest(Digest::Sha256);
    let signer = Signer::new(&key().into(), &options);
    let id = "A".repeat(43);
    let signed = signer.sign(&id);
    for value in [id.as_str(), &signed] {
        for (path, begins) in [
            ("/keep", true),
            ("/permanent", true),
            ("/login", true),
            ("/login-and-fail", true),
            ("/clear", false),
            ("/rotate", false),
            ("/logout", false),
            ("/who", false),
        ] {
            let mut victim = with_cookie(&client, "__Host-session", value);
            let answer = match path.starts_with("/log") || path == "/rotate" {
                true => victim.post(path, "").await,
                false => victim.get(path).await,
            };
            let set = answer.set_cookie().filter(|line| !line.contains("Max-Age=0"));
            assert_eq!(set.is_some(), begins, "{path} {set:?}");
            assert!(set.is_none_or(|line| !line.contains(&id)), "{path}");
        }
        let mut attacker = with_cookie(&client, "__Host-session", value);
        assert_eq!(attacker.get("/keys").await.text, "");
        assert_eq!(attacker.get("/who").await.text, "-");
    }
}

#[tokio::test]
async fn a_copied_cookie_of_a_stored_session_is_dead_after_logout() {
    let mut client = visitor(stored());
    client.post("/login", "").await;
    let (name, value) = cookie(&client);
    let mut copy = with_cookie(&client, &name, &value);
    assert_eq!(copy.get("/who").await.text, "ada");
    client.post("/logout", "").await;
    assert_eq!(copy.get("/who").await.text, "-");
    assert_eq!(copy.get("/keys").await.text, "");
}
