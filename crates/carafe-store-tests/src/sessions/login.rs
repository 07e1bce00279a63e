use std::sync::Arc;

use carafe::{LoginOptions, Session};
use tokio::sync::Barrier;

use super::two_apps;
use crate::Fixture;
use crate::app::{Browser, SetCookie, Site};

/// At a login the old id is dead at once, in every process, and the visitor gets a new one.
pub async fn a_login_ends_the_old_id_at_once(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let mut browser = Browser::with(&apps[0], "n", 1).await;
    let before = browser.cookie().to_owned();
    browser.send(&apps[0], |session: Session| async move { session.login("ada") }).await.ok();
    assert_ne!(browser.cookie(), before);
    for app in &apps {
        assert!(!app.is_alive(&before).await);
        assert_eq!(app.look(browser.cookie(), "n").await, (Some("ada".to_owned()), None));
    }
}

/// A login drops what the anonymous visitor had stored, but for what is named.
pub async fn a_login_keeps_what_is_named(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let mut browser = Browser::with(&app, "cart", 3).await;
    browser.send(&app, |s: Session| async move { s.insert("planted", 1) }).await.ok();
    browser
        .send(&app, |session: Session| async move {
            session.login_with("ada", LoginOptions::default().keep("cart"))?;
            session.insert("n", 2)
        })
        .await
        .ok();
    assert_eq!(app.look(browser.cookie(), "cart").await, (Some("ada".to_owned()), Some(3)));
    assert_eq!(app.look(browser.cookie(), "planted").await.1, None);
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(2));
}

/// A request of the anonymous visitor that is under way during the login writes nothing into the
/// user's session.
pub async fn a_request_from_before_the_login_writes_nothing(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for other in [0, 1] {
        let browser = Browser::with(&apps[0], "n", 1).await;
        let (inner, mut user) = (apps[other].clone(), browser.clone());
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                user.send(&inner, |s: Session| async move { s.login("ada") }).await.ok();
                session.insert("planted", 1)?;
                Ok(user)
            })
            .await;
        assert_eq!(answer.status, 409);
        let user = answer.value.unwrap();
        let found = apps[0].look(user.cookie(), "planted").await;
        assert_eq!(found, (Some("ada".to_owned()), None));
    }
}

/// A rotation gives a new id with the same content, and ends the old one at once.
pub async fn a_rotation_ends_the_old_id_at_once(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let mut browser = Browser::logged_in(&apps[0], "ada").await;
    let before = browser.cookie().to_owned();
    browser.send(&apps[1], |session: Session| async move { session.rotate() }).await.ok();
    assert_ne!(browser.cookie(), before);
    for app in &apps {
        assert!(!app.is_alive(&before).await);
        assert_eq!(app.look(browser.cookie(), "n").await, (Some("ada".to_owned()), Some(1)));
    }
}

/// A request that is under way during a rotation has the old id, and writes nothing.
pub async fn a_request_from_before_the_rotation_writes_nothing(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for other in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let (inner, mut copy) = (apps[other].clone(), browser.clone());
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                copy.send(&inner, |s: Session| async move { s.rotate() }).await.ok();
                session.insert("n", 2)?;
                Ok(copy)
            })
            .await;
        assert_eq!((answer.status.as_u16(), answer.cookie), (409, SetCookie::Keep));
        let found = apps[0].look(answer.value.unwrap().cookie(), "n").await;
        assert_eq!(found, (Some("ada".to_owned()), Some(1)));
    }
}

/// The public id stays the same through a rotation, and is another after a login.
pub async fn the_public_id_outlives_a_rotation(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let mut browser = Browser::with(&app, "n", 1).await;
    let public_id = |session: Session| async move { Ok(session.public_id().unwrap()) };
    let anonymous = browser.send(&app, public_id).await.ok();
    browser.send(&app, |session: Session| async move { session.login("ada") }).await.ok();
    let first = browser.send(&app, public_id).await.ok();
    assert_ne!(first, anonymous);
    browser.send(&app, |session: Session| async move { session.rotate() }).await.ok();
    assert_eq!(browser.send(&app, public_id).await.ok(), first);
}

/// The new id of a login is the visitor's even if the handler fails after it was saved.
pub async fn a_login_that_was_saved_survives_a_failing_handler(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let browser = Browser::with(&app, "n", 1).await;
    let answer = app
        .request(browser.cookie.as_deref(), |session: Session| async move {
            session.login("ada")?;
            session.save().await?;
            // An error of the handler that isn't the session's.
            session.get::<bool>("missing")?;
            session.insert("n", "text")?;
            session.get::<u64>("n").map(|_| ())
        })
        .await;
    assert_eq!(answer.status, 500);
    let SetCookie::Set(cookie) = answer.cookie else { panic!("the new id got lost") };
    assert_eq!(app.look_at_user(&cookie).await.as_deref(), Some("ada"));
    assert!(!app.is_alive(browser.cookie()).await);
}

/// A saved login also survives if later changes of the handler can't be saved.
pub async fn a_login_that_was_saved_survives_a_failing_commit(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, |config| config.session_limit(1_000));
    let browser = Browser::with(&app, "n", 1).await;
    let answer = app
        .request(browser.cookie.as_deref(), |session: Session| async move {
            session.login("ada")?;
            session.save().await?;
            session.insert("large", "x".repeat(1_000))
        })
        .await;
    assert_eq!(answer.status, 500);
    let SetCookie::Set(cookie) = answer.cookie else { panic!("the new id got lost") };
    assert_eq!(app.look(&cookie, "large").await.0.as_deref(), Some("ada"));
    assert!(!app.is_alive(browser.cookie()).await);
}

/// Two logins of one visitor at the same time: one gets through, and the other begins nothing.
pub async fn racing_logins_leave_one_session(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for _ in 0..10 {
        let browser = Browser::with(&apps[0], "n", 1).await;
        let both = Arc::new(Barrier::new(2));
        let answers = super::at_once(2, |number| {
            let (app, cookie) = (apps[number].clone(), browser.cookie().to_owned());
            let both = Arc::clone(&both);
            async move {
                let login = |session: Session| async move {
                    // Both have opened the session.
                    both.wait().await;
                    session.login("ada")
                };
                app.request(Some(&cookie), login).await
            }
        })
        .await;
        let mut done = 0;
        for answer in answers {
            match answer.cookie {
                SetCookie::Set(cookie) => {
                    assert!(apps[0].is_alive(&cookie).await);
                    done += 1;
                }
                _ => assert_eq!(answer.status, 409),
            }
        }
        assert_eq!(done, 1);
        assert!(!apps[1].is_alive(browser.cookie()).await);
    }
}
