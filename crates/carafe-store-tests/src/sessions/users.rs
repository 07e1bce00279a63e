use carafe::{LoginOptions, Session, SessionInfo};

use super::two_apps;
use crate::Fixture;
use crate::app::{App, Browser, Site};
use crate::intercept::Counts;
use crate::support::NOW;

/// A browser in which a user has logged in, with its name.
async fn log_in(app: &App, user: &'static str, agent: &'static str) -> Browser {
    let mut browser = Browser::default();
    let work = move |session: Session| async move {
        let options = LoginOptions::default().address("203.0.113.7").agent(agent);
        session.login_with(user, options)
    };
    browser.send(app, work).await.ok();
    browser
}

async fn list(app: &App, browser: &Browser) -> Vec<SessionInfo> {
    let list = |session: Session| async move { session.sessions().await };
    app.request(browser.cookie.as_deref(), list).await.ok()
}

fn agents(list: &[SessionInfo]) -> Vec<&str> {
    let mut agents: Vec<&str> = list.iter().filter_map(|info| info.agent.as_deref()).collect();
    agents.sort_unstable();
    agents
}

/// A user sees all their sessions, from every process, and no other user's and no ended ones.
pub async fn a_users_sessions_are_listed(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let desk = log_in(&apps[0], "ada", "desk").await;
    log_in(&apps[0], "bob", "other").await;
    site.clock.advance(5);
    let mut phone = log_in(&apps[1], "ada", "phone").await;
    let gone = log_in(&apps[1], "ada", "gone").await;
    apps[0].request(gone.cookie.as_deref(), |s: Session| async move { s.logout() }).await.ok();
    // A new id makes no other session.
    phone.send(&apps[0], |session: Session| async move { session.rotate() }).await.ok();
    for app in &apps {
        let found = list(app, &phone).await;
        assert_eq!(agents(&found), ["desk", "phone"]);
        // The one that was used last is at the beginning.
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.current, second.current), (true, false));
        assert_eq!(
            (first.created, first.logged_in, first.last_seen),
            (NOW + 5, Some(NOW + 5), NOW + 5)
        );
        assert_eq!((second.created, second.last_seen), (NOW, NOW));
        assert_eq!(first.address.as_deref(), Some("203.0.113.7"));
        assert_ne!(first.public_id, second.public_id);
        assert!(
            list(app, &desk)
                .await
                .iter()
                .any(|info| info.current && info.agent.as_deref() == Some("desk"))
        );
        assert_eq!(list(app, &Browser::default()).await, []);
    }
}

/// A user ends one session from elsewhere: it is dead in every process, and the other sessions
/// live. Another user's session can't be ended.
pub async fn one_of_a_users_sessions_is_ended(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let (desk, phone) =
        (log_in(&apps[0], "ada", "desk").await, log_in(&apps[0], "ada", "phone").await);
    let eve = log_in(&apps[0], "eve", "eve").await;
    let found = list(&apps[1], &desk).await;
    let lost = found.iter().find(|info| !info.current).unwrap().public_id;
    let revoke = move |session: Session| async move { session.revoke(lost).await };
    assert!(!apps[1].request(eve.cookie.as_deref(), revoke).await.ok(), "it is not hers");
    assert!(!apps[1].request(None, revoke).await.ok());
    assert!(apps[0].is_alive(phone.cookie()).await);
    assert!(apps[1].request(desk.cookie.as_deref(), revoke).await.ok());
    assert!(!apps[1].request(desk.cookie.as_deref(), revoke).await.ok(), "it is ended already");
    for app in &apps {
        assert!(!app.is_alive(phone.cookie()).await);
        assert!(app.is_alive(desk.cookie()).await && app.is_alive(eve.cookie()).await);
    }
}

/// A user who has many sessions ends all others with one call of the store, in whatever process their
/// own was renewed meanwhile.
pub async fn all_other_sessions_are_ended_in_one_call(fixture: impl Fixture) {
    let site = Site::new();
    let counts = Counts::default();
    let counted = site.app(counts.of(fixture.open().await));
    let apps = [site.app(fixture.open().await), counted];
    let mut desk = log_in(&apps[0], "ada", "desk").await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(log_in(&apps[0], "ada", "other").await);
    }
    let eve = log_in(&apps[0], "eve", "eve").await;
    counts.take();
    let (renewing, mut renewed) = (apps[0].clone(), desk.clone());
    let answer = desk
        .send(&apps[1], move |session: Session| async move {
            renewed.send(&renewing, |session: Session| async move { session.rotate() }).await.ok();
            Ok((session.logout_others().await?, renewed))
        })
        .await;
    let (ended, renewed) = answer.ok();
    assert_eq!(ended, 20);
    // One record was read, and the rest were deleted.
    assert_eq!(counts.take(), (1, 1));
    assert!(apps[1].is_alive(renewed.cookie()).await, "the user's own session was ended");
    assert!(apps[0].is_alive(eve.cookie()).await);
    for other in &others {
        assert!(!apps[0].is_alive(other.cookie()).await);
    }
}

/// A request that is under way when its session is ended from elsewhere writes nothing.
pub async fn a_session_that_is_ended_from_elsewhere_stays_so(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for everywhere in [false, true] {
        let (desk, phone) =
            (log_in(&apps[0], "ada", "desk").await, log_in(&apps[0], "ada", "phone").await);
        let (other, cookie) = (apps[1].clone(), desk.cookie().to_owned());
        let answer = apps[0]
            .request(phone.cookie.as_deref(), move |session: Session| async move {
                let end = move |desk: Session| async move {
                    match everywhere {
                        true => desk.logout_everywhere().await,
                        false => desk.logout_others().await,
                    }
                };
                assert_eq!(other.request(Some(&cookie), end).await.ok(), 1);
                session.insert("n", 1)
            })
            .await;
        assert_eq!(answer.status, 409);
        for app in &apps {
            assert!(!app.is_alive(phone.cookie()).await);
            assert_eq!(app.is_alive(desk.cookie()).await, !everywhere);
        }
        let logout = |session: Session| async move { session.logout() };
        apps[0].request(desk.cookie.as_deref(), logout).await.ok();
    }
}

/// An administrator lists and ends the sessions of any user.
pub async fn an_administrator_ends_sessions(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let mut browsers = Vec::new();
    for number in 0..3 {
        browsers.push(log_in(&apps[number % 2], "ada", "any").await);
    }
    let eve = log_in(&apps[0], "eve", "any").await;
    let found = apps[1].users.list("ada").await.unwrap();
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|info| !info.current));
    let one = found[0].public_id;
    assert!(!apps[1].users.revoke("eve", one).await.unwrap());
    assert!(apps[1].users.revoke("ada", one).await.unwrap());
    assert_eq!(apps[0].users.list("ada").await.unwrap().len(), 2);
    assert_eq!(apps[0].users.logout("ada").await.unwrap(), 2);
    for browser in &browsers {
        assert!(!apps[0].is_alive(browser.cookie()).await);
    }
    assert!(apps[1].is_alive(eve.cookie()).await);
}
