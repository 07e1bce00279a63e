//! Responses while the store is down: every extractor answers 503, optional or not, and never with
//! a guest's page; a handler that looks at the error answers itself.

use carafe::SessionLayer;
use carafe::config::Refresh;

use crate::browser::{Browser, Server};
use crate::slow::Slow;
use crate::{members, shop};

/// Layers over a store that can be switched off: with sessions, or with revocation marks alone.
fn layers() -> [(SessionLayer, Slow); 2] {
    let layer = || SessionLayer::flask(shop::key());
    let layer = || layer().configure(|config| config.refresh(Refresh::OnExtract)).unwrap();
    let (sessions, endings) = (Slow::default(), Slow::default());
    [
        (layer().in_store(sessions.clone()), sessions),
        (layer().with_revocations(endings.clone()), endings),
    ]
}

/// Sends a user's request while the store is down, and expects `page`.
async fn run<S: Server>(site: &S, store: &Slow, page: &str) {
    let mut browser = Browser::new(site);
    browser.get("/login").await;
    store.switch_off(true);
    for path in ["/account", "/", "/session", "/typed", "/named", "/csrf"] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (503, page), "{path}");
        assert_eq!(answer.header("vary"), Some("Cookie"), "{path}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
    }
    for path in ["/own", "/lazy"] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "own page: Store"), "{path}");
        assert_eq!(answer.header("vary"), Some("Cookie"), "{path}");
    }
    assert_eq!(browser.get("/static").await.status, 200);
    // A visitor without a session needs no store.
    assert_eq!(Browser::new(site).get("/").await.text, "a guest");
    store.switch_off(false);
    for path in ["/", "/account", "/own"] {
        assert_eq!(browser.get(path).await.text, "ann", "{path}");
    }
    for path in ["/session", "/typed", "/named", "/csrf"] {
        assert_eq!(browser.get(path).await.text, "there", "{path}");
    }
}

#[tokio::test]
async fn an_outage_on_axum_is_503() {
    for (layer, store) in layers() {
        run(&members::on_axum(layer.clone()), &store, "Service Unavailable").await;
        run(&members::on_axum(shop::layer(layer)), &store, "Store").await;
    }
}

#[tokio::test]
async fn an_outage_on_actix_is_503() {
    for (layer, store) in layers() {
        run(&members::on_actix(layer.clone()).await, &store, "Service Unavailable").await;
        run(&members::on_actix(shop::layer(layer)).await, &store, "Store").await;
    }
}

#[tokio::test]
async fn an_outage_on_tower_is_503() {
    for (layer, store) in layers() {
        run(&members::on_tower(layer.clone()), &store, "Service Unavailable").await;
        run(&members::on_tower(shop::layer(layer)), &store, "Store").await;
    }
}

/// In actix-web an error may also come as actix-web's own type: to a handler that looks at it, or
/// to an extractor of the application that passes it on.
#[tokio::test]
async fn whoever_looks_at_the_error_knows() {
    for (layer, store) in layers() {
        let site = members::on_actix(shop::layer(layer)).await;
        let mut browser = Browser::new(&site);
        browser.get("/login").await;
        store.switch_off(true);
        let answer = browser.get("/status").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "own page: 503"));
        let answer = browser.get("/member").await;
        assert_eq!((answer.status, answer.text.as_str()), (503, "Store"));
        let answer = Browser::new(&site).get("/status").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "own page: 303"));
        assert_eq!(Browser::new(&site).get("/member").await.text, "none");
    }
}
