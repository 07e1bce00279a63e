//! The lifetimes of sessions and of their cookies, on axum and on actix-web.

use std::time::Duration;

use actix_web::{App, web};
use axum::Router;
use axum::routing::get;
use carafe::store::MemoryStore;
use carafe::value::DateTime;
use carafe::{Clock, Config, Error, SecretKey, Session, SessionLayer, UnixSeconds};

use crate::browser::{Answer, Browser, Server};
use crate::on_actix::OnActix;
use crate::on_axum::OnAxum;
use crate::slow::Slow;

const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
const DAY: u64 = 86_400;

fn key() -> SecretKey {
    SecretKey::new("a key for these tests, of 40 characters.").unwrap()
}

fn stored() -> [SessionLayer; 2] {
    [
        SessionLayer::stored(MemoryStore::new(), key()).unwrap(),
        SessionLayer::stored(Slow::default(), key()).unwrap(),
    ]
}

fn in_cookies() -> [SessionLayer; 3] {
    let signed = || SessionLayer::signed(key()).unwrap();
    [signed(), signed().with_revocations(MemoryStore::new()), SessionLayer::sealed(key()).unwrap()]
}

async fn act(session: Session, action: &str) -> Result<String, Error> {
    match action {
        "/login" => session.login("ann")?,
        "/permanent" => {
            session.login("ann")?;
            session.set_permanent(true)?;
        }
        "/not" => {
            session.login("ann")?;
            session.set_permanent(false)?;
        }
        "/remember" => {
            session.login("ann")?;
            session.set_lifetime(Duration::from_secs(14 * DAY))?;
        }
        "/hour" => {
            session.login("ann")?;
            session.set_lifetime(Duration::from_secs(3_600))?;
        }
        "/write" => session.insert("written", 1)?,
        _ => {}
    }
    Ok(session.user().unwrap_or_default())
}

fn on_axum(layer: SessionLayer) -> OnAxum {
    let handler = async |session: Session, uri: axum::http::Uri| act(session, uri.path()).await;
    OnAxum(Router::new().route("/{action}", get(handler)).layer(layer))
}

async fn on_actix(layer: SessionLayer) -> impl Server {
    let handler = async |session: Session, request: actix_web::HttpRequest| {
        act(session, request.path()).await
    };
    let app = App::new().route("/{action}", web::get().to(handler)).wrap(layer);
    OnActix(actix_web::test::init_service(app).await)
}

/// Returns when the answer's cookie expires; `None` if the answer sets none.
fn expires(answer: &Answer) -> Option<Option<UnixSeconds>> {
    let mut attributes = answer.header("set-cookie")?.split("; ");
    let date = attributes.find_map(|part| part.strip_prefix("Expires="));
    let time = date.map(|date| DateTime::from_http_date(date).unwrap());
    Some(time.map(|time| UnixSeconds(u64::try_from(time.unix()).unwrap())))
}

/// Uses a permanent session, and never longer after its last use than the cookie is kept.
async fn no_cookie_promises_more(site: &impl Server, clock: &Clock, use_by: &str) {
    let mut browser = Browser::new(site);
    let mut ends = expires(&browser.get("/permanent").await).unwrap().unwrap();
    let mut used = clock.now();
    assert_eq!(ends, used + 7 * DAY);
    for _ in 0..8 {
        for step in [DAY / 2, 3 * DAY, 1] {
            clock.advance(step);
            let answer = browser.get(use_by).await;
            assert_eq!((answer.status, answer.text.as_str()), (200, "ann"));
            if let Some(now_ends) = expires(&answer) {
                (ends, used) = (now_ends.unwrap(), clock.now());
            }
            assert!(ends <= used + 7 * DAY, "the store has removed it by then");
            // Up to a tenth less, since a use isn't always written.
            assert!(ends + 7 * DAY / 10 >= (clock.now() + 7 * DAY).min(NOW + 31 * DAY));
        }
    }
    // As long as the cookie is there, so is the session.
    clock.advance((ends - 1).since(clock.now()));
    assert_eq!(browser.tab().get("/who").await.text, "ann");
}

#[tokio::test]
async fn the_cookie_of_a_stored_session_promises_no_more_than_the_store_keeps() {
    let changes: [fn(Config) -> Config; 2] =
        [|config| config, |config| config.renew_after(Duration::ZERO)];
    for layer in stored() {
        for change in changes {
            for use_by in ["/who", "/write"] {
                let layer = || {
                    let year = Duration::from_secs(365 * DAY);
                    let long = |config: Config| change(config).absolute_timeout(year);
                    layer.clone().configure(long).unwrap()
                };
                let clock = Clock::fixed(NOW);
                let site = on_axum(layer().with_clock(clock.clone()));
                no_cookie_promises_more(&site, &clock, use_by).await;
                let clock = Clock::fixed(NOW);
                let site = on_actix(layer().with_clock(clock.clone())).await;
                no_cookie_promises_more(&site, &clock, use_by).await;
            }
        }
    }
}

/// A login in a cookie ends after the absolute timeout, and so does the cookie.
#[tokio::test]
async fn the_cookie_of_a_login_promises_no_more_than_the_absolute_timeout() {
    for layer in in_cookies().into_iter().chain(stored()) {
        let short = |config: Config| config.absolute_timeout(Duration::from_secs(DAY));
        let layer = layer.configure(short).unwrap().with_clock(Clock::fixed(NOW));
        let axum = on_axum(layer.clone());
        assert_eq!(expires(&Browser::new(&axum).get("/permanent").await), Some(Some(NOW + DAY)));
        let actix = on_actix(layer).await;
        assert_eq!(expires(&Browser::new(&actix).get("/permanent").await), Some(Some(NOW + DAY)));
    }
}

async fn permanent_unless_it_says_so(site: &impl Server) {
    assert!(expires(&Browser::new(site).get("/login").await).unwrap().is_some());
    assert_eq!(expires(&Browser::new(site).get("/not").await), Some(None));
    assert_eq!(expires(&Browser::new(site).get("/who").await), None, "it holds nothing");
}

#[tokio::test]
async fn sessions_may_be_permanent_by_default() {
    for layer in in_cookies().into_iter().chain(stored()) {
        let plain = on_axum(layer.clone());
        assert_eq!(expires(&Browser::new(&plain).get("/login").await), Some(None));
        let layer = layer.configure(|config| config.permanent_by_default(true)).unwrap();
        permanent_unless_it_says_so(&on_axum(layer.clone())).await;
        permanent_unless_it_says_so(&on_actix(layer).await).await;
    }
}

/// Each lifetime holds from the last use on, in the cookie and on the server.
async fn a_lifetime_of_its_own(site: &impl Server, clock: &Clock) {
    for (path, lifetime) in [("/remember", 14 * DAY), ("/hour", 3_600)] {
        let mut browser = Browser::new(site);
        let answer = browser.get(path).await;
        assert_eq!(expires(&answer), Some(Some(clock.now() + lifetime)), "{path}");
        clock.advance(lifetime - 1);
        let answer = browser.get("/who").await;
        assert_eq!(answer.text, "ann", "{path}");
        assert_eq!(expires(&answer), Some(Some(clock.now() + lifetime)), "{path}");
        clock.advance(lifetime + 1);
        assert_eq!(browser.get("/who").await.text, "", "{path}");
    }
}

#[tokio::test]
async fn a_session_may_have_a_lifetime_of_its_own() {
    for layer in in_cookies().into_iter().chain(stored()) {
        let clock = Clock::fixed(NOW);
        let layer = layer.with_clock(clock.clone());
        a_lifetime_of_its_own(&on_axum(layer.clone()), &clock).await;
        a_lifetime_of_its_own(&on_actix(layer.clone()).await, &clock).await;
        // No longer than the layer allows.
        let week = |config: Config| config.lifetime(Duration::from_secs(7 * DAY));
        let site = on_axum(layer.configure(week).unwrap());
        let answer = Browser::new(&site).get("/remember").await;
        assert_eq!(expires(&answer), Some(Some(clock.now() + 7 * DAY)));
    }
}
