use carafe::{ErrorKind, Session};

use super::two_apps;
use crate::Fixture;
use crate::app::{App, Browser, SetCookie, Site};

async fn log_out(app: &App, cookie: &str) -> SetCookie {
    let answer =
        app.request(Some(cookie), |session: Session| async move { session.logout() }).await;
    assert_eq!(answer.status, 200);
    answer.cookie
}

/// After a logout every copy of the cookie is dead, in every process.
pub async fn a_copied_cookie_is_dead_after_logout(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    assert_eq!(apps[1].look(browser.cookie(), "n").await, (Some("ada".to_owned()), Some(1)));
    assert_eq!(log_out(&apps[0], browser.cookie()).await, SetCookie::Remove);
    for app in &apps {
        assert_eq!(app.look(browser.cookie(), "n").await, (None, None));
    }
}

/// A request that is under way while the session is ended elsewhere can't bring it back: whatever
/// it writes is refused.
pub async fn a_request_under_way_brings_nothing_back(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for (writer, ender) in [(0, 0), (0, 1), (1, 0)] {
        let browser = Browser::logged_in(&apps[writer], "ada").await;
        let (inner, cookie) = (apps[ender].clone(), browser.cookie().to_owned());
        let answer = apps[writer]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                session.insert("lantern", 1)?;
                log_out(&inner, &cookie).await;
                session.insert("umbrella", 2)
            })
            .await;
        assert_eq!(answer.status, 409);
        assert_eq!(answer.cookie, SetCookie::Keep);
        for app in &apps {
            assert!(!app.is_alive(browser.cookie()).await);
        }
    }
}

/// A save at once is refused, too, and says why.
pub async fn saving_at_once_brings_nothing_back(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let (inner, cookie) = (apps[1].clone(), browser.cookie().to_owned());
    let answer = apps[0]
        .request(browser.cookie.as_deref(), move |session: Session| async move {
            log_out(&inner, &cookie).await;
            let updated = session.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await;
            assert_eq!(updated.unwrap_err().kind(), ErrorKind::Ended);
            // A handler that goes on all the same is told again.
            session.insert("more", 1)
        })
        .await;
    assert_eq!(answer.status, 409);
    assert!(!apps[0].is_alive(browser.cookie()).await);
}

/// A request that only reads while the session is ended elsewhere is served, and changes nothing.
pub async fn a_reader_under_way_is_served(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let (inner, cookie) = (apps[1].clone(), browser.cookie().to_owned());
    let answer = apps[0]
        .request(browser.cookie.as_deref(), move |session: Session| async move {
            log_out(&inner, &cookie).await;
            Ok(session.user())
        })
        .await;
    assert_eq!(answer.ok().as_deref(), Some("ada"));
    assert!(!apps[0].is_alive(browser.cookie()).await);
}

/// A write after a logout in the same request begins an anonymous session under a new id.
pub async fn what_follows_a_logout_begins_anew(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let mut browser = Browser::logged_in(&app, "ada").await;
    let before = browser.cookie().to_owned();
    browser
        .send(&app, |session: Session| async move {
            session.insert("lost", 1)?;
            session.logout()?;
            session.insert("n", 5)
        })
        .await
        .ok();
    assert_ne!(browser.cookie(), before);
    assert_eq!(app.look(browser.cookie(), "n").await, (None, Some(5)));
    assert_eq!(app.look(browser.cookie(), "lost").await, (None, None));
    assert!(!app.is_alive(&before).await);
}

/// Logging out twice, also at the same time, is no error.
pub async fn a_session_may_be_ended_twice(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let (inner, cookie) = (apps[1].clone(), browser.cookie().to_owned());
    let answer = apps[0]
        .request(browser.cookie.as_deref(), move |session: Session| async move {
            log_out(&inner, &cookie).await;
            session.logout()
        })
        .await;
    assert_eq!((answer.status.as_u16(), answer.cookie), (200, SetCookie::Remove));
    assert!(!apps[0].is_alive(browser.cookie()).await);
}
