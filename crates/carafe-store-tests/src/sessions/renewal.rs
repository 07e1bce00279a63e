use std::time::Duration;

use carafe::store::SessionStore as _;
use carafe::{Clock, Config, Session};

use super::{Work, at_once};
use crate::Fixture;
use crate::app::{App, Browser, SetCookie, Site};

const RENEW_AFTER: u64 = 1_000;
const GRACE: u64 = 10;

fn settings(config: Config) -> Config {
    config.renew_after(Duration::from_secs(RENEW_AFTER)).renewal_grace(Duration::from_secs(GRACE))
}

async fn two_apps<F: Fixture>(fixture: &F, site: &Site) -> [App; 2] {
    [site.app_with(fixture.open().await, settings), site.app_with(fixture.open().await, settings)]
}

/// Lets a request renew the session; the new cookie.
async fn renew(app: &App, cookie: &str) -> String {
    let answer =
        app.request(Some(cookie), |session: Session| async move { Ok(session.len()) }).await;
    match answer.cookie {
        SetCookie::Set(new) => new,
        other => panic!("the session was not renewed: {} {other:?}", answer.status),
    }
}

/// An id is renewed when it is due, also by a request that only reads. The old one leads to the
/// session during the grace, and is dead after it.
pub async fn a_renewed_id_is_an_alias_for_a_grace(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let old = browser.cookie();
    site.clock.advance(RENEW_AFTER - 1);
    let early = apps[0].request(Some(old), |s: Session| async move { Ok(s.len()) }).await;
    assert_eq!(early.cookie, SetCookie::Keep);
    site.clock.advance(1);
    let new = renew(&apps[0], old).await;
    site.clock.advance(GRACE - 1);
    for app in &apps {
        for cookie in [old, &new] {
            assert_eq!(app.look(cookie, "n").await, (Some("ada".to_owned()), Some(1)));
        }
    }
    site.clock.advance(1);
    for app in &apps {
        assert!(!app.is_alive(old).await);
        assert_eq!(app.look(&new, "n").await, (Some("ada".to_owned()), Some(1)));
    }
}

/// A request with the old id within the grace doesn't renew again, and what it writes is the
/// session's.
pub async fn writes_with_the_old_id_reach_the_session(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    site.clock.advance(RENEW_AFTER);
    let new = renew(&apps[0], browser.cookie()).await;
    for (app, n) in apps.iter().zip([2, 3]) {
        let write = move |session: Session| async move { session.insert("n", n) };
        let answer = app.request(browser.cookie.as_deref(), write).await;
        assert_eq!((answer.status.as_u16(), answer.cookie), (200, SetCookie::Keep));
        assert_eq!(apps[0].look(&new, "n").await.1, Some(n));
    }
}

/// A request that was under way when the id was renewed elsewhere writes into the session under its
/// new id.
pub async fn a_request_under_way_follows_the_renewal(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for renewer in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let (inner, cookie) = (apps[renewer].clone(), browser.cookie().to_owned());
        let clock = site.clock.clone();
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                clock.advance(RENEW_AFTER);
                let new = renew(&inner, &cookie).await;
                session.update("n", |n: Option<u64>| n.unwrap_or(0) + 10)?;
                Ok(new)
            })
            .await;
        let cookie = answer.cookie.clone();
        let new = answer.ok();
        assert_eq!(cookie, SetCookie::Keep);
        assert_eq!(apps[0].look(&new, "n").await, (Some("ada".to_owned()), Some(11)));
    }
}

/// A request that has been under way since before the renewal for longer than the grace writes
/// nothing.
pub async fn a_late_write_is_refused(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for renewer in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let (inner, cookie) = (apps[renewer].clone(), browser.cookie().to_owned());
        let clock = site.clock.clone();
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                clock.advance(RENEW_AFTER);
                let new = renew(&inner, &cookie).await;
                clock.advance(GRACE);
                session.insert("n", 2)?;
                Ok(new)
            })
            .await;
        assert_eq!((answer.status.as_u16(), answer.cookie), (409, SetCookie::Keep));
        let found = apps[0].look(&answer.value.unwrap(), "n").await;
        assert_eq!(found, (Some("ada".to_owned()), Some(1)));
    }
}

/// A logout with the old id, within the grace, ends the session under its new id.
pub async fn a_logout_with_the_old_id_ends_the_session(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for ender in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        site.clock.advance(RENEW_AFTER);
        let new = renew(&apps[0], browser.cookie()).await;
        let logout = |session: Session| async move { session.logout() };
        apps[ender].request(browser.cookie.as_deref(), logout).await.ok();
        for app in &apps {
            assert!(!app.is_alive(&new).await);
            assert!(!app.is_alive(browser.cookie()).await);
        }
    }
}

/// A logout that is under way when the id is renewed elsewhere ends the session all the same.
pub async fn a_logout_under_way_follows_the_renewal(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for renewer in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let (inner, cookie) = (apps[renewer].clone(), browser.cookie().to_owned());
        let clock = site.clock.clone();
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                clock.advance(RENEW_AFTER);
                let new = renew(&inner, &cookie).await;
                session.logout()?;
                Ok(new)
            })
            .await;
        let new = answer.ok();
        for app in &apps {
            assert!(!app.is_alive(&new).await, "the renewed session outlived its logout");
        }
    }
}

/// A logout ends the session even if it comes so late that nothing leads from the old id to the new
/// one any more.
pub async fn a_late_logout_ends_the_session(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for renewer in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let (inner, cookie) = (apps[renewer].clone(), browser.cookie().to_owned());
        let (clock, store) = (site.clock.clone(), fixture.open().await);
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                clock.advance(RENEW_AFTER);
                let new = renew(&inner, &cookie).await;
                clock.advance(RENEW_AFTER - 1);
                store.delete_expired(clock.now(), 1_000).await.unwrap();
                assert!(inner.is_alive(&new).await);
                session.logout()?;
                Ok(new)
            })
            .await;
        let new = answer.ok();
        for app in &apps {
            assert!(!app.is_alive(&new).await, "the renewed session outlived its logout");
        }
    }
}

/// A logout that is under way during a rotation ends the session under its new id, too.
pub async fn a_logout_under_way_follows_the_rotation(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for logged_in in [false, true] {
        let browser = match logged_in {
            true => Browser::logged_in(&apps[0], "ada").await,
            false => Browser::with(&apps[0], "n", 1).await,
        };
        let (inner, mut copy) = (apps[1].clone(), browser.clone());
        let store = fixture.open().await;
        let now = site.clock.now();
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                copy.send(&inner, |session: Session| async move { session.rotate() }).await.ok();
                store.delete_expired(now, 1_000).await.unwrap();
                session.logout()?;
                Ok(copy)
            })
            .await;
        let copy = answer.ok();
        assert!(!apps[0].is_alive(copy.cookie()).await, "the session outlived its logout");
    }
}

/// A renewal that is under way when the session is ended elsewhere brings nothing back: who only
/// reads is served, who writes is told.
pub async fn a_renewal_under_way_brings_nothing_back(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for (ender, writes) in [(0, false), (1, false), (0, true), (1, true)] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        site.clock.advance(RENEW_AFTER);
        let (inner, cookie) = (apps[ender].clone(), browser.cookie().to_owned());
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                let logout = |session: Session| async move { session.logout() };
                inner.request(Some(&cookie), logout).await.ok();
                if writes { session.insert("n", 2) } else { Ok(()) }
            })
            .await;
        assert_eq!(answer.status, if writes { 409 } else { 200 });
        assert_eq!(answer.cookie, SetCookie::Keep);
        assert!(!apps[0].is_alive(browser.cookie()).await);
    }
}

/// Many requests at the moment when a renewal is due: one session is left, all of its cookies lead
/// to it, and no increment is lost.
pub async fn racing_renewals_keep_one_session(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for round in 1..4 {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        site.clock.advance(RENEW_AFTER);
        let answers = at_once(16, |client| {
            let (app, cookie) = (apps[client % 2].clone(), browser.cookie().to_owned());
            async move {
                let increment = |session: Session| async move {
                    session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)
                };
                app.request(Some(&cookie), increment).await
            }
        })
        .await;
        let mut cookies = vec![browser.cookie().to_owned()];
        for answer in answers {
            assert_eq!(answer.status, 200, "in round {round}");
            if let SetCookie::Set(cookie) = answer.cookie {
                cookies.push(cookie);
            }
        }
        assert_eq!(cookies.len(), 2, "one request brings the new id");
        for cookie in &cookies {
            assert_eq!(apps[1].look(cookie, "n").await, (Some("ada".to_owned()), Some(17)));
        }
    }
}

/// Renews the session again and again, two seconds after each other. The new cookie.
async fn renew_often(app: &App, site: &Site, cookie: &str, times: u64) -> String {
    let mut newest = cookie.to_owned();
    for time in 0..times {
        site.clock.advance(if time == 0 { RENEW_AFTER } else { 2 });
        newest = renew(app, &newest).await;
    }
    newest
}

/// Where ids are renewed so often that several renewals fall into one grace period, an id that is still
/// good leads to the session, however many came after it: it reads, writes and ends that session.
pub async fn quick_renewals_lead_to_the_session(fixture: impl Fixture) {
    let site = Site::new();
    let quick = |config: Config| {
        config.renew_after(Duration::from_secs(2)).renewal_grace(Duration::from_secs(GRACE))
    };
    let apps =
        [site.app_with(fixture.open().await, quick), site.app_with(fixture.open().await, quick)];
    for app in &apps {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let old = browser.cookie();
        let newest = renew_often(&apps[0], &site, old, 5).await;
        assert_eq!(app.look(old, "n").await, (Some("ada".to_owned()), Some(1)));
        let write = |session: Session| async move { session.insert("n", 2) };
        let answer = app.request(Some(old), write).await;
        assert_eq!((answer.status.as_u16(), answer.cookie), (200, SetCookie::Keep));
        assert_eq!(app.look(&newest, "n").await, (Some("ada".to_owned()), Some(2)));
        app.request(Some(old), |session: Session| async move { session.logout() }).await.ok();
        assert!(!app.is_alive(&newest).await, "the newest id outlived the logout");
    }
}

/// If another process' settings allow more renewals than this one follows, an old id is an error,
/// and never an empty session.
pub async fn a_chain_of_renewals_that_is_too_long_is_an_error(fixture: impl Fixture) {
    let site = Site::new();
    let slow = site.app_with(fixture.open().await, settings);
    let quick = site.app_with(fixture.open().await, |config| {
        config.renew_after(Duration::from_secs(2)).renewal_grace(Duration::from_secs(60))
    });
    let browser = Browser::logged_in(&quick, "ada").await;
    let newest = renew_often(&quick, &site, browser.cookie(), 20).await;
    let works: [Work; 3] =
        [|session| session.insert("n", 2), Session::logout, |session| session.login("eve")];
    for work in works {
        let work = move |session: Session| async move { work(&session) };
        let answer = slow.request(browser.cookie.as_deref(), work).await;
        assert_eq!((answer.status.as_u16(), answer.cookie), (503, SetCookie::Keep));
    }
    assert_eq!(quick.look(browser.cookie(), "n").await, (Some("ada".to_owned()), Some(1)));
    assert_eq!(quick.look(&newest, "n").await, (Some("ada".to_owned()), Some(1)));
}

/// Half a second of the time until the renewal, and of the grace period, counts as a whole one.
pub async fn parts_of_seconds_are_rounded_up(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, |config| {
        config.renew_after(Duration::from_millis(1_500)).renewal_grace(Duration::from_millis(1_500))
    });
    let browser = Browser::logged_in(&app, "ada").await;
    site.clock.advance(2);
    renew(&app, browser.cookie()).await;
    assert!(app.is_alive(browser.cookie()).await);
    site.clock.advance(1);
    assert!(app.is_alive(browser.cookie()).await, "the grace was cut short");
    site.clock.advance(1);
    assert!(!app.is_alive(browser.cookie()).await);
}

/// An id that was rotated is dead at once also by the clock of a process that is behind.
pub async fn a_rotated_id_is_dead_by_any_clock(fixture: impl Fixture) {
    let site = Site::new();
    let mut behind = site.clone();
    behind.clock = Clock::fixed(site.clock.now() - 30);
    let apps = [
        site.app_with(fixture.open().await, settings),
        behind.app_with(fixture.open().await, settings),
    ];
    let works: [Work; 2] = [Session::rotate, |session| session.login("ada")];
    for work in works {
        let mut browser = Browser::logged_in(&apps[0], "ada").await;
        let old = browser.cookie().to_owned();
        browser.send(&apps[0], move |session: Session| async move { work(&session) }).await.ok();
        for app in &apps {
            assert!(!app.is_alive(&old).await);
            assert!(app.is_alive(browser.cookie()).await);
        }
    }
}
