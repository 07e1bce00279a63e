//! Sessions in cookies that are written, renewed and ended by requests that overlap, on axum and on
//! actix-web.

use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, web};
use axum::Router;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::{Clock, Config, Error, SecretKey, Session, SessionLayer};
use tokio::sync::Notify;

use crate::browser::{Answer, Browser, Server};
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::slow::Slow;

const NOW: u64 = 1_700_000_000;
const HOUR: u64 = 3_600;

/// Holds up the handlers that wait for it.
#[derive(Clone, Default)]
struct Gate(Arc<Notify>);

fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

/// Signed and sealed sessions with a lifetime of an hour.
fn hardened(clock: &Clock) -> [SessionLayer; 2] {
    [SessionLayer::signed(key()).unwrap(), SessionLayer::sealed(key()).unwrap()]
        .map(|layer| with_an_hour(layer, clock))
}

fn with_an_hour(layer: SessionLayer, clock: &Clock) -> SessionLayer {
    let hour = |config: Config| config.lifetime(Duration::from_secs(HOUR));
    layer.configure(hour).unwrap().with_clock(clock.clone())
}

/// Returns layers of every kind, including Flask's profile, with a store of revocation marks.
fn revocable(clock: &Clock) -> Vec<SessionLayer> {
    let flask = with_an_hour(SessionLayer::flask(key()), clock);
    let [signed, sealed] = hardened(clock);
    [flask, signed.clone(), sealed]
        .map(|layer| layer.with_revocations(MemoryStore::new()))
        .into_iter()
        .chain([signed.with_revocations(Slow::default())])
        .collect()
}

async fn act(session: &Session, action: &str, gate: &Gate) -> Result<String, Error> {
    match action.trim_start_matches('/') {
        "login" => {
            session.login("ann")?;
            session.set_permanent(true)?;
        }
        "anonymous" => {
            session.make_id()?;
            session.set_permanent(true)?;
        }
        "write" => session.insert("written", 1)?,
        "rotate" => session.rotate()?,
        "logout" => session.logout()?,
        "everywhere" => drop(session.logout_everywhere().await?),
        "slow-everywhere" => {
            gate.0.notified().await;
            session.logout_everywhere().await?;
        }
        "slow-read" => gate.0.notified().await,
        "slow-write" => {
            gate.0.notified().await;
            session.insert("written", 1)?;
        }
        "slow-rotate" => {
            gate.0.notified().await;
            session.rotate()?;
        }
        _ => {}
    }
    let shown = [session.user(), session.get::<i64>("written")?.map(|_| "written".to_owned())];
    Ok(shown.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn on_axum(layer: SessionLayer, gate: &Gate) -> OnAxum {
    let gate = gate.clone();
    let handler =
        async move |session: Session, uri: axum::http::Uri| act(&session, uri.path(), &gate).await;
    OnAxum(Router::new().route("/{action}", get(handler)).layer(layer))
}

async fn on_actix(layer: SessionLayer, gate: &Gate) -> impl Server {
    let gate = gate.clone();
    let handler = move |session: Session, request: actix_web::HttpRequest| {
        let gate = gate.clone();
        async move { act(&session, request.path(), &gate).await }
    };
    let app = App::new().route("/{action}", web::get().to(handler)).wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

/// Sends a request that is held up until another request of the same browser is answered. Returns
/// the answer, and the tab that sent the request.
async fn overtaken<'a, S: Server>(
    browser: &mut Browser<'a, S>,
    gate: &Gate,
    [slow, quick]: [&str; 2],
) -> (Answer, Browser<'a, S>) {
    let mut tab = browser.tab();
    let (answer, ()) = tokio::join!(tab.get(slow), async {
        // The other request has opened its session by now.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert_eq!(browser.get(quick).await.status, 200);
        gate.0.notify_one();
    });
    (answer, tab)
}

async fn a_reader_writes_nothing<S: Server>(site: &S, clock: &Clock, gate: &Gate) {
    for quick in ["/logout", "/write", "/rotate"] {
        let mut browser = Browser::new(site);
        browser.get("/login").await;
        clock.advance(HOUR / 10);
        let (answer, _) = overtaken(&mut browser, gate, ["/slow-read", quick]).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ann"));
        assert_eq!(answer.header("set-cookie"), None, "after {quick}");
        assert_eq!(browser.get("/who").await.header("set-cookie"), None);
    }
    // A session that is used lives on.
    let mut browser = Browser::new(site);
    browser.get("/login").await;
    for _ in 0..9 {
        clock.advance(HOUR / 10 + 1);
        assert!(browser.get("/who").await.header("set-cookie").is_some());
        assert_eq!(browser.get("/who").await.header("set-cookie"), None);
    }
    clock.advance(HOUR - 1);
    assert_eq!(browser.get("/who").await.text, "ann");
}

#[tokio::test]
async fn a_slow_reader_undoes_no_logout_and_no_write() {
    let (clock, gate) = (Clock::fixed(NOW), Gate::default());
    let [signed, sealed] = hardened(&clock);
    let [revocable, waiting] =
        [signed.clone().with_revocations(MemoryStore::new()), signed.clone()];
    for layer in [signed, sealed, revocable, waiting.with_revocations(Slow::default())] {
        a_reader_writes_nothing(&on_axum(layer.clone(), &gate), &clock, &gate).await;
        a_reader_writes_nothing(&on_actix(layer, &gate).await, &clock, &gate).await;
    }
}

/// A browser whose session was ended elsewhere.
async fn it_is_removed<S: Server>(site: &S) {
    let mut browser = Browser::new(site);
    browser.get("/login").await;
    let mut elsewhere = browser.tab();
    elsewhere.get("/everywhere").await;
    let answer = browser.get("/who").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(browser.get("/who").await.header("set-cookie"), None, "it has none to remove");
    // A request that was under way at a login leaves the new cookie alone.
    browser.get("/login").await;
    let mut under_way = browser.tab();
    browser.get("/login").await;
    let answer = under_way.get("/who").await;
    assert_eq!((answer.text.as_str(), answer.header("set-cookie")), ("", None));
    under_way.get("/write").await;
    assert_eq!(browser.get("/who").await.text, "ann");
}

#[tokio::test]
async fn a_revoked_cookie_is_removed() {
    for layer in revocable(&Clock::fixed(NOW)) {
        it_is_removed(&on_axum(layer.clone(), &Gate::default())).await;
        it_is_removed(&on_actix(layer, &Gate::default()).await).await;
    }
}

/// A session ends while a request holds it open, and the request then writes: the answer's cookie
/// is dead, and stays dead.
async fn it_stays_dead<S: Server>(site: &S, clock: &Clock, gate: &Gate) {
    for begin in ["/login", "/anonymous"] {
        for slow in ["/slow-write", "/slow-rotate"] {
            let mut browser = Browser::new(site);
            browser.get(begin).await;
            let mut copy = browser.tab();
            copy.get("/write").await;
            let (answer, mut tab) = overtaken(&mut browser, gate, [slow, "/logout"]).await;
            assert_eq!((answer.status, answer.header("set-cookie")), (409, None), "{begin} {slow}");
            for seconds in [0, 1, HOUR - 1, 1, 1, 30 * HOUR] {
                clock.advance(seconds);
                for one in [&mut tab, &mut copy] {
                    let answer = one.tab().get("/who").await;
                    assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{begin} {slow}");
                }
            }
        }
    }
    // A request that only renews the cookie is served, and renews nothing.
    let mut browser = Browser::new(site);
    browser.get("/login").await;
    clock.advance(HOUR / 2);
    let (answer, _) = overtaken(&mut browser, gate, ["/slow-read", "/logout"]).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "ann"));
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn a_request_under_way_revives_no_session_that_was_ended() {
    let (clock, gate) = (Clock::fixed(NOW), Gate::default());
    for layer in revocable(&clock) {
        it_stays_dead(&on_axum(layer.clone(), &gate), &clock, &gate).await;
        it_stays_dead(&on_actix(layer, &gate).await, &clock, &gate).await;
    }
}

/// A machine that doesn't ask the store again, or whose clock is ahead, may sign a cookie shortly
/// after its session ended. The cookie must not outlive the revocation mark.
#[tokio::test]
async fn a_revocation_outlives_what_other_machines_sign() {
    let clock = Clock::fixed(NOW);
    let late = Clock::fixed(NOW);
    for (layer, other) in hardened(&clock).into_iter().zip(hardened(&late)) {
        let store = Arc::new(MemoryStore::new());
        let gate = Gate::default();
        let site = on_axum(layer.with_revocations(Arc::clone(&store)), &gate);
        // The site signs every session that it is sent.
        let signs = on_axum(other, &gate);
        for begin in ["/login", "/anonymous"] {
            let mut browser = Browser::new(&site);
            browser.get(begin).await;
            let mut copy = browser.tab().at(&signs);
            browser.get("/logout").await;
            clock.advance(60);
            late.advance(60);
            copy.get("/write").await;
            clock.advance(HOUR - 1);
            late.advance(HOUR - 1);
            assert_eq!(copy.tab().at(&site).get("/who").await.text, "", "{begin}");
            clock.advance(1);
            late.advance(1);
            assert_eq!(copy.at(&site).get("/who").await.text, "", "{begin}");
        }
    }
}

async fn each_login_is_ended<S: Server>(site: &S, gate: &Gate) {
    let mut browser = Browser::new(site);
    browser.get("/login").await;
    // Both are held up until the first is done: then a login comes, and then the second is done.
    let mut between = Browser::new(site);
    let mut second = browser.tab();
    let (answer, ()) = tokio::join!(second.get("/slow-everywhere"), async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        browser.get("/everywhere").await;
        between.get("/login").await;
        assert_eq!(between.get("/who").await.text, "ann");
        gate.0.notify_one();
    });
    assert_eq!(answer.status, 200);
    assert_eq!(between.get("/who").await.text, "");
    // A login after both stays.
    for _ in 0..3 {
        between.get("/login").await;
        assert_eq!(between.get("/who").await.text, "ann");
        let mut copy = between.tab();
        between.get("/everywhere").await;
        assert_eq!(copy.get("/who").await.text, "");
    }
}

#[tokio::test]
async fn two_ends_of_all_sessions_in_one_second_end_the_login_between_them() {
    let gate = Gate::default();
    for layer in revocable(&Clock::fixed(NOW)) {
        each_login_is_ended(&on_axum(layer.clone(), &gate), &gate).await;
        each_login_is_ended(&on_actix(layer, &gate).await, &gate).await;
    }
}
