//! A layer around the whole application and a clone of it, or another layer, around a part of it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{App, web};
use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{get, post};
use carafe::config::Refresh;
use carafe::csrf::Csrf;
use carafe::store::MemoryStore;
use carafe::{Error, ErrorPage, LazySession, Named, Session, SessionLayer};

use crate::browser::{Browser, Server};
use crate::log::Log;
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::shop;
use crate::slow::Slow;

/// The name of the inner layer's session.
struct Api;

/// Layers of every kind, which both frameworks have.
fn layers() -> Vec<SessionLayer> {
    let key = || carafe::SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let flask = || SessionLayer::flask(key());
    let signed = || SessionLayer::signed(key()).unwrap();
    let unless_opened = |config: carafe::Config| config.refresh(Refresh::OnExtract);
    vec![
        flask(),
        flask().configure(unless_opened).unwrap(),
        flask().in_store(MemoryStore::new()),
        signed(),
        signed().with_revocations(Slow::default()),
        SessionLayer::sealed(key()).unwrap(),
        SessionLayer::stored(MemoryStore::new(), key()).unwrap(),
        SessionLayer::stored(Slow::default(), key()).unwrap(),
    ]
}

/// The inner layer: its page for errors and its name are its own.
fn inner(layer: &SessionLayer) -> SessionLayer {
    let page = |error: &Error| ErrorPage::from((error.status(), "the inner page"));
    layer.clone().on_error(page).named::<Api>()
}

fn login(session: &Session) -> Result<String, Error> {
    session.set_permanent(true)?;
    session.login("ann").map(|()| String::new())
}

fn who(session: &Session) -> Result<String, Error> {
    let seen: Option<u64> = session.get("seen")?;
    Ok(format!("{} {}", session.user().unwrap_or_default(), seen.unwrap_or(0)))
}

fn fail(session: &Session) -> Result<String, Error> {
    session.insert("name", "ann")?;
    session.get::<u64>("name").map(|_| String::new())
}

fn mark(session: &Session) {
    session.update("seen", |seen: Option<u64>| seen.unwrap_or(0) + 1).unwrap();
}

fn on_axum(outer: SessionLayer, inner: SessionLayer) -> OnAxum {
    async fn marked(session: Session, request: Request, next: Next) -> Response {
        mark(&session);
        next.run(request).await
    }
    let api = Router::new()
        .route("/login", post(async |session: Session| login(&session)))
        .route("/who", get(async |named: Named<Api>| who(named.session())))
        .route("/fail", get(async |session: Session| fail(&session)))
        .layer(inner);
    let app = Router::new()
        .nest("/api", api)
        .route("/fail", get(async |session: Session| fail(&session)))
        .layer(axum::middleware::from_fn(marked))
        .layer(outer);
    OnAxum(app)
}

async fn on_actix(outer: SessionLayer, inner: SessionLayer) -> impl Server {
    async fn marked(
        mut request: ServiceRequest,
        next: actix_web::middleware::Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
        mark(&request.extract::<Session>().await?);
        next.call(request).await
    }
    let api = web::scope("/api")
        .route("/login", web::post().to(async |session: Session| login(&session)))
        .route("/who", web::get().to(async |named: Named<Api>| who(named.session())))
        .route("/fail", web::get().to(async |session: Session| fail(&session)))
        .wrap(inner);
    let app = App::new()
        .service(api)
        .route("/fail", web::get().to(async |session: Session| fail(&session)))
        .wrap(actix_web::middleware::from_fn(marked))
        .wrap(outer);
    OnActix(actix_web::test::init_service(app).await)
}

/// A new visitor logs in below both layers, and is known from then on.
async fn run<S: Server>(site: &S) {
    let mut browser = Browser::new(site);
    let answer = browser.post("/api/login", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    // The login has dropped the earlier values.
    for seen in 1..4 {
        let answer = browser.get("/api/who").await;
        assert_eq!((answer.status, answer.text), (200, format!("ann {seen}")));
        assert!(answer.headers.get_all("set-cookie").iter().count() < 2);
    }
    for (path, page) in [("/api/fail", "the inner page"), ("/fail", "Type")] {
        let answer = browser.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (500, page));
    }
    // A visitor with a session logs in.
    let mut browser = Browser::new(site);
    browser.get("/api/who").await;
    assert_eq!(browser.post("/api/login", "").await.status, 200);
    assert_eq!(browser.get("/api/who").await.text, "ann 1");
}

#[tokio::test]
async fn a_session_has_one_owner_on_axum() {
    for layer in layers() {
        let inner = inner(&layer);
        run(&on_axum(shop::layer(layer.clone()), shop_login(inner))).await;
    }
}

#[tokio::test]
async fn a_session_has_one_owner_on_actix() {
    for layer in layers() {
        let inner = inner(&layer);
        run(&on_actix(shop::layer(layer.clone()), shop_login(inner)).await).await;
    }
}

/// The login page of the shop's layer, without its page for errors.
fn shop_login(layer: SessionLayer) -> SessionLayer {
    layer.with_login_page("/login").unwrap()
}

/// Two layers of one cookie that aren't clones of each other answer no request.
async fn refuses<S: Server>(site: &S, expected: [&str; 2]) {
    let log = Log::capture();
    let answer = Browser::new(site).get("/api/who").await;
    assert_eq!((answer.status, answer.text.as_str()), (500, "the inner page"));
    let line = log.line();
    assert!(line.contains("kind=Setting"), "{line}");
    for part in expected.iter().chain(&["two session layers own the cookie", "nested::Api"]) {
        assert!(line.contains(part), "{line}");
    }
    // The outer layer works on routes without the inner one.
    assert_eq!(Browser::new(site).get("/fail").await.text, "Internal Server Error");
}

#[tokio::test]
async fn two_different_layers_of_one_cookie_are_an_error() {
    let key = || carafe::SecretKey::new("a key for these tests, of 40 characters.").unwrap();
    let signed = || SessionLayer::signed(key()).unwrap();
    let stored = || SessionLayer::stored(MemoryStore::new(), key()).unwrap();
    for (outer, inner_layer, expected) in [
        (signed(), stored(), ["with sessions in the cookie", "with sessions in a store"]),
        (stored(), stored(), ["the outer one", "the inner one"]),
        (signed(), SessionLayer::sealed(key()).unwrap(), ["the outer one", "the inner one"]),
        (
            signed(),
            signed().with_login_page("/in").unwrap(),
            ["no login page", "the login page \"/in\""],
        ),
    ] {
        refuses(&on_axum(outer.clone(), inner(&inner_layer)), expected).await;
        refuses(&on_actix(outer, inner(&inner_layer)).await, expected).await;
    }
}

/// Cookies of different paths are different cookies.
#[tokio::test]
async fn layers_of_different_cookies_stand_side_by_side() {
    let layer = || SessionLayer::flask(shop::key());
    let at_api = || layer().configure(|config| config.cookie_path("/api")).unwrap();
    let named = || layer().configure(|config| config.cookie_name("api").salt("api")).unwrap();
    for inner in [at_api(), named()] {
        let inner = inner.named::<Api>();
        let answer = Browser::new(&on_axum(layer(), inner.clone())).post("/api/login", "").await;
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
        let site = on_actix(layer(), inner).await;
        let answer = Browser::new(&site).post("/api/login", "").await;
        assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 2);
    }
}

/// Between two clones of a layer may be a layer of another cookie.
#[tokio::test]
async fn the_innermost_layers_session_is_the_sessions() {
    let layer = SessionLayer::flask(shop::key());
    let other = SessionLayer::flask(shop::key());
    let other = other.configure(|config| config.cookie_name("other").salt("other")).unwrap();
    let app = Router::new()
        .route("/", get(async |session: Session| session.insert("a", 1)))
        .layer(layer.clone())
        .layer(other)
        .layer(layer);
    let answer = Browser::new(&OnAxum(app)).get("/").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 1);
    assert!(cookies[0].to_str().unwrap().starts_with("session="));
}

/// Nested CSRF layers: a visitor gets one token, whose cookie is set once.
async fn run_with_tokens<S: Server>(site: &S) {
    let mut browser = Browser::new(site);
    let answer = browser.get("/api/token").await;
    assert_eq!(answer.status, 200);
    let (outer, inner) = answer.text.split_once(' ').unwrap();
    assert_eq!(outer, inner, "one page has one token");
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    browser.token = outer.to_owned();
    assert_eq!(browser.post("/api/order", "a=b").await.text, "ordered");
    browser.token = "forged".to_owned();
    assert_eq!(browser.post("/api/order", "a=b").await.status, 403);
}

#[tokio::test]
async fn a_token_has_one_owner() {
    /// The token that a middleware has asked for.
    #[derive(Clone)]
    struct Outer(String);

    async fn early(csrf: Csrf, mut request: Request, next: Next) -> Response {
        request.extensions_mut().insert(Outer(csrf.token().unwrap()));
        next.run(request).await
    }
    let layer = SessionLayer::flask(shop::key());
    let stored = layer.clone().in_store(Slow::default());
    for (layer, inner) in [
        (layer.clone(), shop::csrf()),
        (layer, carafe::csrf::CsrfLayer::same_host().exempt(|_| true)),
        (stored, shop::csrf()),
    ] {
        let outer = shop::csrf();
        let token = async |axum::Extension(Outer(outer)): axum::Extension<Outer>, csrf: Csrf| {
            csrf.token().map(|inner| format!("{outer} {inner}"))
        };
        let api = Router::new()
            .route("/token", get(token))
            .route("/order", post(async || "ordered"))
            .layer(inner);
        let app = Router::new()
            .nest("/api", api)
            .layer(axum::middleware::from_fn(early))
            .layer(outer)
            .layer(layer);
        run_with_tokens(&OnAxum(app)).await;
    }
}

#[tokio::test]
async fn a_token_has_one_owner_on_actix() {
    let csrf = shop::csrf();
    let token =
        async |_: LazySession, csrf: Csrf| csrf.token().map(|token| format!("{token} {token}"));
    let api = web::scope("/api")
        .route("/token", web::get().to(token))
        .route("/order", web::post().to(async || "ordered"))
        .wrap(csrf.clone());
    let app = App::new().service(api).wrap(csrf).wrap(SessionLayer::flask(shop::key()));
    run_with_tokens(&OnActix(actix_web::test::init_service(app).await)).await;
}
