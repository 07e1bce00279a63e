use carafe::Session;
use http::StatusCode;

use super::{at_once, two_apps};
use crate::Fixture;
use crate::app::{App, Browser, Site};

/// The number of clients that use one session at the same time.
const CLIENTS: usize = 64;

/// Increments a number many times at once, and checks that each answer was given once.
async fn count(apps: [App; 2], each: usize) {
    let browser = Browser::with(&apps[0], "n", 0).await;
    let answers = at_once(CLIENTS, |client| {
        let (app, cookie) = (apps[client % 2].clone(), browser.cookie().to_owned());
        async move {
            let mut answers = Vec::new();
            for _ in 0..each {
                let increment = |session: Session| async move {
                    session.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await
                };
                answers.push(app.request(Some(&cookie), increment).await.ok());
            }
            answers
        }
    })
    .await;
    let mut answers: Vec<u64> = answers.into_iter().flatten().collect();
    answers.sort_unstable();
    let all: Vec<u64> = (1..=(CLIENTS * each) as u64).collect();
    assert_eq!(answers, all, "an answer was given twice, or never");
    for app in &apps {
        assert_eq!(app.look(browser.cookie(), "n").await.1, Some(all.len() as u64));
    }
}

/// 64 clients increment a number of one session in one process: nothing is lost, and `update_now`
/// tells each a number of its own.
pub async fn increments_in_one_process_lose_nothing(fixture: impl Fixture) {
    let app = Site::new().app(fixture.open().await);
    count([app.clone(), app], 50).await;
}

/// Increments through two processes lose nothing.
pub async fn increments_in_two_processes_lose_nothing(fixture: impl Fixture) {
    let site = Site::new();
    count(two_apps(&fixture, &site).await, 50).await;
}

/// `update` without waiting loses nothing either: it runs again on the newest record.
pub async fn updates_are_applied_to_the_newest_record(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "n", 0).await;
    at_once(CLIENTS, |client| {
        let (app, cookie) = (apps[client % 2].clone(), browser.cookie().to_owned());
        async move {
            for _ in 0..10 {
                let increment = |session: Session| async move {
                    session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)
                };
                app.request(Some(&cookie), increment).await.ok();
            }
        }
    })
    .await;
    assert_eq!(apps[1].look(browser.cookie(), "n").await.1, Some(640));
}

/// 64 clients set a key each at the same time: all of them are there.
pub async fn keys_set_at_once_are_all_there(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "n", 0).await;
    at_once(CLIENTS, |client| {
        let (app, cookie) = (apps[client % 2].clone(), browser.cookie().to_owned());
        async move {
            let set = move |session: Session| async move {
                session.insert(format!("key {client}"), client)
            };
            app.request(Some(&cookie), set).await.ok();
        }
    })
    .await;
    let all = |session: Session| async move { Ok(session.to_dict()) };
    let dict = apps[0].request(browser.cookie.as_deref(), all).await.ok();
    assert_eq!(dict.len(), CLIENTS + 1);
    for client in 0..CLIENTS {
        let value = dict.get(format!("key {client}").as_str());
        assert_eq!(value, Some(&carafe::value::Value::from(client)));
    }
}

/// A request that reads a number and then sets it to one more overwrites the writes of other
/// requests, but not in strict mode: there the number is the count of the requests that were told
/// of a success.
pub async fn strict_layers_refuse_lost_updates(fixture: impl Fixture) {
    let site = Site::new();
    let apps = [
        site.app_with(fixture.open().await, |config| config.strict(true)),
        site.app_with(fixture.open().await, |config| config.strict(true)),
    ];
    let browser = Browser::with(&apps[0], "n", 0).await;
    let statuses = at_once(CLIENTS, |client| {
        let (app, cookie) = (apps[client % 2].clone(), browser.cookie().to_owned());
        async move {
            let mut statuses = Vec::new();
            for _ in 0..5 {
                let increment = |session: Session| async move {
                    let n: u64 = session.get("n")?.unwrap_or(0);
                    tokio::task::yield_now().await;
                    session.insert("n", n + 1)
                };
                statuses.push(app.request(Some(&cookie), increment).await.status);
            }
            statuses
        }
    })
    .await;
    let statuses: Vec<StatusCode> = statuses.into_iter().flatten().collect();
    let done = statuses.iter().filter(|status| **status == 200).count();
    let refused = statuses.iter().filter(|status| **status == 409).count();
    assert_eq!(done + refused, statuses.len());
    assert_eq!(apps[0].look(browser.cookie(), "n").await.1, Some(done as u64));
}

/// In strict mode, who read that a key was missing is refused, too, if another has set it.
pub async fn strict_layers_notice_keys_that_were_missing(fixture: impl Fixture) {
    let site = Site::new();
    let app = site.app_with(fixture.open().await, |config| config.strict(true));
    let browser = Browser::with(&app, "n", 0).await;
    let (inner, cookie) = (app.clone(), browser.cookie().to_owned());
    let answer = app
        .request(browser.cookie.as_deref(), move |session: Session| async move {
            assert!(!session.contains("new"));
            inner.request(Some(&cookie), |s| async move { s.insert("new", 1) }).await.ok();
            session.insert("new", 2)?;
            session.insert("other", 3)
        })
        .await;
    assert_eq!(answer.status, 409);
    assert_eq!(app.look(browser.cookie(), "new").await.1, Some(1));
    assert_eq!(app.look(browser.cookie(), "other").await.1, None, "half of it was written");
}

/// Content that was saved is visible to other requests before the response begins, and stays
/// whatever becomes of the request. Later changes are saved with the response.
pub async fn what_was_saved_is_there_at_once(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "n", 1).await;
    for fails in [false, true] {
        let (other, cookie) = (apps[1].clone(), browser.cookie().to_owned());
        let answer = apps[0]
            .request(browser.cookie.as_deref(), move |session: Session| async move {
                session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
                session.save().await?;
                let saved = other.look(&cookie, "n").await.1;
                // The session sees the writes of other requests since.
                other.request(Some(&cookie), |s| async move { s.insert("m", 5) }).await.ok();
                session.save().await?;
                session.insert("later", if fails { 2 } else { 1 })?;
                session.insert("large", "x".repeat(if fails { 100_000 } else { 1 }))?;
                Ok(saved)
            })
            .await;
        assert_eq!(answer.status, if fails { 500 } else { 200 });
        let n = if fails { 3 } else { 2 };
        assert_eq!(answer.value, Some(Some(n)), "it was not there when `save` returned");
        assert_eq!(apps[1].look(browser.cookie(), "n").await.1, Some(n), "it was saved twice");
        assert_eq!(apps[1].look(browser.cookie(), "m").await.1, Some(5));
        assert_eq!(apps[1].look(browser.cookie(), "later").await.1, Some(1));
    }
}

/// A token that is good for one use is given to one of many.
pub async fn a_token_is_taken_once(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::with(&apps[0], "token", 7).await;
    let taken = at_once(CLIENTS, |client| {
        let (app, cookie) = (apps[client % 2].clone(), browser.cookie().to_owned());
        async move {
            let take = |session: Session| async move { session.take_now::<u64>("token").await };
            app.request(Some(&cookie), take).await.ok()
        }
    })
    .await;
    let taken: Vec<u64> = taken.into_iter().flatten().collect();
    assert_eq!(taken, [7]);
}
