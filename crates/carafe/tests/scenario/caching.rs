//! Headers for caches, and for browsers at a logout, on axum and on actix-web.

use actix_web::{App, HttpResponse, web};
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use carafe::config::Caching;
use carafe::store::MemoryStore;
use carafe::{Config, Error, SecretKey, Session, SessionLayer};

use crate::browser::{Browser, Server};
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::slow::Slow;

const SAID: [(&str, &str); 3] = [
    ("cache-control", "public, max-age=60"),
    ("cache-control", "s-maxage=600"),
    ("cdn-cache-control", "max-age=600"),
];

fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

/// Sessions of every kind outside of Flask's profile.
fn layers(settings: fn(Config) -> Config) -> Vec<SessionLayer> {
    let signed = || SessionLayer::signed(key()).unwrap();
    let layers = [
        signed(),
        signed().with_revocations(Slow::default()),
        SessionLayer::sealed(key()).unwrap(),
        SessionLayer::stored(MemoryStore::new(), key()).unwrap(),
        SessionLayer::stored(Slow::default(), key()).unwrap(),
    ];
    layers.into_iter().map(|layer| layer.configure(settings).unwrap()).collect()
}

fn on_axum(layer: SessionLayer) -> OnAxum {
    let said = || axum::response::AppendHeaders(SAID);
    let app = Router::new()
        .route("/login", any(async |session: Session| session.login("ann")))
        .route("/logout", any(async |session: Session| session.logout()))
        .route("/clear", any(async |session: Session| session.clear()))
        .route("/read", get(async move |_: Session| said().into_response()))
        .route("/write", get(async move |session: Session| session.insert("a", 1).map(|()| said())))
        .route("/plain", get(async move || said()))
        .layer(layer);
    OnAxum(app)
}

async fn on_actix(layer: SessionLayer) -> impl Server {
    fn said() -> HttpResponse {
        let mut response = HttpResponse::Ok();
        for header in SAID {
            response.append_header(header);
        }
        response.finish()
    }
    fn empty(done: Result<(), Error>) -> Result<&'static str, Error> {
        done.map(|()| "")
    }
    let app = App::new()
        .route("/login", web::route().to(async |session: Session| empty(session.login("ann"))))
        .route("/logout", web::route().to(async |session: Session| empty(session.logout())))
        .route("/clear", web::route().to(async |session: Session| empty(session.clear())))
        .route("/read", web::get().to(async |_: Session| said()))
        .route(
            "/write",
            web::get().to(async |session: Session| session.insert("a", 1).map(|()| said())),
        )
        .route("/plain", web::get().to(async || said()))
        .wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

/// Returns a response's `Cache-Control`, and its headers for shared caches.
async fn told<S: Server>(browser: &mut Browser<'_, S>, path: &str) -> (Vec<String>, String) {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 200, "{path}");
    let lines = answer.headers.get_all("cache-control").iter();
    let lines = lines.map(|line| line.to_str().unwrap().to_owned()).collect();
    (lines, answer.header("cdn-cache-control").unwrap_or_default().to_owned())
}

fn only(cache: &str) -> (Vec<String>, String) {
    (vec![cache.to_owned()], "no-store".to_owned())
}

fn as_said() -> (Vec<String>, String) {
    let lines = SAID[..2].iter().map(|(_, line)| (*line).to_owned());
    (lines.collect(), SAID[2].1.to_owned())
}

async fn what_is_read_is_private<S: Server>(site: &S, read: &str) {
    let mut browser = Browser::new(site);
    // A visitor without a session, a visitor who gets one, and a visitor who has one.
    assert_eq!(told(&mut browser, "/read").await, only(read));
    assert_eq!(told(&mut browser, "/write").await, only("no-store"));
    browser.get("/login").await;
    assert_eq!(told(&mut browser, "/read").await, only(read));
    assert_eq!(browser.get("/read").await.header("vary"), Some("Cookie"));
    assert_eq!(told(&mut browser, "/plain").await, as_said());
}

#[tokio::test]
async fn what_depends_on_a_session_is_private() {
    for (settings, read) in [
        ((|config| config) as fn(Config) -> Config, "private, max-age=60"),
        (|config| config.caching(Caching::NoStore), "no-store"),
    ] {
        for layer in layers(settings) {
            what_is_read_is_private(&on_axum(layer.clone()), read).await;
            what_is_read_is_private(&on_actix(layer).await, read).await;
        }
    }
}

#[tokio::test]
async fn in_flasks_profile_caches_are_told_what_the_handler_says() {
    let layer = SessionLayer::flask(key());
    let app = on_axum(layer.clone());
    let mut browser = Browser::new(&app);
    assert_eq!(told(&mut browser, "/write").await, as_said());
    assert_eq!(told(&mut browser, "/read").await, as_said());
    let app = on_actix(layer).await;
    assert_eq!(told(&mut Browser::new(&app), "/read").await, as_said());
}

/// The page of an error depends on the session as the handler's would.
async fn an_error_is_private<S: Server>(site: &S, store: &Slow) {
    let mut browser = Browser::new(site);
    browser.get("/login").await;
    store.switch_off(true);
    for path in ["/read", "/write"] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (503, Some("private")));
    }
    store.switch_off(false);
}

#[tokio::test]
async fn a_page_for_an_error_is_private() {
    let store = Slow::default();
    let layer = SessionLayer::stored(store.clone(), key()).unwrap();
    an_error_is_private(&on_axum(layer.clone()), &store).await;
    an_error_is_private(&on_actix(layer).await, &store).await;
}

async fn a_logout_clears<S: Server>(site: &S, cleared: Option<&str>) {
    let mut browser = Browser::new(site);
    for path in ["/login", "/read", "/write", "/clear", "/login"] {
        assert_eq!(browser.get(path).await.header("clear-site-data"), None, "{path}");
    }
    assert_eq!(browser.get("/logout").await.header("clear-site-data"), cleared);
    assert_eq!(browser.get("/read").await.header("clear-site-data"), None);
}

#[tokio::test]
async fn a_logout_clears_the_sites_data_if_the_setting_says_so() {
    for (settings, cleared) in [
        (
            (|config| config.clear_site_data(true)) as fn(Config) -> Config,
            Some("\"cache\", \"storage\""),
        ),
        (|config| config, None),
    ] {
        for layer in layers(settings) {
            a_logout_clears(&on_axum(layer.clone()), cleared).await;
            a_logout_clears(&on_actix(layer).await, cleared).await;
        }
    }
}

#[tokio::test]
async fn a_logout_that_failed_clears_nothing() {
    let store = Slow::default();
    let layer = SessionLayer::stored(store.clone(), key()).unwrap();
    let site = on_axum(layer.configure(|config| config.clear_site_data(true)).unwrap());
    let mut browser = Browser::new(&site);
    browser.get("/login").await;
    store.switch_off(true);
    let answer = browser.get("/logout").await;
    assert_eq!((answer.status, answer.header("clear-site-data")), (503, None));
}
