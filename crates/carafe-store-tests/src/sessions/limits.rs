//! Limits of a user's sessions, and what a session knows of its login.

use std::time::Duration;

use carafe::store::OverLimit;
use carafe::{Config, ErrorKind, LoginOptions, Session};

use crate::Fixture;
use crate::app::{App, Browser, SetCookie, Site};
use crate::support::NOW;

/// Returns two processes in which a user may have `most` sessions.
async fn limited(fixture: &impl Fixture, site: &Site, most: u32, over: OverLimit) -> [App; 2] {
    // A machine that is busy with other tests is no failure.
    let settings = |config: Config| {
        config.sessions_per_user(most, over).store_timeout(Duration::from_secs(60))
    };
    [site.app_with(fixture.open().await, settings), site.app_with(fixture.open().await, settings)]
}

async fn try_to_log_in(app: &App, cookie: Option<&str>) -> (u16, SetCookie) {
    let answer = app.request(cookie, |session: Session| async move { session.login("ada") }).await;
    (answer.status.as_u16(), answer.cookie)
}

/// Of 64 logins at once in two processes, as many succeed as the limit allows; the rest are
/// refused.
pub async fn racing_logins_of_a_user_keep_the_limit(fixture: impl Fixture) {
    let site = Site::new();
    for (over, successes) in [(OverLimit::Refuse, 3), (OverLimit::EndOldest, 64)] {
        let apps = limited(&fixture, &site, 3, over).await;
        let logins: Vec<_> = (0..64)
            .map(|number| {
                let app = apps[number % 2].clone();
                tokio::spawn(async move { try_to_log_in(&app, None).await })
            })
            .collect();
        let (mut cookies, mut refused) = (Vec::new(), 0);
        for login in logins {
            match login.await.unwrap() {
                (200, SetCookie::Set(cookie)) => cookies.push(cookie),
                (409, SetCookie::Keep) => refused += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((cookies.len(), refused), (successes, 64 - successes), "{over:?}");
        let mut alive = 0;
        for cookie in &cookies {
            alive += usize::from(apps[0].is_alive(cookie).await);
        }
        assert_eq!((alive, apps[1].users.list("ada").await.unwrap().len()), (3, 3), "{over:?}");
        assert_eq!(apps[0].users.logout("ada").await.unwrap(), 3);
    }
}

/// A login that is refused leaves the session as it was, whether or not its handler learns of it.
pub async fn a_refused_login_changes_nothing(fixture: impl Fixture) {
    let site = Site::new();
    let apps = limited(&fixture, &site, 1, OverLimit::Refuse).await;
    let first = Browser::logged_in(&apps[0], "ada").await;
    let mut visitor = Browser::with(&apps[1], "n", 7).await;
    let before = visitor.cookie.clone();
    let answer = visitor.send(&apps[1], |session: Session| async move {
        session.insert("m", 1)?;
        session.login("ada")
    });
    assert_eq!(answer.await.status, 409);
    let told = visitor.send(&apps[1], |session: Session| async move {
        let refused = session.login_now("ada", LoginOptions::default()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TooManySessions);
        session.insert("m", u64::from(session.user().is_some()))?;
        session.get::<u64>("n")
    });
    assert_eq!(told.await.ok(), Some(7));
    assert_eq!(visitor.cookie, before);
    assert_eq!(apps[0].look(visitor.cookie(), "n").await, (None, Some(7)));
    assert_eq!(apps[0].look(visitor.cookie(), "m").await, (None, Some(0)));
    assert!(apps[1].is_alive(first.cookie()).await);
    // Once there is room, the login is saved at once.
    apps[0]
        .request(first.cookie.as_deref(), |session: Session| async move { session.logout() })
        .await
        .ok();
    let (other, own) = (apps[0].clone(), visitor.clone());
    visitor
        .send(&apps[1], |session: Session| async move {
            session.login_now("ada", LoginOptions::default()).await?;
            assert_eq!(other.users.list("ada").await?.len(), 1);
            assert!(!other.is_alive(own.cookie()).await, "the old id");
            session.insert("n", 8)
        })
        .await
        .ok();
    assert_eq!(apps[0].look(visitor.cookie(), "n").await, (Some("ada".to_owned()), Some(8)));
}

/// A user who logs in again where they are logged in replaces that session, and has no other.
pub async fn a_login_within_a_session_replaces_it(fixture: impl Fixture) {
    let site = Site::new();
    for over in [OverLimit::Refuse, OverLimit::EndOldest] {
        let apps = limited(&fixture, &site, 2, over).await;
        let other = Browser::logged_in(&apps[0], "ada").await;
        site.clock.advance(1);
        let mut browser = Browser::logged_in(&apps[1], "ada").await;
        for app in [&apps[0], &apps[1], &apps[0]] {
            browser.send(app, |session: Session| async move { session.login("ada") }).await.ok();
            assert!(apps[1].is_alive(other.cookie()).await);
            assert_eq!(apps[1].users.list("ada").await.unwrap().len(), 2);
        }
        apps[0].users.logout("ada").await.unwrap();
    }
}

/// The session ends to which the user logged in first, however lately it was used.
pub async fn the_oldest_login_ends(fixture: impl Fixture) {
    let site = Site::new();
    let apps = limited(&fixture, &site, 2, OverLimit::EndOldest).await;
    let first = Browser::logged_in(&apps[0], "ada").await;
    site.clock.advance(10);
    let second = Browser::logged_in(&apps[1], "ada").await;
    site.clock.advance(10);
    let mut used = first.clone();
    used.send(&apps[1], |session: Session| async move { session.insert("n", 2) }).await.ok();
    let third = Browser::logged_in(&apps[1], "ada").await;
    for app in &apps {
        assert!(!app.is_alive(first.cookie()).await);
        assert!(app.is_alive(second.cookie()).await && app.is_alive(third.cookie()).await);
    }
}

/// The facts about a login are in the store: for every process, through new ids and writes.
pub async fn what_is_known_of_a_login_is_stored(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let mut browser = Browser::default();
    let first_step = |session: Session| async move {
        let options = LoginOptions::default().agent("desk").credential("hash");
        session.login_pending_with("ada", options)
    };
    browser.send(&apps[0], first_step).await.ok();
    let pending = |session: Session| async move { Ok((session.user(), session.pending_user())) };
    let seen = browser.send(&apps[1], pending).await.ok();
    assert_eq!(seen, (None, Some("ada".to_owned())));
    assert_eq!(apps[0].users.list("ada").await.unwrap(), []);
    let before = browser.cookie.clone();
    browser.send(&apps[1], |session: Session| async move { session.complete_login() }).await.ok();
    assert_ne!(browser.cookie, before);
    assert!(!apps[0].is_alive(before.as_deref().unwrap()).await);
    site.clock.advance(100);
    browser.send(&apps[0], |session: Session| async move { session.reauthenticated() }).await.ok();
    browser.send(&apps[1], |session: Session| async move { session.insert("n", 1) }).await.ok();
    browser.send(&apps[0], |session: Session| async move { session.rotate() }).await.ok();
    let seen = browser.send(&apps[1], |session: Session| async move {
        session.check_credential("hash")?;
        Ok((session.user(), session.pending_user(), session.authenticated_at()))
    });
    assert_eq!(seen.await.ok(), (Some("ada".to_owned()), None, Some(NOW + 100)));
    let found = apps[1].users.list("ada").await.unwrap();
    assert_eq!((found[0].agent.as_deref(), found[0].logged_in), (Some("desk"), Some(NOW)));
    let changed = |session: Session| async move { session.check_credential("another") };
    assert_eq!(browser.send(&apps[0], changed).await.status, 401);
    assert_eq!(browser.cookie, None);
    assert_eq!(apps[1].users.list("ada").await.unwrap(), []);
}
