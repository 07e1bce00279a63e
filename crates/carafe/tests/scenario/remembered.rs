//! Browsers that are remembered, and signs of theft: on axum and actix-web.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, web};
use axum::Router;
use axum::extract::RawQuery;
use axum::routing::any;
use carafe::store::{MemoryStore, OverLimit};
use carafe::{
    Clock, Config, Error, ErrorKind, LoginOptions, Reaction, Session, SessionLayer, TheftKind,
};

use crate::browser::{Browser, Server};
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::shop;
use crate::slow::Slow;

const NOW: u64 = 1_700_000_000;
const DAY: u64 = 86_400;
/// The cookies of sessions and of tokens.
const SESSION: &str = "__Host-session";
const TOKEN: &str = "__Host-session_remember";

async fn act(session: Session, query: &str) -> Result<String, Error> {
    match query {
        "login" => session.login_with("ann", LoginOptions::default().credential("old"))?,
        "remember" => {
            session.login_with("ann", LoginOptions::default().credential("old"))?;
            session.remember().await?;
        }
        "reauthenticated" => session.reauthenticated()?,
        "rotate" => session.rotate()?,
        "logout" => session.logout()?,
        "everywhere" => drop(session.logout_everywhere().await?),
        "new-password" => session.check_credential("new")?,
        "anonymous" => session.insert("n", 1)?,
        _ => {}
    }
    let user = session.user().unwrap_or_else(|| "-".to_owned());
    let fresh = if session.is_fresh(Duration::from_secs(10 * DAY)) { "fresh" } else { "stale" };
    Ok(format!("{user} {fresh}"))
}

fn on_axum(layer: SessionLayer) -> OnAxum {
    let act =
        async |session: Session, query: RawQuery| act(session, &query.0.unwrap_or_default()).await;
    OnAxum(Router::new().route("/act", any(act)).layer(layer))
}

async fn on_actix(layer: SessionLayer) -> impl Server {
    async fn acting(session: Session, request: HttpRequest) -> Result<String, Error> {
        act(session, request.query_string()).await
    }
    let app = App::new().route("/act", web::route().to(acting)).wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

/// The signs of theft that an application was told of.
type Told = Arc<Mutex<Vec<(TheftKind, Option<String>)>>>;

fn layer(in_store: SessionLayer, clock: &Clock, told: &Told, reaction: Reaction) -> SessionLayer {
    let told = Arc::clone(told);
    let settings = |config: Config| {
        config
            .idle_timeout(Duration::from_secs(DAY))
            .remember_for(Duration::from_secs(30 * DAY))
            .watch_old_ids(Duration::from_secs(3_600))
    };
    in_store.configure(settings).unwrap().with_clock(clock.clone()).on_sign_of_theft(move |sign| {
        told.lock().unwrap().push((sign.kind(), sign.user().map(str::to_owned)));
        reaction
    })
}

fn stored() -> [SessionLayer; 2] {
    let signed = || SessionLayer::signed(shop::key()).unwrap();
    [signed().in_store(MemoryStore::new()), signed().in_store(Slow::default())]
}

/// Runs a case on both frameworks.
macro_rules! on_both {
    ($case:ident, $reaction:expr) => {
        for in_store in stored() {
            let (clock, told) = (Clock::fixed(NOW), Told::default());
            let layer = layer(in_store, &clock, &told, $reaction);
            $case(&on_axum(layer), &clock, &told).await;
        }
        for in_store in stored() {
            let (clock, told) = (Clock::fixed(NOW), Told::default());
            let layer = layer(in_store, &clock, &told, $reaction);
            $case(&on_actix(layer).await, &clock, &told).await;
        }
    };
}

#[tokio::test]
async fn a_remembered_browser_is_logged_in_and_not_fresh() {
    on_both!(remembered, Reaction::Log);
}

#[tokio::test]
async fn requests_at_once_are_all_remembered() {
    on_both!(at_once, Reaction::Log);
}

#[tokio::test]
async fn a_token_that_is_used_twice_ends_all_that_came_of_it() {
    on_both!(used_twice, Reaction::Log);
}

#[tokio::test]
async fn a_theft_may_end_all_sessions() {
    on_both!(ends_all, Reaction::EndAllSessions);
}

#[tokio::test]
async fn a_logout_forgets_the_browser() {
    on_both!(forgotten, Reaction::Log);
}

#[tokio::test]
async fn an_old_id_is_a_sign_of_theft_once_no_request_is_under_way() {
    on_both!(old_id, Reaction::Log);
}

#[tokio::test]
async fn an_old_id_may_end_the_session() {
    on_both!(old_id_ends, Reaction::EndSession);
}

async fn remembered<S: Server>(site: &S, clock: &Clock, told: &Told) {
    let mut browser = Browser::new(site);
    let answer = browser.get("/act?remember").await;
    assert_eq!(answer.text, "ann fresh");
    let lines = answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap());
    let token = lines.into_iter().find(|line| line.starts_with(TOKEN)).unwrap();
    for attribute in
        ["; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax", "; Expires=Thu, 14 Dec 2023"]
    {
        assert!(token.contains(attribute), "{attribute}: {token}");
    }
    // The token stays unchanged while the session lives.
    let kept = browser.cookie(TOKEN);
    browser.get("/act").await;
    assert_eq!(browser.cookie(TOKEN), kept);
    for _ in 0..3 {
        clock.advance(20 * DAY);
        let before = browser.cookie(TOKEN);
        assert_eq!(browser.get("/act").await.text, "ann stale");
        assert_ne!(browser.cookie(TOKEN), before);
        assert_eq!(browser.get("/act").await.text, "ann stale", "by its session");
    }
    assert_eq!(browser.get("/act?reauthenticated").await.text, "ann fresh");
    // A browser that was closed has no session.
    browser.forget(SESSION);
    assert_eq!(browser.get("/act").await.text, "ann stale");
    // The series is bound to the credential, too.
    let mut copy = browser.tab();
    assert_eq!(browser.get("/act?new-password").await.status, 401);
    assert_eq!(copy.get("/act").await.text, "- stale");
    assert!(!browser.has_cookie(TOKEN));
    let mut late = Browser::new(site);
    late.get("/act?remember").await;
    clock.advance(30 * DAY);
    assert_eq!(late.get("/act").await.text, "- stale");
    assert!(!late.has_cookie(TOKEN), "a dead token is removed");
    assert_eq!(*told.lock().unwrap(), []);
}

async fn at_once<S: Server>(site: &S, clock: &Clock, told: &Told) {
    let mut browser = Browser::new(site);
    browser.get("/act?remember").await;
    clock.advance(2 * DAY);
    let mut tabs: Vec<_> = (0..8).map(|_| browser.tab()).collect();
    for (number, tab) in tabs.iter_mut().enumerate() {
        assert_eq!(tab.get("/act").await.text, "ann stale", "{number}");
        clock.advance(7);
    }
    // The browser has the token that the first of the requests got.
    tabs[0].forget(SESSION);
    clock.advance(3_600);
    assert_eq!(tabs[0].get("/act").await.text, "ann stale");
    assert_eq!(*told.lock().unwrap(), []);
}

async fn used_twice<S: Server>(site: &S, clock: &Clock, told: &Told) {
    let mut owner = Browser::new(site);
    owner.get("/act?remember").await;
    let mut elsewhere = Browser::new(site);
    elsewhere.get("/act?login").await;
    owner.forget(SESSION);
    let mut thief = owner.tab();
    assert_eq!(owner.get("/act").await.text, "ann stale");
    clock.advance(61);
    assert_eq!(thief.get("/act").await.text, "- stale");
    assert!(!thief.has_cookie(TOKEN));
    assert_eq!(owner.get("/act").await.text, "- stale", "the owner's session has ended, too");
    assert!(!owner.has_cookie(TOKEN), "and the series with it");
    assert_eq!(thief.get("/act").await.text, "- stale");
    assert_eq!(*told.lock().unwrap(), [(TheftKind::UsedToken, Some("ann".to_owned()))]);
    assert_eq!(elsewhere.get("/act").await.text, "ann fresh", "what did not come of the series");
}

async fn ends_all<S: Server>(site: &S, clock: &Clock, told: &Told) {
    let mut owner = Browser::new(site);
    owner.get("/act?remember").await;
    let mut elsewhere = Browser::new(site);
    elsewhere.get("/act?remember").await;
    owner.forget(SESSION);
    // The thief comes first.
    let mut thief = owner.tab();
    assert_eq!(thief.get("/act").await.text, "ann stale");
    clock.advance(61);
    for browser in [&mut owner, &mut thief, &mut elsewhere] {
        assert_eq!(browser.get("/act").await.text, "- stale");
        assert!(!browser.has_cookie(TOKEN));
    }
    assert_eq!(told.lock().unwrap().len(), 1);
}

async fn forgotten<S: Server>(site: &S, clock: &Clock, told: &Told) {
    for action in ["/act?logout", "/act?everywhere"] {
        let mut browser = Browser::new(site);
        browser.get("/act?remember").await;
        let mut copy = browser.tab();
        copy.forget(SESSION);
        browser.get(action).await;
        assert!(!browser.has_cookie(TOKEN) && !browser.has_cookie(SESSION));
        assert_eq!(browser.get("/act").await.text, "- stale");
        clock.advance(61);
        assert_eq!(copy.get("/act").await.text, "- stale", "{action}");
        assert!(!copy.has_cookie(TOKEN));
    }
    // An invalid token opens nothing, and is not an error.
    for token in ["x", "", &"A".repeat(86), &"~".repeat(86)] {
        let mut browser = Browser::new(site);
        browser.set_cookie(TOKEN, token);
        let answer = browser.get("/act").await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "- stale"));
    }
    assert_eq!(*told.lock().unwrap(), []);
}

async fn old_id<S: Server>(site: &S, clock: &Clock, told: &Told) {
    let mut browser = Browser::new(site);
    browser.get("/act?anonymous").await;
    let mut planted = browser.tab();
    browser.get("/act?login").await;
    let mut copy = browser.tab();
    browser.get("/act?rotate").await;
    clock.advance(60);
    for old in [&mut planted, &mut copy] {
        assert_eq!(old.get("/act").await.text, "- stale");
    }
    assert_eq!(*told.lock().unwrap(), [], "they may have been under way");
    clock.advance(1);
    for old in [&mut planted, &mut copy] {
        assert_eq!(old.get("/act").await.text, "- stale");
    }
    let sign = (TheftKind::ReplacedId, Some("ann".to_owned()));
    assert_eq!(*told.lock().unwrap(), [sign.clone(), sign.clone()]);
    assert_eq!(browser.get("/act").await.text, "ann fresh", "it is only told of");
    // The id is watched for an hour and the minute before.
    clock.advance(3_600);
    assert_eq!(copy.get("/act").await.text, "- stale");
    assert_eq!(told.lock().unwrap().len(), 2);
}

async fn old_id_ends<S: Server>(site: &S, clock: &Clock, told: &Told) {
    let mut browser = Browser::new(site);
    browser.get("/act?login").await;
    let mut elsewhere = Browser::new(site);
    elsewhere.get("/act?login").await;
    let mut copy = browser.tab();
    for _ in 0..3 {
        browser.get("/act?rotate").await;
    }
    clock.advance(61);
    copy.get("/act").await;
    assert_eq!(browser.get("/act").await.text, "- stale");
    assert_eq!(elsewhere.get("/act").await.text, "ann fresh");
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_cookie_of_an_ended_session_is_a_sign_of_theft() {
    for reaction in [Reaction::Log, Reaction::EndAllSessions] {
        let (clock, told) = (Clock::fixed(NOW), Told::default());
        let signed = SessionLayer::signed(shop::key()).unwrap();
        let noted = Arc::clone(&told);
        let site = on_axum(
            signed.with_revocations(MemoryStore::new()).with_clock(clock.clone()).on_sign_of_theft(
                move |sign| {
                    noted.lock().unwrap().push((sign.kind(), sign.user().map(str::to_owned)));
                    reaction
                },
            ),
        );
        let mut browser = Browser::new(&site);
        browser.get("/act?login").await;
        let mut elsewhere = Browser::new(&site);
        elsewhere.get("/act?login").await;
        let mut copy = browser.tab();
        browser.get("/act?logout").await;
        clock.advance(60);
        copy.tab().get("/act").await;
        assert_eq!(*told.lock().unwrap(), [], "it may have been under way");
        clock.advance(1);
        assert_eq!(copy.get("/act").await.text, "- stale");
        let sign = (TheftKind::EndedSession, Some("ann".to_owned()));
        assert_eq!(*told.lock().unwrap(), [sign]);
        let expected = if reaction == Reaction::Log { "ann fresh" } else { "- stale" };
        assert_eq!(elsewhere.get("/act").await.text, expected);
    }
}

#[tokio::test]
async fn a_remembered_browser_counts_as_a_session() {
    let (clock, told) = (Clock::fixed(NOW), Told::default());
    let limit = |config: Config| config.sessions_per_user(1, OverLimit::Refuse);
    let [in_memory, _] = stored();
    let layer = layer(in_memory, &clock, &told, Reaction::Log).configure(limit).unwrap();
    let users = layer.sessions().unwrap();
    let site = on_axum(layer);
    let mut browser = Browser::new(&site);
    assert_eq!(browser.get("/act?remember").await.text, "ann fresh");
    assert_eq!(users.list("ann").await.unwrap().len(), 1, "the series is no session");
    browser.forget(SESSION);
    assert_eq!(
        browser.get("/act").await.text,
        "- stale",
        "the session that it has lost still counts"
    );
    clock.advance(2 * DAY);
    assert_eq!(browser.get("/act").await.text, "ann stale");
}

#[tokio::test]
async fn remembering_takes_a_store_and_the_setting() {
    let errors = Arc::new(Mutex::new(Vec::new()));
    for layer in [
        SessionLayer::signed(shop::key()).unwrap(),
        SessionLayer::signed(shop::key()).unwrap().in_store(MemoryStore::new()),
    ] {
        let noted = Arc::clone(&errors);
        let site = on_axum(layer.on_error(move |error| {
            noted.lock().unwrap().push(error.kind());
            (error.status(), "")
        }));
        assert_eq!(Browser::new(&site).get("/act?remember").await.status, 500);
    }
    assert_eq!(*errors.lock().unwrap(), [ErrorKind::NoStore, ErrorKind::Setting]);
    let config = Config::hardened().remember_for(Duration::from_millis(1));
    assert_eq!(SessionLayer::new(shop::key(), config).unwrap_err().kind(), ErrorKind::Setting);
}
