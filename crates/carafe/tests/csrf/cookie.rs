//! The cookie of visitors without a session.

use carafe::config::SameSite;
use carafe::signing::{Digest, SigningOptions, TimestampSigner, UrlSafeTimedSerializer};
use carafe::value::{Dict, Value};
use carafe::{Clock, Config, KeyRing, SecretKey, SessionLayer};

use crate::visitor::{NOW, Visitor, csrf, key, layers};

fn attributes(line: &str) -> Vec<&str> {
    line.split("; ").skip(1).collect()
}

#[tokio::test]
async fn visitors_without_a_session_get_none() {
    for mut visitor in Visitor::of_all_layers() {
        let answer = visitor.get("/token").await;
        let lines = answer.set_cookies();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("session_csrf="), "{lines:?}");
        assert_eq!(answer.all("vary"), ["Cookie"]);
        assert_eq!(visitor.get("/keys").await.text, "");
        // The next page recognises the visitor, and sets no cookie.
        let answer = visitor.get("/token").await;
        assert!(answer.set_cookies().is_empty());
        assert_eq!(answer.all("vary"), ["Cookie"]);
        let token = answer.text;
        assert!(visitor.passes(&token).await);
        assert_eq!(visitor.cookies.len(), 1, "a form that passed began a session");
    }
}

#[tokio::test]
async fn only_pages_with_a_token_set_the_cookie() {
    for mut visitor in Visitor::of_all_layers() {
        let answer = visitor.get("/plain").await;
        assert!(answer.set_cookies().is_empty() && answer.all("vary").is_empty());
        let answer = visitor.get("/extracted").await;
        assert!(answer.set_cookies().is_empty());
        assert_eq!(answer.all("vary"), ["Cookie"]);
    }
}

#[tokio::test]
async fn it_is_as_safe_as_the_sessions_cookie() {
    let [flask, signed, sealed, stored] = layers();
    let mut visitor = Visitor::new(flask);
    let answer = visitor.get("/token").await;
    assert!(answer.set_cookies()[0].starts_with("session_csrf="));
    assert_eq!(attributes(answer.set_cookies()[0]), ["HttpOnly", "Path=/", "SameSite=Lax"]);
    assert!(answer.all("cache-control").is_empty());

    for layer in [signed, sealed, stored] {
        let answer = Visitor::new(layer).get("/token").await;
        assert!(answer.set_cookies()[0].starts_with("__Host-session_csrf="));
        let safe = ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"];
        assert_eq!(attributes(answer.set_cookies()[0]), safe);
        assert_eq!(answer.all("cache-control"), ["no-store"]);
    }

    let config = Config::flask()
        .cookie_name("shop")
        .salt("shop")
        .cookie_domain("shop.example".to_owned())
        .cookie_path("/app")
        .http_only(false)
        .same_site(SameSite::None)
        .partitioned(true);
    let layer = SessionLayer::new(key(), config).unwrap();
    let answer = Visitor::new(layer).get("/token").await;
    assert!(answer.set_cookies()[0].starts_with("shop_csrf="));
    assert_eq!(
        attributes(answer.set_cookies()[0]),
        ["Domain=shop.example", "Secure", "HttpOnly", "Path=/app", "SameSite=None", "Partitioned"]
    );
}

#[tokio::test]
async fn a_cookie_that_this_service_did_not_sign_counts_for_nothing() {
    let mut visitor = Visitor::new(SessionLayer::flask(key()).with_clock(Clock::fixed(NOW)));
    let token = visitor.token().await;
    let good = visitor.cookies["session_csrf"].clone();
    let secret = good.split('.').next().unwrap().to_owned();

    let options = SigningOptions::default().salt("carafe csrf").digest(Digest::Sha256);
    let forged = TimestampSigner::new(&SecretKey::random().unwrap().into(), &options);
    let other_salt = TimestampSigner::new(&key().into(), &SigningOptions::default());
    for bad in [
        secret.clone(),
        format!("{secret}.."),
        forged.sign(&secret, NOW),
        other_salt.sign(&secret, NOW),
        String::new(),
        "A".repeat(43),
    ] {
        visitor.cookies.insert("session_csrf".to_owned(), bad.clone());
        assert!(!visitor.passes(&token).await, "{bad}");
    }
    let bytes = good.as_bytes();
    for at in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1;
        if flipped[at] != b';' {
            visitor.cookies.insert("session_csrf".to_owned(), String::from_utf8(flipped).unwrap());
            assert!(!visitor.passes(&token).await, "{at}");
        }
    }
    // The missing signature was the reason.
    visitor.cookies.insert("session_csrf".to_owned(), good);
    assert!(visitor.passes(&token).await);
    // A page replaces an invalid cookie.
    visitor.cookies.insert("session_csrf".to_owned(), "x".to_owned());
    let token = visitor.token().await;
    assert_ne!(visitor.cookies["session_csrf"], "x");
    assert!(visitor.passes(&token).await);
}

#[tokio::test]
async fn a_csrf_cookie_is_no_session_and_a_session_no_csrf_cookie() {
    for (layer, name) in
        layers().into_iter().zip(["session", "__Host-session", "__Host-session", "__Host-session"])
    {
        let csrf_name = format!("{name}_csrf");
        let mut visitor = Visitor::new(layer);
        visitor.token().await;
        let of_visitor = visitor.cookies[&csrf_name].clone();

        // In the place of the session's cookie it opens nothing, and causes no error.
        let mut confused = visitor.other();
        confused.cookies.insert(name.to_owned(), of_visitor);
        assert_eq!(confused.get("/keys").await.text, "");

        // A session's cookie, which holds a secret too, is not accepted as a CSRF cookie.
        let mut with_session = visitor.other();
        with_session.get("/start").await;
        let token = with_session.token().await;
        assert!(with_session.passes(&token).await);
        let session = with_session.cookies[name].clone();
        let mut confused = visitor.other();
        confused.cookies.insert(csrf_name, session);
        assert!(!confused.passes(&token).await);
    }
}

#[tokio::test]
async fn a_text_that_is_signed_for_something_else_is_no_csrf_cookie() {
    // The service signs a session with the same content under other salts.
    let ring = KeyRing::new(key());
    let mut visitor = Visitor::new(SessionLayer::flask(key()).with_clock(Clock::fixed(NOW)));
    let token = visitor.token().await;
    let secret = visitor.cookies["session_csrf"].split('.').next().unwrap().to_owned();
    for salt in ["cookie-session", "carafe session id", "wtf-csrf-token", ""] {
        for digest in Digest::ALL {
            let options = SigningOptions::default().salt(salt).digest(digest);
            let signed = TimestampSigner::new(&ring, &options).sign(&secret, NOW);
            let dumped = UrlSafeTimedSerializer::new(&ring, &options)
                .dumps(&Value::from(Dict::from([("_carafe_csrf", secret.as_str())])), NOW)
                .unwrap();
            for cookie in [signed, dumped] {
                visitor.cookies.insert("session_csrf".to_owned(), cookie);
                assert!(!visitor.passes(&token).await, "{salt} {digest:?}");
            }
        }
    }
}

#[tokio::test]
async fn it_expires_and_survives_a_change_of_keys() {
    let clock = Clock::fixed(NOW);
    let layer = SessionLayer::flask(key()).with_clock(clock.clone());
    let keys = layer.keys();
    let mut visitor = Visitor::new(layer);
    let token = visitor.token().await;
    let new_key = SecretKey::random().unwrap();
    keys.replace(KeyRing::new(new_key.clone()).with_fallback(key())).unwrap();
    assert!(visitor.passes(&token).await, "under the old key");
    clock.advance(31 * 86_400);
    assert!(visitor.passes(&token).await);
    clock.advance(1);
    assert!(!visitor.passes(&token).await, "older than a session may be");
    let token = visitor.token().await;
    assert!(visitor.passes(&token).await);
    keys.replace(new_key).unwrap();
    assert!(visitor.passes(&token).await, "signed by the new key");
}

#[tokio::test]
async fn two_applications_on_one_host_have_a_cookie_each() {
    let named = |name: &str| {
        let config = Config::flask().cookie_name(name).salt(name);
        Visitor::with(SessionLayer::new(key(), config).unwrap(), csrf())
    };
    let (mut one, mut two) = (named("one"), named("two"));
    let token = one.token().await;
    two.cookies = one.cookies.clone();
    assert!(!two.passes(&token).await);
    two.token().await;
    assert_eq!(two.cookies.keys().collect::<Vec<_>>(), ["one_csrf", "two_csrf"]);
}
