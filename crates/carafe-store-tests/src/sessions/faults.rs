use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use carafe::Session;

use super::{Work, at_once};
use crate::Fixture;
use crate::app::{App, Browser, SetCookie, Site};
use crate::intercept::{Call, Fate, Faults, Intercepted};
use crate::records::{in_a_runtime, paused};

/// Up to which number every so manieth call fails.
const EVERY: u64 = 50;

/// The answers that a browser got, step by step, while the store failed now and then.
struct Told {
    /// The lowest and the highest number that the counter can have.
    counter: (u64, u64),
    user: Option<&'static str>,
}

/// A visit in which every step may fail with a 503, and is then tried once more.
async fn visit(app: &App) {
    let mut browser = Browser::with_retries(app).await;
    let mut told = Told { counter: (0, 0), user: None };
    for round in 0..4 {
        for _ in 0..3 {
            increment(app, &mut browser, &mut told).await;
        }
        if round == 1 {
            let before = browser.cookie.clone();
            let login = |s: Session| async move {
                s.login_with("ada", carafe::LoginOptions::default().keep("n"))
            };
            let answer = browser.send(app, login).await;
            match answer.status.as_u16() {
                200 => {
                    told.user = Some("ada");
                    assert_ne!(browser.cookie, before);
                }
                503 => assert_eq!(answer.cookie, SetCookie::Keep, "a login that failed"),
                other => panic!("a login was answered with {other}"),
            }
            if told.user.is_none() && !still_there(app, &browser).await {
                // The answer was lost: the visitor's former session is over, and no user is logged
                // in.
                return;
            }
        }
        check(app, &mut browser, &told).await;
    }
    let cookie = browser.cookie().to_owned();
    let answer = browser.send(app, |session: Session| async move { session.logout() }).await;
    match answer.status.as_u16() {
        200 => assert!(!alive_for_sure(app, &cookie).await, "a session outlived its logout"),
        other => assert_eq!(other, 503),
    }
}

/// Increments the counter. An increment that fails may have been done.
async fn increment(app: &App, browser: &mut Browser, told: &mut Told) {
    let answer = browser
        .send(app, |session: Session| async move {
            session.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await
        })
        .await;
    match answer.status.as_u16() {
        200 => {
            let n = answer.value.unwrap();
            assert!(told.counter.0 < n && n <= told.counter.1 + 1, "the counter jumped to {n}");
            told.counter = (n, n);
        }
        503 => told.counter.1 += 1,
        other => panic!("an increment was answered with {other}"),
    }
}

/// Checks what is there against what the browser was told.
async fn check(app: &App, browser: &mut Browser, told: &Told) {
    let look = |s: Session| async move { Ok((s.user(), s.get::<u64>("n")?)) };
    let answer = browser.send(app, look).await;
    if answer.status != 503 {
        let (user, n) = answer.ok();
        assert_eq!(user.as_deref(), told.user);
        let n = n.expect("the counter was lost");
        assert!(told.counter.0 <= n && n <= told.counter.1, "{n} is not within {:?}", told.counter);
    }
}

/// Asks until the store answers.
async fn alive_for_sure(app: &App, cookie: &str) -> bool {
    for _ in 0..10 {
        let look = |s: Session| async move { Ok(s.user().is_some() || !s.is_empty()) };
        let answer = app.request(Some(cookie), look).await;
        if answer.status != 503 {
            return answer.ok();
        }
    }
    panic!("the store never answers");
}

async fn still_there(app: &App, browser: &Browser) -> bool {
    alive_for_sure(app, browser.cookie()).await
}

impl Browser {
    /// A browser with a counter, as soon as the store lets it.
    async fn with_retries(app: &App) -> Self {
        for _ in 0..10 {
            let mut browser = Self::default();
            let answer = browser.send(app, |s: Session| async move { s.insert("n", 0) }).await;
            if answer.status == 200 {
                return browser;
            }
            assert_eq!((answer.status.as_u16(), answer.cookie), (503, SetCookie::Keep));
        }
        panic!("the store never creates a session");
    }
}

/// Every n-th call of the store is refused, for every number up to 50: there are 503s and
/// nothing worse, and nothing that was acknowledged gets lost.
pub async fn refused_calls_lose_nothing(fixture: impl Fixture) {
    with_failing_calls(fixture, false).await;
}

/// Calls that are done but whose answers are lost lose nothing.
pub async fn lost_answers_lose_nothing(fixture: impl Fixture) {
    with_failing_calls(fixture, true).await;
}

async fn with_failing_calls(fixture: impl Fixture, lost: bool) {
    let site = Site::new();
    let faults = Faults::default();
    let app = site.app(faults.of(fixture.open().await));
    // If every call fails, nothing works.
    faults.fail_every(1, lost);
    let answer = app.request(None, |s: Session| async move { s.insert("n", 1) }).await;
    assert_eq!((answer.status.as_u16(), answer.cookie), (503, SetCookie::Keep));
    for every in 2..=EVERY {
        faults.fail_every(every, lost);
        for _ in 0..3 {
            visit(&app).await;
        }
    }
    faults.fail_every(0, lost);
    visit(&app).await;
}

/// Every n-th call of the store fails while the session is renewed, rotated and written: it is
/// never lost.
pub async fn failing_rotations_keep_the_session(fixture: impl Fixture) {
    let site = Site::new();
    let faults = Faults::default();
    let app = site.app_with(faults.of(fixture.open().await), |config| {
        config.renew_after(Duration::from_secs(100)).renewal_grace(Duration::from_secs(10))
    });
    for lost in [false, true] {
        for every in 1..=12 {
            faults.fail_every(0, lost);
            let mut browser = Browser::logged_in(&app, "ada").await;
            site.clock.advance(100);
            faults.fail_every(every, lost);
            for _ in 0..3 {
                let write = |s: Session| async move { s.insert("m", 1) };
                let status = browser.send(&app, write).await.status;
                assert!(status == 200 || status == 503, "{status}");
            }
            faults.fail_every(0, lost);
            let found = browser.send(&app, |s: Session| async move { Ok(s.user()) }).await.ok();
            assert_eq!(found.as_deref(), Some("ada"), "every {every}, lost: {lost}");
        }
    }
}

/// The answer to the write that moves a session to its new id gets lost, and what it came to is found
/// out by reading: the visitor is told the new id, and nothing is left of the old one.
pub async fn the_lost_answer_of_a_new_id_is_found_out(fixture: impl Fixture) {
    let site = Site::new();
    let works: [(Work, u64); 3] =
        [(|s| s.login("ada"), 0), (Session::rotate, 0), (|s| s.insert("m", 1), 100)];
    for (work, age) in works {
        let loses = Arc::new(AtomicBool::new(false));
        let next = Arc::clone(&loses);
        let store = Intercepted::new(fixture.open().await, move |call| {
            let is_lost = call == Call::Update && next.swap(false, Ordering::SeqCst);
            Box::pin(std::future::ready(if is_lost { Fate::Lost } else { Fate::Done }))
        });
        let app = site.app_with(store, |config| config.renew_after(Duration::from_secs(100)));
        let mut browser = Browser::with(&app, "n", 1).await;
        let old = browser.cookie().to_owned();
        site.clock.advance(age);
        loses.store(true, Ordering::SeqCst);
        let answer = browser.send(&app, move |s: Session| async move { work(&s) }).await;
        assert!(!loses.load(Ordering::SeqCst), "no answer was lost");
        assert_eq!(answer.status, 200);
        assert_ne!(browser.cookie(), old);
        assert!(app.is_alive(browser.cookie()).await);
        site.clock.advance(10);
        assert!(!app.is_alive(&old).await);
    }
}

/// A test that pauses tokio's clock makes no call of the store late: the layer's time limit is by the real
/// clock.
pub async fn a_paused_clock_refuses_no_request(fixture: impl Fixture) {
    let app = Site::new().app(fixture.open().await);
    in_a_runtime(paused, move || async move {
        for number in 1..10 {
            let browser = Browser::with(&app, "n", number).await;
            assert_eq!(app.look(browser.cookie(), "n").await.1, Some(number));
        }
    })
    .await;
}

/// A store that takes ten seconds costs a 503 within the timeout, and nothing else; routes without
/// a session don't notice. When it is well again, so is everything.
pub async fn a_slow_store_costs_a_503(fixture: impl Fixture) {
    let site = Site::new();
    let faults = Faults::default();
    // A store on a busy server may need a while for its first request, and then no more than this.
    let store = Arc::new(fixture.open().await);
    let patient = site.app(Arc::clone(&store));
    let browser = Browser::with(&patient, "n", 1).await;
    let app =
        site.app_with(faults.of(store), |config| config.store_timeout(Duration::from_secs(1)));
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(1));
    faults.delay(10_000);
    let begin = Instant::now();
    let answers = at_once(32, |client| {
        let (app, cookie) = (app.clone(), browser.cookie().to_owned());
        async move {
            match client % 4 {
                0 => app.request(Some(&cookie), |s: Session| async move { s.insert("n", 2) }).await,
                1 => app.request(Some(&cookie), |s: Session| async move { s.logout() }).await,
                2 => app.request(None, |s: Session| async move { s.insert("n", 2) }).await,
                _ => {
                    let (status, cookie) = app.plain(Some(&cookie)).await;
                    assert_eq!(status, 200);
                    let value = Some(());
                    crate::app::Answer {
                        status: http::StatusCode::SERVICE_UNAVAILABLE,
                        value,
                        cookie,
                    }
                }
            }
        }
    })
    .await;
    assert!(begin.elapsed() < Duration::from_secs(5), "it took {:?}", begin.elapsed());
    for answer in answers {
        assert_eq!((answer.status.as_u16(), answer.cookie), (503, SetCookie::Keep));
    }
    faults.delay(0);
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(1));
    app.request(browser.cookie.as_deref(), |s: Session| async move { s.insert("n", 2) }).await.ok();
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(2));
}

/// A store that becomes slow while requests are under way: their changes end in time, too, and each
/// is answered.
pub async fn a_store_that_becomes_slow_holds_nobody_up(fixture: impl Fixture) {
    let site = Site::new();
    let faults = Faults::default();
    // A store on a busy server may need a while for its first request, and then no more than this.
    let store = Arc::new(fixture.open().await);
    let patient = site.app(Arc::clone(&store));
    let browser = Browser::logged_in(&patient, "ada").await;
    let app =
        site.app_with(faults.of(store), |config| config.store_timeout(Duration::from_secs(1)));
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(1));
    let begin = Instant::now();
    let statuses = at_once(24, |client| {
        let (app, cookie, faults) = (app.clone(), browser.cookie().to_owned(), faults.clone());
        async move {
            let work = move |session: Session| async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                faults.delay(10_000);
                match client % 3 {
                    0 => session.insert("n", 2),
                    1 => session.logout(),
                    _ => session.rotate(),
                }
            };
            app.request(Some(&cookie), work).await.status.as_u16()
        }
    })
    .await;
    assert!(begin.elapsed() < Duration::from_secs(10), "it took {:?}", begin.elapsed());
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    faults.delay(0);
    assert_eq!(app.look(browser.cookie(), "n").await, (Some("ada".to_owned()), Some(1)));
}

/// A session that can't be loaded is an error, and never an empty one that is written over it.
pub async fn a_failing_load_is_no_empty_session(fixture: impl Fixture) {
    let site = Site::new();
    let faults = Faults::default();
    let app = site.app(faults.of(fixture.open().await));
    let browser = Browser::logged_in(&app, "ada").await;
    for lost in [false, true] {
        faults.fail_every(1, lost);
        let works: [Work; 4] = [
            |session| session.insert("n", 2),
            Session::clear,
            |session| session.login("eve"),
            |session| session.get::<u64>("n").map(|_| ()),
        ];
        for work in works {
            let cookie = browser.cookie.as_deref();
            let answer = app.request(cookie, move |s: Session| async move { work(&s) }).await;
            assert_eq!((answer.status.as_u16(), answer.cookie), (503, SetCookie::Keep));
        }
        assert_eq!(app.plain(browser.cookie.as_deref()).await.0, 200);
        faults.fail_every(0, false);
        assert_eq!(app.look(browser.cookie(), "n").await, (Some("ada".to_owned()), Some(1)));
    }
}
