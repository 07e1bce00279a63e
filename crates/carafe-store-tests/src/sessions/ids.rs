use std::future::Future;

use carafe::Session;
use carafe::id::SessionId;

use super::Work;
use crate::Fixture;
use crate::app::{App, Browser, SetCookie, Site};

/// Checks that a cookie leads nowhere, and that a session which begins with it has another id.
async fn is_never_adopted(app: &App, cookie: &str) {
    assert!(!app.is_alive(cookie).await);
    let works: [Work; 4] = [
        |session| session.insert("n", 1),
        |session| session.login("ada"),
        |session| session.clear().and_then(|()| session.insert("n", 1)),
        |session| session.rotate().and_then(|()| session.insert("n", 1)),
    ];
    for work in works {
        begins_anew(app, cookie, move |s: Session| async move { work(&s) }).await;
    }
    let update = |session: Session| async move {
        session.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await.map(|_| ())
    };
    begins_anew(app, cookie, update).await;
    let take = |session: Session| async move {
        assert_eq!(session.take_now::<u64>("n").await?, None);
        session.flash("hello")
    };
    begins_anew(app, cookie, take).await;
    let save = |session: Session| async move {
        session.insert("n", 1)?;
        session.save().await?;
        session.rotate()
    };
    begins_anew(app, cookie, save).await;
    let end = |session: Session| async move {
        assert_eq!((session.public_id(), session.id()), (None, None));
        assert_eq!(session.sessions().await?, []);
        assert_eq!(session.logout_others().await? + session.logout_everywhere().await?, 0);
        session.logout()
    };
    let answer = app.request(Some(cookie), end).await;
    assert_eq!((answer.status.as_u16(), answer.cookie), (200, SetCookie::Remove));
    assert!(!app.is_alive(cookie).await);
}

/// Checks that what a request with a dead cookie writes is in a session with an id of its own.
async fn begins_anew<F, Fut>(app: &App, cookie: &str, work: F)
where
    F: FnOnce(Session) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), carafe::Error>> + Send + 'static,
{
    let answer = app.request(Some(cookie), work).await;
    assert_eq!(answer.status, 200);
    let SetCookie::Set(new) = answer.cookie else { panic!("no session began") };
    assert_ne!(new, cookie);
    assert!(app.is_alive(&new).await);
    assert!(!app.is_alive(cookie).await, "an id was adopted that the server did not make");
}

/// An id that this server signed, but that no session has any more, is never adopted.
pub async fn an_id_of_no_session_is_never_adopted(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let browser = Browser::logged_in(&app, "ada").await;
    app.request(browser.cookie.as_deref(), |s: Session| async move { s.logout() }).await.ok();
    is_never_adopted(&app, browser.cookie()).await;
}

/// An id that is unsigned, or signed with another key, is never adopted.
pub async fn a_forged_id_is_never_adopted(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let stranger = Site::new().app(fixture.open().await);
    let foreign = Browser::logged_in(&stranger, "eve").await;
    is_never_adopted(&app, foreign.cookie()).await;
    is_never_adopted(&app, &SessionId::random().unwrap().to_text()).await;
    let (id, signature) = foreign.cookie().split_once('.').unwrap();
    is_never_adopted(&app, &format!("{id}.{}", "A".repeat(signature.len()))).await;
    is_never_adopted(&app, &format!("{id}.")).await;
    // The stranger's session is untouched by it.
    assert!(stranger.is_alive(foreign.cookie()).await);
}

/// A client that changes a bit of a good cookie gets no session.
pub async fn a_changed_cookie_opens_nothing(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let browser = Browser::logged_in(&app, "ada").await;
    let good = browser.cookie().as_bytes();
    for at in 0..good.len() {
        let mut changed = good.to_vec();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(!app.is_alive(std::str::from_utf8(&changed).unwrap()).await, "byte {at}");
    }
    assert!(app.is_alive(browser.cookie()).await);
}

/// Two visitors never share a session, whatever they do first.
pub async fn sessions_have_ids_of_their_own(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let mut cookies = std::collections::HashSet::new();
    for number in 0..20 {
        let browser = Browser::with(&app, "n", number).await;
        assert!(cookies.insert(browser.cookie().to_owned()));
        assert_eq!(app.look(browser.cookie(), "n").await.1, Some(number));
    }
}
