//! Changes of the format or of the key with live cookies: users stay logged in.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/browser.rs"]
mod browser;

use browser::{Browser, app};
use carafe::config::Format;
use carafe::signing::{Digest, SigningOptions};
use carafe::{Clock, Config, KeyRing, SecretKey, SessionLayer};

fn sha1() -> Format {
    Format::signed(SigningOptions::default())
}

fn sha256() -> Format {
    Format::signed(SigningOptions::default().digest(Digest::Sha256))
}

fn other_salt() -> Format {
    Format::flask(SigningOptions::default().salt("another"))
}

/// A layer with all formats in one cookie name and under the same settings.
fn layer(keys: &KeyRing, written: &Format) -> SessionLayer {
    let config = if *written == Format::sealed() { Config::sealed() } else { Config::hardened() };
    let config = match written {
        written if *written == sha256() => config.digest(Digest::Sha256),
        written if *written == other_salt() => config.salt("another"),
        _ => config,
    };
    SessionLayer::new(keys.clone(), config).unwrap()
}

fn is_sealed(cookie: &str) -> bool {
    !cookie.contains('.')
}

#[tokio::test]
async fn every_format_follows_every_other_one() {
    let keys = KeyRing::new(SecretKey::random().unwrap());
    let formats = [sha1(), sha256(), other_salt(), Format::sealed()];
    for old in &formats {
        for new in formats.iter().filter(|new| *new != old) {
            let before = app(layer(&keys, old));
            let after = app(layer(&keys, new).accept(old.clone()).unwrap());
            let strict = app(layer(&keys, new));

            let mut browser = Browser::default();
            browser.get(&before, "/login/ada").await;
            assert_eq!(browser.user(&strict).await, "", "accepted without being listed");
            assert_eq!(browser.user(&after).await, "ada");

            // The session is rewritten at the next write, and then in the new format alone.
            let (_, cookie) = browser.get(&after, "/login/eve").await;
            assert_eq!(is_sealed(&cookie.unwrap()), *new == Format::sealed());
            assert_eq!(browser.user(&strict).await, "eve");
            assert_eq!(browser.user(&before).await, "", "the old format alone still reads it");

            // The way back works as well.
            let back = app(layer(&keys, old).accept(new.clone()).unwrap());
            assert_eq!(browser.user(&back).await, "eve");
            browser.get(&back, "/login/bob").await;
            assert_eq!(browser.user(&before).await, "bob");
        }
    }
}

#[tokio::test]
async fn a_layer_accepts_a_whole_list() {
    let keys = KeyRing::new(SecretKey::random().unwrap());
    let formats = [sha1(), sha256(), other_salt(), Format::sealed()];
    let mut all = layer(&keys, &Format::sealed());
    for format in &formats {
        all = all.accept(format.clone()).unwrap();
    }
    let all = app(all);
    for format in &formats {
        let mut browser = Browser::default();
        browser.get(&app(layer(&keys, format)), "/login/ada").await;
        assert_eq!(browser.user(&all).await, "ada", "{format:?}");
    }
}

#[tokio::test]
async fn outdated_sessions_are_rewritten_at_once_if_asked_for() {
    let [old_key, new_key] = [SecretKey::random().unwrap(), SecretKey::random().unwrap()];
    let keys = KeyRing::new(new_key).with_fallback(old_key.clone());
    let old_key = KeyRing::new(old_key);
    for (before, written) in [
        (layer(&old_key, &sha1()), sha1()),
        (layer(&keys, &sha1()), sha256()),
        (layer(&old_key, &sha256()), Format::sealed()),
        (layer(&old_key, &Format::sealed()), Format::sealed()),
    ] {
        let accept = |config: Config| config.accept(sha1()).accept(sha256());
        let lazy = app(layer(&keys, &written).configure(accept).unwrap());
        let eager = layer(&keys, &written)
            .configure(|config| accept(config).rewrite_outdated(true))
            .map(app)
            .unwrap();
        for path in ["/", "/static"] {
            let mut browser = Browser::default();
            browser.get(&app(before.clone()), "/login/ada").await;
            assert_eq!(browser.get(&lazy, path).await.1, None);
            let (_, cookie) = browser.get(&eager, path).await;
            assert_eq!(is_sealed(&cookie.unwrap()), written == Format::sealed());
            assert_eq!(browser.get(&eager, path).await.1, None, "once is enough");
            assert_eq!(browser.user(&eager).await, "ada");
        }
    }
}

#[tokio::test]
async fn a_sealed_cookie_is_for_its_own_name() {
    let keys = KeyRing::new(SecretKey::random().unwrap());
    let named = |name: &str| {
        let config = Config::sealed().cookie_name(name);
        app(SessionLayer::new(keys.clone(), config).unwrap())
    };
    let (one, two) = (named("__Host-one"), named("__Host-two"));
    let mut browser = Browser::default();
    browser.get(&one, "/login/ada").await;
    assert_eq!(browser.user(&one).await, "ada");
    browser.cookie = browser.cookie.map(|cookie| cookie.replace("one", "two"));
    assert_eq!(browser.user(&two).await, "");
}

#[tokio::test]
async fn a_sealed_session_ends_with_its_lifetime() {
    let clock = Clock::fixed(1_700_000_000);
    let keys = KeyRing::new(SecretKey::random().unwrap());
    let lasting = |seconds| {
        let lifetime = std::time::Duration::from_secs(seconds);
        let config = Config::sealed().lifetime(lifetime);
        app(SessionLayer::new(keys.clone(), config).unwrap().with_clock(clock.clone()))
    };
    let (short, long) = (lasting(100), lasting(1000));
    let mut browser = Browser::default();
    browser.get(&long, "/login/ada").await;
    clock.advance(100);
    assert_eq!(browser.user(&short).await, "ada");
    clock.advance(1);
    assert_eq!(browser.user(&short).await, "", "a shorter lifetime holds for what is out");
    assert_eq!(browser.user(&long).await, "ada");
    clock.advance(899);
    assert_eq!(browser.user(&long).await, "ada");
    clock.advance(1);
    assert_eq!(browser.user(&long).await, "");
    let mut browser = Browser::default();
    browser.get(&short, "/login/ada").await;
    clock.advance(101);
    assert_eq!(browser.user(&long).await, "", "a longer lifetime doesn't lengthen it");
}

#[tokio::test]
async fn a_layer_that_writes_signed_sessions_opens_sealed_ones_under_a_fallback() {
    let sealing = SecretKey::random().unwrap();
    let short = SecretKey::new("q7Zx!pW2m_Kd9vRt").unwrap();
    let mut browser = Browser::default();
    browser.get(&app(SessionLayer::sealed(sealing.clone()).unwrap()), "/login/ada").await;
    let keys = KeyRing::new(short.clone()).with_fallback(sealing);
    let signed = SessionLayer::signed(keys).unwrap().accept(Format::sealed()).unwrap();
    assert_eq!(browser.user(&app(signed)).await, "ada");

    let alone = SessionLayer::signed(short).unwrap().accept(Format::sealed());
    assert_eq!(alone.unwrap_err().kind(), carafe::ErrorKind::WeakKey);
}
