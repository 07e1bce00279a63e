use std::time::Duration;

use carafe::{Config, Session};

use super::Work;
use crate::Fixture;
use crate::app::{Browser, SetCookie, Site};
use crate::intercept::Counts;

const IDLE: u64 = 1_000;
const ABSOLUTE: u64 = 5_000;

fn settings(config: Config) -> Config {
    config
        .idle_timeout(Duration::from_secs(IDLE))
        .absolute_timeout(Duration::from_secs(ABSOLUTE))
        .renew_after(Duration::ZERO)
}

/// A session that is not used ends after the idle timeout, though its record may still be there.
pub async fn an_idle_session_ends(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, settings);
    let browser = Browser::logged_in(&app, "ada").await;
    let other = Browser::logged_in(&app, "ada").await;
    site.clock.advance(IDLE - 1);
    assert!(app.is_alive(browser.cookie()).await);
    site.clock.advance(1);
    assert!(app.is_alive(browser.cookie()).await, "it was used a second ago");
    assert!(!app.is_alive(other.cookie()).await);
}

/// A session ends after the absolute timeout, however often it is used.
pub async fn a_session_ends_in_any_case(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, settings);
    let browser = Browser::logged_in(&app, "ada").await;
    for _ in 1..10 {
        site.clock.advance(ABSOLUTE / 10);
        let used = |s: Session| async move { s.insert("n", 1) };
        app.request(browser.cookie.as_deref(), used).await.ok();
    }
    site.clock.advance(ABSOLUTE / 10 - 1);
    assert!(app.is_alive(browser.cookie()).await);
    site.clock.advance(1);
    assert!(!app.is_alive(browser.cookie()).await);
}

/// A session that expires while a request is under way doesn't come back by its writes.
pub async fn an_expired_session_stays_so(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, settings);
    let browser = Browser::logged_in(&app, "ada").await;
    let clock = site.clock.clone();
    let answer = app
        .request(browser.cookie.as_deref(), move |session: Session| async move {
            clock.advance(IDLE);
            session.insert("n", 2)
        })
        .await;
    assert_eq!(answer.status, 409);
    assert!(!app.is_alive(browser.cookie()).await);
}

/// A session that expires while a request reads it doesn't come back by having been used.
pub async fn a_session_that_expires_while_it_is_read_stays_so(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, settings);
    let browser = Browser::logged_in(&app, "ada").await;
    let (clock, other, cookie) = (site.clock.clone(), app.clone(), browser.cookie().to_owned());
    let answer = app
        .request(browser.cookie.as_deref(), move |session: Session| async move {
            clock.advance(IDLE);
            assert!(!other.is_alive(&cookie).await);
            Ok(session.user())
        })
        .await;
    assert_eq!(answer.ok().as_deref(), Some("ada"));
    assert!(!app.is_alive(browser.cookie()).await);
}

/// The last use of a session is written at most once per tenth of the idle timeout, and without a
/// cookie.
pub async fn uses_are_written_seldom(fixture: impl Fixture) {
    let site = Site::new();
    let counts = Counts::default();
    let app = site.app_with(counts.of(fixture.open().await), settings);
    let browser = Browser::logged_in(&app, "ada").await;
    counts.take();
    for _ in 0..5 {
        for (seconds, writes) in [(IDLE / 20, 0), (IDLE / 20, 0), (1, 1), (0, 0)] {
            site.clock.advance(seconds);
            let read = |session: Session| async move { Ok(session.len()) };
            let answer = app.request(browser.cookie.as_deref(), read).await;
            assert_eq!(answer.cookie, SetCookie::Keep);
            assert_eq!(counts.take(), (1, writes));
        }
    }
    assert!(app.is_alive(browser.cookie()).await);
}

/// A request costs one load at most, and one more call if it writes or logs out; a route that never
/// asks for the session costs none. A login costs two writes where a session has to end for it.
pub async fn a_request_loads_once(fixture: impl Fixture) {
    let site = Site::new();
    let counts = Counts::default();
    let app = site.app_with(counts.of(fixture.open().await), settings);
    let browser = Browser::logged_in(&app, "ada").await;
    assert_eq!(counts.take(), (0, 1));
    let cookie = browser.cookie.as_deref();
    app.request(cookie, |s: Session| async move { Ok((s.len(), s.user(), s.keys())) }).await.ok();
    assert_eq!(counts.take().0, 1);
    app.plain(cookie).await;
    assert_eq!(counts.take(), (0, 0));
    app.request(None, |s: Session| async move { Ok(s.len()) }).await.ok();
    assert_eq!(counts.take(), (0, 0));
    app.request(cookie, |s: Session| async move { s.insert("n", 2) }).await.ok();
    assert_eq!(counts.take(), (1, 1));
    // A login is a new record; where there was one before, its end as well.
    let mut browser = browser;
    browser.send(&app, |s: Session| async move { s.login("hopper") }).await.ok();
    assert_eq!(counts.take(), (1, 2));
    browser.send(&app, |s: Session| async move { s.logout() }).await.ok();
    assert_eq!(counts.take(), (1, 1));
}

/// Anonymous visitors whose session holds nothing write nothing, whatever their requests do.
pub async fn visitors_without_data_write_nothing(fixture: impl Fixture) {
    let site = Site::new();
    let counts = Counts::default();
    let app = site.app_with(counts.of(fixture.open().await), settings);
    let works: [Work; 6] = [
        |session| session.get::<u64>("n").map(|_| ()),
        Session::clear,
        |session| session.remove("n").map(|_| ()),
        |session| session.insert("n", 1).and_then(|()| session.remove("n")).map(|_| ()),
        Session::logout,
        Session::mark_modified,
    ];
    for work in works {
        let answer = app.request(None, move |s: Session| async move { work(&s) }).await;
        assert_eq!(answer.status, 200);
        assert!(!matches!(answer.cookie, SetCookie::Set(_)));
        assert_eq!(counts.take(), (0, 0));
    }
}

/// A session that is too large is refused, and stays as it was.
pub async fn a_session_may_not_be_too_large(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, |config| config.session_limit(1_000));
    let browser = Browser::with(&app, "n", 1).await;
    let grow = |session: Session| async move {
        session.insert("n", 2)?;
        session.insert("large", "x".repeat(1_000))
    };
    assert_eq!(app.request(browser.cookie.as_deref(), grow).await.status, 500);
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(1));
    let answer = app.request(None, grow).await;
    assert_eq!((answer.status.as_u16(), answer.cookie), (500, SetCookie::Keep));
}
