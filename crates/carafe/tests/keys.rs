//! Weak keys, and keys that are replaced while the service runs.
#![cfg(all(feature = "axum", feature = "sealed"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/browser.rs"]
mod browser;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use browser::{Browser, app};
use carafe::store::MemoryStore;
use carafe::{Config, ErrorKind, KeyRing, SecretKey, Session, SessionLayer, SharedKeys};
use tokio::sync::Notify;

fn key() -> SecretKey {
    SecretKey::random().unwrap()
}

fn published() -> SecretKey {
    SecretKey::new("any random string").unwrap()
}

type Profile = fn(SharedKeys) -> Result<SessionLayer, carafe::Error>;

/// The profiles other than Flask's.
const HARDENED: [Profile; 2] =
    [|keys| SessionLayer::signed(keys), |keys| SessionLayer::sealed(keys)];

#[test]
fn the_hardened_profiles_refuse_published_keys_and_flasks_accepts_them() {
    for profile in HARDENED {
        for ring in [published().into(), KeyRing::new(key()).with_fallback(published())] {
            let error = profile(ring.into()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WeakKey);
            assert!(error.to_string().contains("CARAFE_ALLOW_WEAK_KEY=1"), "{error}");
        }
    }
    SessionLayer::signed(published().allow_weak_key()).unwrap();
    let _ = SessionLayer::flask(published());
}

#[test]
fn the_hardened_profiles_refuse_what_can_be_guessed_or_asks_to_be_changed() {
    for key in [
        "admin",
        "qwerty",
        "letmein",
        "fifteen bytes!!",
        "${SECRET_KEY}",
        "<secret>",
        "{{ key }}",
        "supersecretkey123",
        "0123456789abcdef0123456789abcdef",
        "abcabcabcabcabcabcabcabcabcabcabcabc",
        "your-secret-key-change-in-production",
        "your-256-bit-secret-your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long",
    ] {
        let weak = || SecretKey::new(key).unwrap();
        for profile in HARDENED {
            assert_eq!(profile(weak().into()).unwrap_err().kind(), ErrorKind::WeakKey, "{key}");
        }
        // Sealed sessions are none of Flask's, whatever the other settings are.
        let sealed = SessionLayer::new(weak(), carafe::Config::flask().seal(true));
        assert_eq!(sealed.unwrap_err().kind(), ErrorKind::WeakKey, "{key}");
        let _ = SessionLayer::flask(weak());
    }
}

/// The variable belongs to a process, so this test starts itself in another one.
#[test]
fn the_environment_can_allow_weak_keys() {
    const NAME: &str = "CARAFE_ALLOW_WEAK_KEY";
    const EXPECTED: &str = "CARAFE_TEST_EXPECTS_OK";
    if let Some(expected) = std::env::var_os(EXPECTED) {
        assert_eq!(SessionLayer::signed(published()).is_ok(), expected == "yes");
        let too_short = SessionLayer::sealed(published()).unwrap_err();
        assert_eq!(too_short.kind(), ErrorKind::WeakKey);
        return;
    }
    for (value, expected) in [("1", "yes"), ("0", "no"), ("true", "no"), ("", "no")] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_environment_can_allow_weak_keys"])
            .env(NAME, value)
            .env(EXPECTED, expected)
            .status()
            .unwrap();
        assert!(status.success(), "{NAME}={value}");
    }
}

/// Counts the warnings of this crate.
#[derive(Clone, Default)]
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "carafe" && *metadata.level() == tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

fn warnings(during: impl FnOnce()) -> usize {
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), during);
    warnings.0.load(Ordering::Relaxed)
}

#[test]
fn flasks_profile_warns_once_of_each_weak_key() {
    let layer = |keys: KeyRing| {
        let named = |config: carafe::Config| config.cookie_name("s");
        drop(SessionLayer::flask(keys).configure(named).unwrap().clone());
    };
    assert_eq!(warnings(|| layer(published().into())), 1);
    assert_eq!(warnings(|| layer(SecretKey::new("too short").unwrap().into())), 1);
    assert_eq!(warnings(|| layer(KeyRing::new(published()).with_fallback(published()))), 2);
    assert_eq!(warnings(|| layer(key().into())), 0);
    assert_eq!(warnings(|| layer(published().allow_weak_key().into())), 0);
}

#[test]
fn a_key_that_comes_later_is_judged_like_the_first() {
    let keys = SharedKeys::new(key());
    let flask = SessionLayer::flask(keys.clone());
    assert_eq!(warnings(|| keys.replace(published()).unwrap()), 1);
    drop(flask);

    let keys = SharedKeys::new(key());
    let signed = SessionLayer::signed(keys.clone()).unwrap();
    assert_eq!(keys.replace(published()).unwrap_err().kind(), ErrorKind::WeakKey);
    let sealed = SessionLayer::sealed(keys.clone()).unwrap();
    keys.replace(SecretKey::new("q7Zx!pW2m_Kd9vRt").unwrap()).unwrap_err();
    // A layer that is gone has no say.
    drop((signed, sealed));
    keys.replace(published()).unwrap();
}

#[tokio::test]
async fn replaced_keys_hold_for_every_layer_at_once() {
    let [old, new] = [key(), key()];
    let keys = SharedKeys::new(old.clone());
    let shop = app(SessionLayer::signed(keys.clone()).unwrap());
    let admin = SessionLayer::sealed(keys.clone()).unwrap();
    assert_eq!(admin.keys().ring().len(), 1);
    let (admin, handle) = (app(admin.clone()), admin.keys());
    for app in [shop, admin] {
        handle.replace(old.clone()).unwrap();
        let mut browser = Browser::default();
        browser.get(&app, "/login/ada").await;
        handle.replace(KeyRing::new(new.clone()).with_fallback(old.clone())).unwrap();
        assert_eq!(browser.user(&app).await, "ada");
        // Written under the new key now, so that the old one isn't needed any more.
        browser.get(&app, "/login/eve").await;
        handle.replace(new.clone()).unwrap();
        assert_eq!(browser.user(&app).await, "eve");
        handle.replace(key()).unwrap();
        assert_eq!(browser.user(&app).await, "");
    }
}

#[tokio::test]
async fn keys_that_one_layer_refuses_change_nothing() {
    let keys = SharedKeys::new(key());
    let sealed = SessionLayer::sealed(keys.clone()).unwrap();
    let flask = app(SessionLayer::flask(keys.clone()));
    let mut browser = Browser::default();
    browser.get(&flask, "/login/ada").await;
    let short = SecretKey::new("q7Zx!pW2m_Kd9vRt").unwrap();
    assert_eq!(keys.replace(short).unwrap_err().kind(), ErrorKind::WeakKey);
    assert_eq!(browser.user(&flask).await, "ada");
    drop(sealed);
}

#[tokio::test]
async fn keys_come_from_a_file_without_a_restart() {
    let file = std::env::temp_dir().join(format!("carafe-rotation-{}", std::process::id()));
    let line = |number: u32| format!("{number:08x}a4c1e7f30b95d2861f7ea3c05d94b8e2");
    std::fs::write(&file, line(1)).unwrap();
    let layer = SessionLayer::sealed(KeyRing::from_file(&file).unwrap()).unwrap();
    let (keys, app) = (layer.keys(), app(layer));
    let mut browser = Browser::default();
    browser.get(&app, "/login/ada").await;
    std::fs::write(&file, format!("{}\n{}\n", line(2), line(1))).unwrap();
    keys.replace(KeyRing::from_file(&file).unwrap()).unwrap();
    assert_eq!(browser.user(&app).await, "ada");
    std::fs::write(&file, line(2)).unwrap();
    keys.replace(KeyRing::from_file(&file).unwrap()).unwrap();
    assert_eq!(browser.user(&app).await, "");
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn a_request_under_way_keeps_its_session_and_writes_under_the_new_key() {
    let [old, new] = [key(), key()];
    let layer = SessionLayer::sealed(old.clone()).unwrap();
    let keys = layer.keys();
    let (entered, resume) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (entered, resume) = (Arc::clone(&entered), Arc::clone(&resume));
        async move |session: Session| {
            let user = session.get::<String>("user")?.unwrap_or_default();
            entered.notify_one();
            resume.notified().await;
            session.insert("user", format!("{user} and eve"))
        }
    };
    let app = app(layer.clone())
        .merge(axum::Router::new().route("/slow", axum::routing::get(slow)).layer(layer));
    let browser = Arc::new(tokio::sync::Mutex::new(Browser::default()));
    browser.lock().await.get(&app, "/login/ada").await;
    let request = {
        let (browser, app) = (Arc::clone(&browser), app.clone());
        tokio::spawn(async move { browser.lock().await.get(&app, "/slow").await })
    };
    entered.notified().await;
    keys.replace(new).unwrap();
    resume.notify_one();
    request.await.unwrap();
    assert_eq!(browser.lock().await.user(&app).await, "ada and eve");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_ever_between_two_rings() {
    let mut used = vec![key()];
    let layer = SessionLayer::sealed(used[0].clone()).unwrap();
    let (keys, app) = (layer.keys(), app(layer));
    let visitors: Vec<_> = (0..4)
        .map(|visitor| {
            let app = app.clone();
            tokio::spawn(async move {
                let mut browser = Browser::default();
                for n in 0..200 {
                    let user = format!("{visitor}-{n}");
                    browser.get(&app, &format!("/login/{user}")).await;
                    assert_eq!(browser.user(&app).await, user);
                }
            })
        })
        .collect();
    // Every key stays a fallback, so that a slow machine refuses nothing either.
    for _ in 0..100 {
        let newest = key();
        let older = used.iter().rev().cloned();
        keys.replace(older.fold(KeyRing::new(newest.clone()), KeyRing::with_fallback)).unwrap();
        used.push(newest);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    for visitor in visitors {
        visitor.await.unwrap();
    }
}

type Backend = fn(SharedKeys) -> SessionLayer;

const BACKENDS: [(&str, Backend); 6] = [
    ("flask", |keys| SessionLayer::flask(keys)),
    ("signed", |keys| SessionLayer::signed(keys).unwrap()),
    ("sealed", |keys| SessionLayer::sealed(keys).unwrap()),
    ("revocable", |keys| SessionLayer::sealed(keys).unwrap().with_revocations(MemoryStore::new())),
    ("stored", |keys| SessionLayer::stored(MemoryStore::new(), keys).unwrap()),
    ("flask, stored", |keys| SessionLayer::flask(keys).in_store(MemoryStore::new())),
];

/// Logs in, replaces the key, reads once, and drops the old key: who is logged in then?
async fn after_a_rotation(backend: Backend, change: fn(Config) -> Config) -> String {
    let [old, new] = [SecretKey::random().unwrap(), SecretKey::random().unwrap()];
    let keys = SharedKeys::new(old.clone());
    let app = app(backend(keys.clone()).configure(change).unwrap());
    let mut browser = Browser::default();
    browser.get(&app, "/login/ada").await;
    keys.replace(KeyRing::new(new.clone()).with_fallback(old)).unwrap();
    assert_eq!(browser.get(&app, "/").await.0, "ada");
    keys.replace(new).unwrap();
    browser.get(&app, "/").await.0
}

#[tokio::test]
async fn readers_outlive_their_key_where_outdated_sessions_are_rewritten() {
    for (name, backend) in BACKENDS {
        let user = after_a_rotation(backend, |config| {
            config.rewrite_outdated(true).renew_after(Duration::ZERO)
        });
        assert_eq!(user.await, "ada", "{name}");
        let user = after_a_rotation(backend, |config| config.renew_after(Duration::ZERO));
        assert_eq!(user.await, "", "{name}, and otherwise only who writes");
    }
}
