use carafe::Session;
use carafe::value::Value;

use super::at_once;
use crate::Fixture;
use crate::app::{App, Browser, Site};

/// Runs one request around another of the same session: the outer one opens it, then the inner one
/// does all of its work, then the outer one does its own.
async fn around<I, O>(apps: &[App; 2], cookie: &str, inner: I, outer: O) -> u16
where
    I: FnOnce(&Session) -> Result<(), carafe::Error> + Send + 'static,
    O: FnOnce(&Session) -> Result<(), carafe::Error> + Send + 'static,
{
    let (other, copy) = (apps[1].clone(), cookie.to_owned());
    let answer = apps[0]
        .request(Some(cookie), move |session: Session| async move {
            other.request(Some(&copy), |s: Session| async move { inner(&s) }).await.ok();
            outer(&session)
        })
        .await;
    answer.status.as_u16()
}

async fn all(app: &App, cookie: &str) -> String {
    let work =
        |session: Session| async move { Ok(Value::from(session.to_dict()).to_tagged_json()?) };
    app.request(Some(cookie), work).await.ok()
}

/// Changes of different keys by requests that overlap are all kept.
pub async fn changes_of_different_keys_are_merged(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "a", 1).await;
    let inner = |s: &Session| s.insert("b", 2).and_then(|()| s.remove("a").map(|_| ()));
    let outer = |s: &Session| s.insert("c", 3);
    assert_eq!(around(&apps, browser.cookie(), inner, outer).await, 200);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"b":2,"c":3}"#);
}

/// Of two requests that set one key, the later write stands.
pub async fn the_later_write_of_a_key_stands(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "a", 1).await;
    let outer = |s: &Session| {
        s.get::<u64>("a")?;
        s.insert("a", 3)
    };
    assert_eq!(around(&apps, browser.cookie(), |s| s.insert("a", 2), outer).await, 200);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"a":3}"#);
}

/// Changes within one value are merged, too.
pub async fn changes_within_a_value_are_merged(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let mut browser = Browser::default();
    let cart = Value::from_tagged_json(br#"{"book":1}"#).unwrap();
    browser.send(&apps[0], |s: Session| async move { s.insert("cart", cart) }).await.ok();
    let inner = |s: &Session| s.insert_at(["cart", "pen"], 2);
    let outer = |s: &Session| s.insert_at(["cart", "cup"], 3);
    assert_eq!(around(&apps, browser.cookie(), inner, outer).await, 200);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"cart":{"book":1,"cup":3,"pen":2}}"#);
}

/// `clear` removes what is there when it is saved, also what came meanwhile; what the same request
/// writes after it stays.
pub async fn clear_removes_what_came_meanwhile(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "a", 1).await;
    let outer = |s: &Session| s.clear().and_then(|()| s.insert("c", 3));
    assert_eq!(around(&apps, browser.cookie(), |s| s.insert("b", 2), outer).await, 200);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"c":3}"#);
    // The other way round.
    let inner = |s: &Session| s.clear();
    assert_eq!(around(&apps, browser.cookie(), inner, |s| s.insert("d", 4)).await, 200);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"d":4}"#);
}

/// `or_insert` leaves alone a key that another request has inserted meanwhile.
pub async fn or_insert_leaves_what_came_meanwhile(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "a", 1).await;
    let outer = |s: &Session| s.entry("b").or_insert(9).map(|_| ());
    assert_eq!(around(&apps, browser.cookie(), |s| s.insert("b", 2), outer).await, 200);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"a":1,"b":2}"#);
}

/// Messages flashed by requests that overlap are all shown.
pub async fn flashed_messages_are_all_kept(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "a", 1).await;
    at_once(16, |number| {
        let (app, cookie) = (apps[number % 2].clone(), browser.cookie().to_owned());
        async move {
            let flash = move |s: Session| async move { s.flash(format!("message {number:02}")) };
            app.request(Some(&cookie), flash).await.ok();
        }
    })
    .await;
    let mut shown = messages(&apps[1], browser.cookie()).await;
    shown.sort_unstable();
    let expected: Vec<String> = (0..16).map(|number| format!("message {number:02}")).collect();
    assert_eq!(shown, expected);
    assert_eq!(messages(&apps[0], browser.cookie()).await, Vec::<String>::new());
}

async fn messages(app: &App, cookie: &str) -> Vec<String> {
    let show = |session: Session| async move { session.get_flashed_messages() };
    let flashes = app.request(Some(cookie), show).await.ok();
    flashes.iter().map(|flash| flash.message.as_str().unwrap().to_owned()).collect()
}

/// Showing messages takes out those that were shown; one that came meanwhile waits for the next
/// page.
pub async fn showing_takes_only_what_was_shown(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let mut browser = Browser::default();
    browser.send(&apps[0], |s: Session| async move { s.flash("first") }).await.ok();
    let outer = |s: &Session| {
        assert_eq!(s.get_flashed_messages()?.len(), 1);
        Ok(())
    };
    assert_eq!(around(&apps, browser.cookie(), |s| s.flash("second"), outer).await, 200);
    assert_eq!(messages(&apps[0], browser.cookie()).await, ["second"]);
}

/// A change that no longer fits fails the whole commit: nothing of the request is written.
pub async fn a_change_that_no_longer_fits_fails_whole(fixture: impl Fixture) {
    let site = Site::new();
    let apps = super::two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "a", 1).await;
    let outer = |s: &Session| {
        s.insert("b", 2)?;
        s.update("a", |a: Option<u64>| a.unwrap_or(0) + 1).map(|_| ())
    };
    assert_eq!(around(&apps, browser.cookie(), |s| s.insert("a", "text"), outer).await, 500);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"a":"text"}"#);
    let dict = Value::from_tagged_json(br#"{"x":1}"#).unwrap();
    let set = |s: Session| async move { s.insert("a", dict) };
    apps[0].request(browser.cookie.as_deref(), set).await.ok();
    let inner = |s: &Session| s.insert("a", "text");
    let outer = |s: &Session| s.insert("b", 2).and_then(|()| s.insert_at(["a", "x"], 1));
    assert_eq!(around(&apps, browser.cookie(), inner, outer).await, 500);
    assert_eq!(all(&apps[0], browser.cookie()).await, r#"{"a":"text"}"#);
}

/// One request's failing change doesn't harm the changes that are saved together with it.
pub async fn a_failing_change_harms_no_other(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app(fixture.open().await);
    let browser = Browser::with(&app, "n", 0).await;
    let statuses = at_once(32, |number| {
        let (app, cookie) = (app.clone(), browser.cookie().to_owned());
        async move {
            let work = move |session: Session| async move {
                if number % 4 == 0 {
                    return session.insert("large", "x".repeat(100_000));
                }
                session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1).map(|_| ())
            };
            app.request(Some(&cookie), work).await.status.as_u16()
        }
    })
    .await;
    for (number, status) in statuses.into_iter().enumerate() {
        assert_eq!(status, if number % 4 == 0 { 500 } else { 200 });
    }
    assert_eq!(all(&app, browser.cookie()).await, r#"{"n":24}"#);
}
