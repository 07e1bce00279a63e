//! Fresh logins, logins in two steps, logins bound to a credential: on axum and actix-web, with sessions
//! in cookies and in stores.

use actix_web::{App, HttpRequest, web};
use axum::Router;
use axum::extract::RawQuery;
use axum::routing::any;
use carafe::http::Request;
use carafe::store::{MemoryStore, OverLimit};
use carafe::{Clock, Config, CurrentUser, Error, FreshUser, LoginOptions, Session, SessionLayer};

use crate::browser::{Browser, Server};
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::shop;
use crate::slow::Slow;

const NOW: u64 = 1_700_000_000;

/// Performs the action that the query names.
async fn act(session: Session, query: &str) -> Result<String, Error> {
    let (action, argument) = query.split_once('=').unwrap_or((query, ""));
    let options = || LoginOptions::default().keep("cart").credential(argument);
    match action {
        "login" => session.login_with("ann", options())?,
        "login_now" => session.login_now("ann", options()).await?,
        "pending" => session.login_pending_with("ann", options())?,
        "complete" => session.complete_login()?,
        "complete_now" => session.complete_login_now().await?,
        "reauthenticated" => session.reauthenticated()?,
        "credential" => session.set_credential(argument)?,
        "logout" => session.logout()?,
        "cart" => session.insert("cart", argument)?,
        "other" => session.insert("other", argument)?,
        _ => {}
    }
    Ok(show(&session))
}

/// Shows the user, the user of a pending login, and the cart.
fn show(session: &Session) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let cart: Option<String> = session.get("cart").unwrap();
    format!("{} {} {}", or_none(session.user()), or_none(session.pending_user()), or_none(cart))
}

/// The page of a user, whose present credential is in the query.
fn account(user: CurrentUser, query: &str) -> Result<String, Error> {
    user.session().check_credential(query)?;
    Ok(user.into_id())
}

fn on_axum(layer: SessionLayer) -> OnAxum {
    let query = |query: RawQuery| query.0.unwrap_or_default();
    let app = Router::new()
        .route(
            "/act",
            any(async move |session: Session, q: RawQuery| act(session, &query(q)).await),
        )
        .route("/user", any(async |user: CurrentUser| user.into_id()))
        .route("/fresh", any(async |user: FreshUser<60>| user.into_user().into_id()))
        .route("/account", any(async move |u: CurrentUser, q: RawQuery| account(u, &query(q))))
        .layer(layer);
    OnAxum(app)
}

async fn on_actix(layer: SessionLayer) -> impl Server {
    async fn acting(session: Session, request: HttpRequest) -> Result<String, Error> {
        act(session, request.query_string()).await
    }
    async fn account_of(user: CurrentUser, request: HttpRequest) -> Result<String, Error> {
        account(user, request.query_string())
    }
    let app = App::new()
        .route("/act", web::route().to(acting))
        .route("/user", web::route().to(async |user: CurrentUser| user.into_id()))
        .route("/fresh", web::route().to(async |user: FreshUser<60>| user.into_user().into_id()))
        .route("/account", web::route().to(account_of))
        .wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

/// Layers of every kind of session, by one clock.
fn layers(clock: &Clock) -> Vec<SessionLayer> {
    let signed = || SessionLayer::signed(shop::key()).unwrap();
    let mut layers = vec![
        SessionLayer::flask(shop::key()),
        signed(),
        signed().with_revocations(MemoryStore::new()),
        signed().in_store(MemoryStore::new()),
        signed().in_store(Slow::default()),
    ];
    #[cfg(feature = "sealed")]
    layers.push(SessionLayer::sealed(shop::key()).unwrap());
    layers.into_iter().map(|layer| layer.with_clock(clock.clone())).collect()
}

/// Runs a case on both frameworks with every kind of session.
macro_rules! on_all {
    ($case:ident, $change:expr) => {{
        let clock = Clock::fixed(NOW);
        for layer in layers(&clock) {
            let change: fn(SessionLayer) -> SessionLayer = $change;
            let layer = change(layer);
            $case(&on_axum(layer.clone()), &clock).await;
            $case(&on_actix(layer).await, &clock).await;
        }
    }};
}

#[tokio::test]
async fn a_login_is_fresh_for_a_while() {
    on_all!(fresh, |layer| layer);
}

#[tokio::test]
async fn between_two_steps_no_user_is_logged_in() {
    on_all!(steps, |layer| layer);
}

#[tokio::test]
async fn the_second_step_may_come_too_late() {
    on_all!(late, |layer| layer);
}

#[tokio::test]
async fn a_login_ends_with_its_credential() {
    on_all!(credential, |layer| layer);
}

#[tokio::test]
async fn only_the_whole_credential_counts() {
    on_all!(whole, |layer| layer);
}

#[tokio::test]
async fn who_is_not_fresh_is_led_to_the_confirmation_and_back() {
    on_all!(confirmed, |layer| {
        layer.with_login_page("/login").unwrap().with_confirm_page("/confirm").unwrap()
    });
}

async fn post<S: Server>(browser: &mut Browser<'_, S>, path: &str) -> u16 {
    browser.send(Request::post(path).body(String::new()).unwrap()).await.status
}

async fn fresh<S: Server>(site: &S, clock: &Clock) {
    let mut browser = Browser::new(site);
    assert_eq!(browser.get("/fresh").await.status, 401);
    browser.get("/act?login").await;
    clock.advance(60);
    assert_eq!(browser.get("/fresh").await.text, "ann");
    clock.advance(1);
    let answer = browser.get("/fresh").await;
    assert_eq!((answer.status, answer.header("location")), (401, None));
    assert_eq!(browser.get("/user").await.text, "ann", "is logged in all the same");
    let mut before = browser.tab();
    assert_eq!(browser.get("/act?reauthenticated").await.status, 200);
    for _ in 0..2 {
        assert_eq!(browser.get("/fresh").await.text, "ann");
        clock.advance(60);
    }
    // Other changes leave the login as it is.
    browser.get("/act?cart=tea").await;
    assert_eq!(browser.get("/fresh").await.status, 401);
    // A copy of the earlier cookie doesn't become fresh.
    assert_eq!(before.get("/fresh").await.status, 401);
    browser.get("/act?login").await;
    assert_eq!(browser.get("/fresh").await.text, "ann");
    browser.get("/act?logout").await;
    let answer = browser.get("/act?reauthenticated").await;
    assert_eq!(answer.status, 401);
    assert_eq!(browser.get("/fresh").await.status, 401);
}

async fn confirmed<S: Server>(site: &S, clock: &Clock) {
    let mut browser = Browser::new(site);
    let answer = browser.get("/fresh?a=b").await;
    assert_eq!(answer.header("location"), Some("/login?next=/fresh%3Fa%3Db"));
    browser.get("/act?login").await;
    clock.advance(61);
    let answer = browser.get("/fresh?a=b").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/confirm?next=/fresh%3Fa%3Db"))
    );
    assert_eq!(answer.header("vary"), Some("Cookie"));
    let answer = browser.get("//evil.example/fresh").await;
    assert!(!answer.header("location").unwrap_or_default().contains("evil"));
    assert_eq!(post(&mut browser, "/fresh").await, 401);
    browser.get("/act?reauthenticated").await;
    assert_eq!(browser.get("/fresh?a=b").await.text, "ann");
}

async fn steps<S: Server>(site: &S, clock: &Clock) {
    let mut browser = Browser::new(site);
    browser.get("/act?cart=tea").await;
    browser.get("/act?other=1").await;
    let mut planted = browser.tab();
    assert_eq!(browser.get("/act?pending").await.text, "- ann tea");
    clock.advance(299);
    for path in ["/user", "/fresh"] {
        assert_eq!(browser.get(path).await.status, 401, "{path}");
    }
    assert_eq!(browser.get("/act?reauthenticated").await.status, 401);
    assert_eq!(browser.get("/act").await.text, "- ann tea");
    assert_eq!(planted.get("/act?complete").await.status, 401, "of the session before");
    let mut first_step = browser.tab();
    assert_eq!(browser.get("/act?complete").await.text, "ann - tea");
    assert_eq!(browser.get("/fresh").await.text, "ann");
    assert_eq!(browser.get("/act?complete").await.status, 401, "is complete");
    assert_eq!(browser.get("/act?pending").await.text, "- ann tea", "a login of its own");
    assert_eq!(first_step.get("/user").await.status, 401, "the cookie of the first step");
    browser.get("/act?complete_now").await;
    assert_eq!(browser.get("/user").await.text, "ann");
    browser.get("/act?pending").await;
    assert_eq!(browser.get("/act?logout").await.text, "- - -");
    assert_eq!(browser.get("/act?complete").await.status, 401);
}

async fn late<S: Server>(site: &S, clock: &Clock) {
    let mut browser = Browser::new(site);
    browser.get("/act?cart=tea").await;
    browser.get("/act?pending").await;
    clock.advance(300);
    assert_eq!(browser.get("/act").await.text, "- - tea");
    assert_eq!(browser.get("/act?complete").await.status, 401);
    assert_eq!(browser.get("/act?complete_now").await.status, 401);
    assert_eq!(browser.get("/user").await.status, 401);
}

async fn credential<S: Server>(site: &S, _: &Clock) {
    let mut desk = Browser::new(site);
    let mut phone = Browser::new(site);
    desk.get("/act?login=old").await;
    phone.get("/act?pending=old").await;
    phone.get("/act?complete").await;
    for browser in [&mut desk, &mut phone] {
        assert_eq!(browser.get("/account?old").await.text, "ann");
    }
    // The desk changes the password.
    desk.get("/act?credential=new").await;
    let mut copy = phone.tab();
    let answer = phone.get("/account?new").await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"), "the session is over");
    assert_eq!(phone.get("/user").await.status, 401);
    assert_eq!(copy.get("/account?new").await.status, 401, "a copy of its cookie");
    assert_eq!(desk.get("/account?new").await.text, "ann");
    assert_eq!(desk.get("/account?new").await.text, "ann");
    // A login without a credential is bound to none that could be right.
    desk.get("/act?logout").await;
    assert_eq!(desk.get("/account?new").await.status, 401);
    assert_eq!(desk.get("/act?credential=new").await.status, 401);
}

async fn whole<S: Server>(site: &S, _: &Clock) {
    let mut browser = Browser::new(site);
    browser.get("/act?login=secret-credential").await;
    assert_eq!(browser.get("/account?secret-credential").await.text, "ann");
    for wrong in ["", "secret", "secret-credential2", "Secret-credential"] {
        let mut copy = Browser::new(site);
        copy.get("/act?login=secret-credential").await;
        assert_eq!(copy.get(&format!("/account?{wrong}")).await.status, 401, "{wrong}");
    }
}

#[tokio::test]
async fn a_credential_is_checked_under_older_keys_too() {
    let [old, new] = [shop::key(), carafe::SecretKey::random().unwrap()];
    for in_store in [false, true] {
        let keys = carafe::SharedKeys::new(old.clone());
        let layer = SessionLayer::signed(keys.clone()).unwrap();
        let layer = if in_store { layer.in_store(MemoryStore::new()) } else { layer };
        let site = on_axum(layer);
        let mut browser = Browser::new(&site);
        browser.get("/act?login=hash").await;
        keys.replace(carafe::KeyRing::new(new.clone()).with_fallback(old.clone())).unwrap();
        assert_eq!(browser.get("/account?hash").await.text, "ann");
        // It was marked anew, and outlives the old key, if the cookie does.
        browser.get("/act?cart=tea").await;
        browser.get("/act?reauthenticated").await;
        keys.replace(new.clone()).unwrap();
        assert_eq!(browser.get("/account?hash").await.text, "ann");
    }
}

#[tokio::test]
async fn a_limit_is_told_to_the_handler_or_is_the_response() {
    let limit = |config: Config| config.sessions_per_user(1, OverLimit::Refuse);
    for layer in [
        SessionLayer::signed(shop::key()).unwrap().in_store(MemoryStore::new()),
        SessionLayer::flask(shop::key()).in_store(Slow::default()),
    ] {
        let layer = layer.configure(limit).unwrap();
        limited(&on_axum(layer.clone())).await;
        // The second site has the same store.
        let second = on_actix(layer).await;
        let mut browser = Browser::new(&second);
        assert_eq!(browser.get("/act?login").await.status, 409);
    }
}

async fn limited<S: Server>(site: &S) {
    let mut first = Browser::new(site);
    first.get("/act?login").await;
    let mut second = Browser::new(site);
    second.get("/act?cart=tea").await;
    for path in ["/act?login", "/act?login_now", "/act?login"] {
        let answer = second.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (409, "Conflict"), "{path}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        assert_eq!(second.get("/act").await.text, "- - tea", "{path}");
    }
    // A user who has passed only the first step has no session of the user yet.
    assert_eq!(second.get("/act?pending").await.text, "- ann tea");
    assert_eq!(second.get("/act?complete").await.status, 409);
    assert_eq!(second.get("/act?complete_now").await.status, 409);
    assert_eq!(second.get("/act").await.text, "- ann tea");
    assert_eq!(first.get("/act?login").await.text, "ann - -", "in place of its own");
}

#[tokio::test]
async fn sessions_in_cookies_cannot_be_limited() {
    let limit = |config: Config| config.sessions_per_user(1, OverLimit::EndOldest);
    for layer in [
        SessionLayer::flask(shop::key()),
        SessionLayer::flask(shop::key()).with_revocations(MemoryStore::new()),
    ] {
        let site = on_axum(layer.configure(limit).unwrap());
        assert_eq!(Browser::new(&site).get("/act?login").await.status, 500);
    }
    for config in [
        Config::flask().sessions_per_user(0, OverLimit::Refuse),
        Config::flask().pending_login_timeout(std::time::Duration::from_millis(999)),
    ] {
        let error = SessionLayer::new(shop::key(), config).unwrap_err();
        assert_eq!(error.kind(), carafe::ErrorKind::Setting);
    }
}
