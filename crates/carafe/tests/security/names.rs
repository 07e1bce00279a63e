//! A cookie is valid only under the name that it was made for.

use std::sync::Arc;

use carafe::config::Format;
use carafe::signing::{Digest, Signer, SigningOptions};
use carafe::store::MemoryStore;
use carafe::{Clock, Config, ErrorKind, KeyRing, SecretKey, SessionLayer, SharedKeys};

use crate::support::NOW;
use crate::visitor::{cookie, key, visitor, with_cookie};

/// The hardened profiles under one key and, where there is one, with one store.
fn profiles() -> [Box<dyn Fn(&'static str) -> SessionLayer>; 3] {
    let named = |layer: SessionLayer, name: &'static str| {
        let layer = layer.configure(|config| config.cookie_name(name)).unwrap();
        layer.with_clock(Clock::fixed(NOW))
    };
    let store = Arc::new(MemoryStore::new());
    [
        Box::new(move |name| named(SessionLayer::signed(key()).unwrap(), name)),
        Box::new(move |name| named(SessionLayer::sealed(key()).unwrap(), name)),
        Box::new(move |name| named(SessionLayer::stored(Arc::clone(&store), key()).unwrap(), name)),
    ]
}

#[tokio::test]
async fn a_cookie_is_good_for_its_own_name_alone() {
    for (profile, layer) in profiles().into_iter().enumerate() {
        let mut customer = visitor(layer("__Host-customer"));
        customer.post("/login", "").await;
        let (name, value) = cookie(&customer);
        assert_eq!(name, "__Host-customer");
        for (name, expected) in [("__Host-customer", "ada"), ("__Host-staff", "-")] {
            let mut other = with_cookie(&visitor(layer(name)), name, &value);
            assert_eq!(other.get("/who").await.text, expected, "{profile}: {name}");
        }
    }
}

#[test]
fn layers_that_would_accept_each_others_sessions_are_refused() {
    let keys = SharedKeys::new(key());
    let named = |name: &'static str| Config::flask().cookie_name(name);
    let customer = SessionLayer::new(keys.clone(), named("customer")).unwrap();
    let error = SessionLayer::new(keys.clone(), named("staff")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    let text = error.to_string();
    for part in ["\"customer\"", "\"staff\"", "Config::salt"] {
        assert!(text.contains(part), "{text}");
    }
    let plain = SessionLayer::flask(keys.clone());
    assert!(plain.configure(|config| config.cookie_name("staff")).is_err());
    // A salt of its own, a format that is bound to the name, or the same cookie.
    let salted = SessionLayer::new(keys.clone(), named("staff").salt("staff session")).unwrap();
    let hardened = SessionLayer::signed(keys.clone()).unwrap();
    let sealed = SessionLayer::sealed(keys.clone()).unwrap();
    let same = SessionLayer::new(keys.clone(), named("customer")).unwrap();
    // The same layer under another name.
    let renamed = salted.configure(|config| config.cookie_name("team")).unwrap();
    drop((customer, hardened, sealed, same, renamed));
    SessionLayer::new(keys, named("staff")).unwrap();
}

/// A key that was copied, or read twice, is the same key.
#[test]
fn layers_with_copies_of_a_key_are_refused_as_well() {
    let named = |name: &'static str| Config::flask().cookie_name(name);
    let customer = SessionLayer::new(key(), named("customer")).unwrap();
    let error = SessionLayer::new(key(), named("staff")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Setting);
    // One is enough, also among the fallbacks.
    let ring = KeyRing::new(SecretKey::random().unwrap()).with_fallback(key());
    assert!(SessionLayer::new(ring, named("staff")).is_err());
    assert!(SessionLayer::flask(key()).configure(|config| config.cookie_name("staff")).is_err());
    SessionLayer::new(key(), named("staff").salt("staff session")).unwrap();
    SessionLayer::new(SecretKey::random().unwrap(), named("staff")).unwrap();
    SessionLayer::new(key(), named("customer")).unwrap();
    drop(customer);
    SessionLayer::new(key(), named("staff")).unwrap();
}

/// Older versions signed the ids of stored sessions without the cookie's name.
#[tokio::test]
async fn ids_of_before_are_read_if_they_are_accepted() {
    let store = Arc::new(MemoryStore::new());
    let layer =
        || SessionLayer::stored(Arc::clone(&store), key()).unwrap().with_clock(Clock::fixed(NOW));
    let mut client = visitor(layer());
    client.post("/login", "").await;
    let (name, value) = cookie(&client);
    let before = SigningOptions::default().salt("carafe session id").digest(Digest::Sha256);
    let before = Signer::new(&KeyRing::new(key()), &before).sign(value.split('.').next().unwrap());
    let accepting = layer().accept(Format::unnamed()).unwrap();
    for (layer, cookie, expected) in
        [(layer(), &before, "-"), (accepting.clone(), &before, "ada"), (accepting, &value, "ada")]
    {
        let mut other = with_cookie(&visitor(layer), &name, cookie);
        assert_eq!(other.get("/who").await.text, expected);
    }
}

/// Older versions signed sessions without the cookie's name, and Flask does so as well.
#[tokio::test]
async fn signed_sessions_without_the_name_are_read_if_they_are_accepted() {
    let flask = SessionLayer::flask(key())
        .configure(|config| config.cookie_name("__Host-session").secure(true))
        .unwrap();
    let mut client = visitor(flask.with_clock(Clock::fixed(NOW)));
    client.post("/login", "").await;
    let (name, value) = cookie(&client);
    let signed = || SessionLayer::signed(key()).unwrap().with_clock(Clock::fixed(NOW));
    let accepting = signed().accept(Format::default()).unwrap();
    for (layer, expected) in [(signed(), "-"), (accepting, "ada")] {
        let mut other = with_cookie(&visitor(layer), &name, &value);
        assert_eq!(other.get("/who").await.text, expected);
    }
    let other = SecretKey::random().unwrap();
    assert!(SessionLayer::signed(other).unwrap().accept(Format::unnamed()).is_ok());
}
