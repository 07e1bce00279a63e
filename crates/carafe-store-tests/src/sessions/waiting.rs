//! Waiting for the end of a session, and handles outside of requests.

use std::time::Duration;

use carafe::store::SessionStore;
use carafe::{ErrorKind, Session, SessionEnded, SessionHandle};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Fixture;
use crate::app::{App, Browser, SetCookie, Site};
use crate::intercept::{Counts, Fate, Intercepted};

/// The longest time that the news of an end may take. A machine that is busy with other tests is no
/// failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// The time for which the absence of a notice is watched.
const A_WHILE: Duration = Duration::from_millis(400);

/// The interval of the periodic check if the store sends no notices.
const OFTEN: Duration = Duration::from_millis(50);

/// An interval so long that no test notices the check.
const NEVER: Duration = Duration::from_secs(3_600);

const RENEW_AFTER: u64 = 1_000;

/// Something that waits, in a task of its own.
type Waiting = JoinHandle<()>;

fn app(site: &Site, store: impl SessionStore, interval: Duration) -> App {
    site.app_with(store, move |config| {
        config.watch_interval(interval).renew_after(Duration::from_secs(RENEW_AFTER))
    })
}

/// Two processes on one place, which learn of ends by what the store tells, if it does.
async fn two_apps<F: Fixture>(fixture: &F, site: &Site) -> [App; 2] {
    let stores = [fixture.open().await, fixture.open().await];
    let tells = fixture.tells_other_processes() && stores[0].watch().is_some();
    let interval = if tells { NEVER } else { OFTEN };
    stores.map(|store| app(site, store, interval))
}

async fn ended_of(app: &App, browser: &Browser) -> SessionEnded {
    app.request(browser.cookie.as_deref(), |session: Session| async move { Ok(session.ended()) })
        .await
        .ok()
}

async fn handle_of(app: &App, browser: &Browser) -> SessionHandle {
    app.request(browser.cookie.as_deref(), |session: Session| async move { session.handle() })
        .await
        .ok()
}

/// Waits for the end of a browser's session in a process.
async fn wait_in(app: &App, browser: &Browser) -> Waiting {
    tokio::spawn(ended_of(app, browser).await)
}

async fn wait_in_both(apps: &[App; 2], browser: &Browser) -> [Waiting; 2] {
    [wait_in(&apps[0], browser).await, wait_in(&apps[1], browser).await]
}

async fn is_told(waiting: Waiting) {
    timeout(PATIENCE, waiting).await.expect("the end of the session to be noticed").unwrap();
}

async fn all_are_told(waiting: impl IntoIterator<Item = Waiting>) {
    for one in waiting {
        is_told(one).await;
    }
}

async fn nothing_is_told(waiting: impl IntoIterator<Item = &Waiting>) {
    sleep(A_WHILE).await;
    assert!(waiting.into_iter().all(|one| !one.is_finished()), "the session goes on");
}

async fn log_out(app: &App, browser: &Browser) {
    let work = |session: Session| async move { session.logout() };
    app.request(browser.cookie.as_deref(), work).await.ok();
}

/// A logout is noticed in every process, and by no task that waits for another session.
pub async fn what_waits_is_told_of_a_logout(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    for ender in [0, 1] {
        let browser = Browser::logged_in(&apps[0], "ada").await;
        let other = Browser::logged_in(&apps[1], "ada").await;
        let waiting = wait_in_both(&apps, &browser).await;
        let others = wait_in_both(&apps, &other).await;
        nothing_is_told(waiting.iter().chain(&others)).await;
        log_out(&apps[ender], &browser).await;
        all_are_told(waiting).await;
        nothing_is_told(&others).await;
    }
}

/// A session that is ended from elsewhere, by its user or an administrator, and all of a user's sessions at
/// once.
pub async fn what_waits_is_told_of_every_other_end(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let public_id = |session: Session| async move { Ok(session.public_id()) };

    let browser = Browser::logged_in(&apps[0], "ada").await;
    let here = Browser::logged_in(&apps[1], "ada").await;
    let id = apps[0].request(browser.cookie.as_deref(), public_id).await.ok().unwrap();
    let waiting = wait_in_both(&apps, &browser).await;
    let kept = wait_in_both(&apps, &here).await;
    let revoke = move |session: Session| async move { session.revoke(id).await };
    assert!(apps[1].request(here.cookie.as_deref(), revoke).await.ok());
    all_are_told(waiting).await;

    let browser = Browser::logged_in(&apps[0], "ada").await;
    let waiting = wait_in_both(&apps, &browser).await;
    let end = |session: Session| async move { session.logout_others().await };
    assert_eq!(apps[1].request(here.cookie.as_deref(), end).await.ok(), 1);
    all_are_told(waiting).await;
    nothing_is_told(&kept).await;

    assert_eq!(apps[0].users.logout("ada").await.unwrap(), 1);
    all_are_told(kept).await;
}

/// A login begins another session, and after a rotation what was connected before has no part in the session.
pub async fn a_login_and_a_rotation_end_the_session_before(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let mut browser = Browser::with(&apps[0], "n", 1).await;
    let before = wait_in_both(&apps, &browser).await;
    browser.send(&apps[1], |session: Session| async move { session.login("ada") }).await.ok();
    all_are_told(before).await;
    let waiting = wait_in_both(&apps, &browser).await;
    nothing_is_told(&waiting).await;
    browser.send(&apps[0], |session: Session| async move { session.rotate() }).await.ok();
    all_are_told(waiting).await;
    let waiting = wait_in_both(&apps, &browser).await;
    nothing_is_told(&waiting).await;
}

/// Lets a request renew the session's id.
async fn renew(site: &Site, app: &App, browser: &mut Browser) {
    site.clock.advance(RENEW_AFTER);
    let answer = browser.send(app, |session: Session| async move { Ok(session.len()) }).await;
    assert!(matches!(answer.cookie, SetCookie::Set(_)), "the id was not renewed");
}

/// The periodic renewal of the id ends nothing. The end of the session under its new id is noticed.
pub async fn a_renewal_ends_nothing(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let mut browser = Browser::logged_in(&apps[0], "ada").await;
    let waiting = wait_in_both(&apps, &browser).await;
    for renewer in [0, 1, 1] {
        renew(&site, &apps[renewer], &mut browser).await;
        nothing_is_told(&waiting).await;
    }
    log_out(&apps[0], &browser).await;
    all_are_told(waiting).await;
}

/// A session that expires ends what waits for it. A use makes it last longer, in any process.
pub async fn an_expired_session_ends_what_waits(fixture: impl Fixture) {
    let site = Site::new();
    let idle = Duration::from_secs(100);
    let open = async || {
        let store = fixture.open().await;
        site.app_with(store, |config| config.watch_interval(OFTEN).idle_timeout(idle))
    };
    let apps = [open().await, open().await];
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let waiting = wait_in_both(&apps, &browser).await;
    site.clock.advance(60);
    assert!(apps[1].is_alive(browser.cookie()).await);
    site.clock.advance(60);
    nothing_is_told(&waiting).await;
    site.clock.advance(60);
    all_are_told(waiting).await;
}

/// The periodic check finds an end without a notice from the store.
pub async fn a_lost_notice_is_made_up_for(fixture: impl Fixture) {
    let site = Site::new();
    let done = |_| -> crate::Deciding { Box::pin(std::future::ready(Fate::Done)) };
    let deaf = Intercepted::new(fixture.open().await, done).silent();
    let apps = [app(&site, deaf, OFTEN), app(&site, fixture.open().await, NEVER)];
    let mut browser = Browser::logged_in(&apps[0], "ada").await;
    let waiting = wait_in(&apps[0], &browser).await;
    renew(&site, &apps[1], &mut browser).await;
    nothing_is_told([&waiting]).await;
    log_out(&apps[1], &browser).await;
    is_told(waiting).await;
}

/// A runtime that ends takes what it watched with it. What waits in another one goes on.
pub async fn what_waits_outlives_its_runtime(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let ended = ended_of(&apps[1], &browser).await;
    // The first to wait, in a runtime of its own.
    let first = ended_of(&apps[1], &browser).await;
    let thread = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let waited = runtime.block_on(async { timeout(A_WHILE, first).await });
        assert!(waited.is_err(), "the session goes on");
        runtime
    });
    sleep(A_WHILE / 4).await;
    let waiting = tokio::spawn(ended);
    let runtime = thread.await.unwrap();
    tokio::task::spawn_blocking(|| drop(runtime)).await.unwrap();
    nothing_is_told([&waiting]).await;
    log_out(&apps[0], &browser).await;
    is_told(waiting).await;
}

/// Without a session there is nothing to wait for, and no handle.
pub async fn a_visitor_without_a_session_waits_for_ever(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let waiting = wait_in(&apps[0], &Browser::default()).await;
    let handle = |session: Session| async move { Ok(session.handle().map(drop)) };
    let error = apps[0].request(None, handle).await.ok().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoStore);
    nothing_is_told([&waiting]).await;
    // A request that logs in, and waits at once, waits for the session that the response begins.
    let mut browser = Browser::default();
    let log_in = |session: Session| async move {
        session.login("ada")?;
        Ok(session.ended())
    };
    let waiting = tokio::spawn(browser.send(&apps[0], log_in).await.ok());
    nothing_is_told([&waiting]).await;
    log_out(&apps[1], &browser).await;
    is_told(waiting).await;
}

/// Each session costs a load when it is first waited for, and one per interval, however much waits for it.
pub async fn waiting_costs_a_load_per_interval(fixture: impl Fixture) {
    const SESSIONS: u64 = 100;
    let (site, counts) = (Site::new(), Counts::default());
    let app = app(&site, counts.of(fixture.open().await).silent(), Duration::from_secs(2));
    let mut waiting = Vec::new();
    for _ in 0..SESSIONS {
        let browser = Browser::logged_in(&app, "ada").await;
        let all = [ended_of(&app, &browser).await, ended_of(&app, &browser).await];
        waiting.extend(all);
    }
    counts.take();
    let waiting: Vec<Waiting> = waiting.into_iter().map(tokio::spawn).collect();
    let (mut loads, mut rounds) = (0, 0);
    while loads < 3 * SESSIONS {
        sleep(OFTEN).await;
        loads += counts.take().0;
        rounds += 1;
        assert!(rounds * OFTEN < PATIENCE, "{loads} loads");
    }
    let intervals = rounds * OFTEN / 2;
    let most = SESSIONS * (u64::from(u32::try_from(intervals.as_millis()).unwrap()) / 1_000 + 2);
    assert!(loads <= most, "{loads} loads in {intervals:?} intervals of a second each");
    // Waiting tasks that are dropped cost nothing.
    waiting.iter().for_each(JoinHandle::abort);
    sleep(Duration::from_secs(3)).await;
    counts.take();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(counts.take(), (0, 0));
}

/// A handle reads what other requests write, and what it writes is there for them.
pub async fn a_handle_reads_and_writes_outside_of_its_request(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let handle = handle_of(&apps[0], &browser).await;
    for n in [5, 7] {
        let write = move |session: Session| async move { session.insert("n", n) };
        apps[1].request(browser.cookie.as_deref(), write).await.ok();
        let session = handle.read().await.unwrap();
        assert_eq!((session.user().as_deref(), session.get("n").unwrap()), (Some("ada"), Some(n)));
        let refused = session.insert("n", 0).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Closed);
        let add = |n: Option<u64>| n.unwrap_or(0) + 1;
        assert_eq!(handle.update_now("n", add).await.unwrap(), n + 1);
        assert_eq!(apps[1].look(browser.cookie(), "n").await.1, Some(n + 1));
    }
    let (one, two) = (handle.clone(), handle.clone());
    let taken = tokio::join!(one.take_now::<u64>("n"), two.take_now::<u64>("n"));
    let taken = [taken.0.unwrap(), taken.1.unwrap()];
    assert!(taken == [Some(8), None] || taken == [None, Some(8)], "{taken:?}");
    let many = (0..20).map(|_| {
        let handle = handle.clone();
        tokio::spawn(
            async move { handle.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await },
        )
    });
    for one in many.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
    assert_eq!(apps[0].look(browser.cookie(), "n").await.1, Some(20));
}

/// Reading and writing are errors once the session has ended, and bring nothing back.
pub async fn a_handle_ends_with_its_session(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let browser = Browser::logged_in(&apps[0], "ada").await;
    let handle = handle_of(&apps[0], &browser).await;
    let waiting = tokio::spawn(handle.ended());
    nothing_is_told([&waiting]).await;
    log_out(&apps[1], &browser).await;
    is_told(waiting).await;
    assert_eq!(handle.read().await.unwrap_err().kind(), ErrorKind::Ended);
    let written = handle.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await;
    assert_eq!(written.unwrap_err().kind(), ErrorKind::Ended);
    is_told(tokio::spawn(handle.ended())).await;
    assert!(!apps[0].is_alive(browser.cookie()).await);
}

/// A handle that nothing has used for long finds the session after any number of renewals.
pub async fn a_handle_follows_many_renewals(fixture: impl Fixture) {
    let site = Site::new();
    let apps = two_apps(&fixture, &site).await;
    let mut browser = Browser::logged_in(&apps[0], "ada").await;
    let handle = handle_of(&apps[0], &browser).await;
    for number in 0..5 {
        renew(&site, &apps[number % 2], &mut browser).await;
        sleep(A_WHILE).await;
    }
    let n = handle.update_now("n", |n: Option<u64>| n.unwrap_or(0) + 1).await.unwrap();
    assert_eq!(n, 2);
    assert_eq!(apps[1].look(browser.cookie(), "n").await, (Some("ada".to_owned()), Some(2)));
}
