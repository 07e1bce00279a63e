use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use carafe::{ErrorKind, Session};
use http::StatusCode;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::Work;
use crate::Fixture;
use crate::app::{App, Browser, Site};
use crate::intercept::{Call, Fate, Intercepted};

/// The time by which every request that isn't held up has long ended.
const LONG: Duration = Duration::from_secs(20);

/// A store of whose calls one stands still until it is let go on.
#[derive(Clone)]
struct Stops(Arc<Stop>);

struct Stop {
    /// The number of calls that go through before it.
    before: AtomicUsize,
    reached: Notify,
    /// Lets the call that stands still go on.
    go: Mutex<Option<oneshot::Sender<()>>>,
    /// Whether the call panics when it goes on.
    panics: bool,
}

impl Stops {
    fn new(panics: bool) -> Self {
        Self(Arc::new(Stop {
            before: AtomicUsize::new(usize::MAX),
            reached: Notify::new(),
            go: Mutex::default(),
            panics,
        }))
    }

    fn of<S>(&self, store: S) -> Intercepted<S> {
        let stop = Arc::clone(&self.0);
        Intercepted::new(store, move |_| {
            let stop = Arc::clone(&stop);
            let is_it = stop.before.fetch_sub(1, Ordering::SeqCst) == 0;
            Box::pin(async move {
                if is_it {
                    let (go, may_go_on) = oneshot::channel();
                    *stop.go.lock().unwrap() = Some(go);
                    stop.reached.notify_one();
                    may_go_on.await.unwrap();
                    assert!(!stop.panics, "a store that panics, as told");
                }
                Fate::Done
            })
        })
    }

    /// Sends a request whose commit stands still after `calls` calls, and polls it up to there.
    /// Returns `None` if it ended before.
    async fn send(&self, app: &App, browser: &Browser, case: &Case, calls: usize) -> Option<Held> {
        let (app, cookie, work) = (app.clone(), browser.cookie.clone(), case.work);
        let stop = Arc::clone(&self.0);
        let mut held: Held = Box::pin(async move {
            let work = move |session: Session| async move {
                work(&session)?;
                stop.before.store(calls, Ordering::SeqCst);
                Ok(())
            };
            app.request(cookie.as_deref(), work).await.status
        });
        let status = tokio::select! {
            biased;
            status = &mut held => Some(status),
            () = self.0.reached.notified() => None,
        };
        self.0.before.store(usize::MAX, Ordering::SeqCst);
        if let Some(go) = self.0.go.lock().unwrap().take() {
            go.send(()).unwrap();
        }
        match status {
            Some(status) => {
                assert!(calls > 0 && status == 200, "{status} after {calls} calls");
                None
            }
            None => Some(held),
        }
    }
}

/// A request that stands still.
type Held = Pin<Box<dyn Future<Output = StatusCode> + Send>>;

/// The work of a request with a session of Ada's in which the number is 1.
struct Case {
    work: Work,
    /// The number of sessions that Ada and Bob have then.
    left: [usize; 2],
    /// The number that its cookie then leads to.
    number: Option<u64>,
}

const CASES: [Case; 5] = [
    Case { work: increment, left: [1, 0], number: Some(2) },
    Case { work: Session::rotate, left: [1, 0], number: None },
    Case { work: |session| session.login("bob"), left: [0, 1], number: None },
    Case { work: Session::logout, left: [0, 0], number: None },
    Case { work: change_user, left: [0, 1], number: None },
];

fn increment(session: &Session) -> Result<(), carafe::Error> {
    session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1).map(drop)
}

fn change_user(session: &Session) -> Result<(), carafe::Error> {
    session.logout()?;
    session.login("bob")
}

impl Case {
    /// Whether all of it is done.
    async fn is_done(&self, app: &App, browser: &Browser) -> bool {
        let ada = app.users.list("ada").await.unwrap().len();
        let bob = app.users.list("bob").await.unwrap().len();
        [ada, bob] == self.left && app.look(browser.cookie(), "n").await.1 == self.number
    }
}

/// A browser of Ada's, the only one there is.
async fn ada(app: &App) -> Browser {
    app.users.logout("ada").await.unwrap();
    app.users.logout("bob").await.unwrap();
    Browser::logged_in(app, "ada").await
}

/// Sends another request of the session, and returns its status.
async fn write(app: &App, browser: &Browser) -> u16 {
    let write = |session: Session| async move { session.insert("m", 1) };
    let answer = timeout(LONG, app.request(browser.cookie.as_deref(), write)).await;
    answer.expect("a request that is held holds up another").status.as_u16()
}

/// A response that is held without being polled, before any call of its commit, delays no other
/// request of the session. Polled again, it comes to its end.
pub async fn a_response_that_nobody_polls_holds_up_no_other(fixture: impl Fixture) {
    let stops = Stops::new(false);
    let app = Site::new().app(stops.of(fixture.open().await));
    for (number, case) in CASES.iter().enumerate() {
        for calls in 0.. {
            let browser = ada(&app).await;
            let Some(held) = stops.send(&app, &browser, case, calls).await else { break };
            let other = write(&app, &browser).await;
            let status = timeout(LONG, held).await.expect("a response that is polled again");
            assert_eq!(status, 200, "case {number} after {calls} calls");
            assert!(case.is_done(&app, &browser).await, "case {number} after {calls} calls");
            match case.number {
                Some(_) => {
                    assert_eq!(other, 200);
                    assert_eq!(app.look(browser.cookie(), "m").await.1, Some(1));
                }
                // If the session has ended, the write may begin a new one.
                None => assert!(other == 409 || other == 200, "{other}"),
            }
        }
    }
}

/// The number of responses that are held at once: more than the usual number of a store's
/// connections.
const HELD: usize = 20;

/// Responses that are held without being polled, in the midst of their calls, keep nothing that the
/// requests of other sessions need, such as a connection.
pub async fn responses_that_nobody_polls_hold_up_no_other_session(fixture: impl Fixture) {
    let stops = Stops::new(false);
    let app = Site::new().app(stops.of(fixture.open().await));
    let mut all = Vec::new();
    for _ in 0..HELD {
        let browser = Browser::with(&app, "n", 1).await;
        let mut held = stops.send(&app, &browser, &CASES[0], 0).await.expect("a write that waits");
        // The call itself begins.
        let status = poll_fn(|context| Poll::Ready(held.as_mut().poll(context))).await;
        all.push((browser, held, status));
    }
    let other = Browser::with(&app, "n", 1);
    let other =
        timeout(LONG, other).await.expect("responses that are held hold up another session");
    assert_eq!(write(&app, &other).await, 200);
    for (browser, held, status) in all {
        let status = match status {
            Poll::Ready(status) => status,
            Poll::Pending => timeout(LONG, held).await.expect("a response that is polled again"),
        };
        assert_eq!(status, 200);
        assert_eq!(app.look(browser.cookie(), "n").await.1, Some(2));
    }
}

/// A save that comes while the response's own commit waits for its turn is too late: it is an
/// error, and begins no session of its own. The content of the commit is saved.
pub async fn a_save_behind_the_response_s_is_an_error(fixture: impl Fixture) {
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let waits = Arc::new(AtomicBool::new(false));
    let store = {
        let (reached, go_on, waits) =
            (Arc::clone(&reached), Arc::clone(&go_on), Arc::clone(&waits));
        Intercepted::new(fixture.open().await, move |call| {
            let (reached, go_on) = (Arc::clone(&reached), Arc::clone(&go_on));
            let is_it = call == Call::Update && waits.swap(false, Ordering::SeqCst);
            Box::pin(async move {
                if is_it {
                    reached.notify_one();
                    go_on.notified().await;
                }
                Fate::Done
            })
        })
    };
    let app = Site::new().app(store);
    let add = |n: Option<u64>| n.unwrap_or(0) + 1;
    let browser = Browser::with(&app, "n", 1).await;
    waits.store(true, Ordering::SeqCst);
    let (tell, told) = oneshot::channel();
    let first = {
        let reached = Arc::clone(&reached);
        move |session: Session| async move {
            let saving = session.clone();
            let first = tokio::spawn(async move { saving.update_now("n", add).await });
            reached.notified().await;
            let _ = tell.send((session, first));
            Ok(())
        }
    };
    let mut response = Box::pin(app.request(browser.cookie.as_deref(), first));
    let (session, first) = tokio::select! {
        biased;
        answer = &mut response => panic!("answered {} before it was saved", answer.status),
        told = told => told.unwrap(),
    };
    // The response's commit waits for the save before it.
    assert!(poll_fn(|context| Poll::Ready(response.as_mut().poll(context))).await.is_pending());
    let (mut late, mut empty) = (Box::pin(session.update_now("n", add)), Box::pin(session.save()));
    assert!(poll_fn(|context| Poll::Ready(late.as_mut().poll(context))).await.is_pending());
    assert!(poll_fn(|context| Poll::Ready(empty.as_mut().poll(context))).await.is_pending());
    go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap(), 2);
    assert_eq!(response.await.status, 200);
    assert_eq!(late.await.unwrap_err().kind(), ErrorKind::Closed);
    empty.await.unwrap();
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(2));
}

/// A failed save is an error for every request whose changes it included.
pub async fn a_save_that_another_has_failed_to_do_is_an_error(fixture: impl Fixture) {
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let calls = Arc::new(AtomicUsize::new(0));
    let store = {
        let (reached, go_on, calls) =
            (Arc::clone(&reached), Arc::clone(&go_on), Arc::clone(&calls));
        Intercepted::new(fixture.open().await, move |call| {
            let (reached, go_on) = (Arc::clone(&reached), Arc::clone(&go_on));
            let number = match call {
                Call::Update => calls.fetch_add(1, Ordering::SeqCst),
                _ => 0,
            };
            Box::pin(async move {
                match number {
                    // The first is slow, and the second fails.
                    1 => {
                        reached.notify_one();
                        go_on.notified().await;
                        Fate::Done
                    }
                    2 => Fate::Refused,
                    _ => Fate::Done,
                }
            })
        })
    };
    let app = Site::new().app(store);
    let browser = Browser::with(&app, "n", 1).await;
    calls.store(1, Ordering::SeqCst);
    let work = {
        let (reached, go_on) = (Arc::clone(&reached), Arc::clone(&go_on));
        move |session: Session| async move {
            session.insert("n", 2)?;
            let mut first = Box::pin(session.save());
            let mut second = Box::pin(session.save());
            let mut third = Box::pin(session.save());
            assert!(
                poll_fn(|context| Poll::Ready(first.as_mut().poll(context))).await.is_pending()
            );
            reached.notified().await;
            assert!(
                poll_fn(|context| Poll::Ready(second.as_mut().poll(context))).await.is_pending()
            );
            session.insert("m", 1)?;
            assert!(
                poll_fn(|context| Poll::Ready(third.as_mut().poll(context))).await.is_pending()
            );
            go_on.notify_one();
            let kinds = [first.await, second.await, third.await];
            Ok(kinds.map(|saved| saved.err().map(|error| error.kind())))
        }
    };
    let kinds = app.request(browser.cookie.as_deref(), work).await.ok();
    // The second has taken along what the third was to save.
    assert_eq!(kinds, [None, Some(ErrorKind::Store), Some(ErrorKind::Store)]);
    assert_eq!(app.look(browser.cookie(), "n").await.1, Some(2));
    assert_eq!(app.look(browser.cookie(), "m").await.1, None);
}

/// A change that a save couldn't write isn't written later by another save of the same request: the
/// handler was told that it failed, and may have reacted to that.
pub async fn what_a_save_has_failed_to_do_is_not_done_later(fixture: impl Fixture) {
    let fails = Arc::new(AtomicBool::new(false));
    let store = {
        let fails = Arc::clone(&fails);
        Intercepted::new(fixture.open().await, move |call| {
            let fails = call == Call::Update && fails.swap(false, Ordering::SeqCst);
            Box::pin(async move { if fails { Fate::Refused } else { Fate::Done } })
        })
    };
    let app = Site::new().app(store);
    for saves_again in [false, true] {
        let browser = Browser::with(&app, "n", 1).await;
        let work = {
            let fails = Arc::clone(&fails);
            move |session: Session| async move {
                session.insert("n", 2)?;
                fails.store(true, Ordering::SeqCst);
                assert_eq!(session.save().await.unwrap_err().kind(), ErrorKind::Store);
                session.insert("m", 1)?;
                if saves_again { session.save().await } else { Ok(()) }
            }
        };
        app.request(browser.cookie.as_deref(), work).await.ok();
        assert_eq!(app.look(browser.cookie(), "n").await.1, Some(1));
        assert_eq!(app.look(browser.cookie(), "m").await.1, Some(1));
    }
}

/// A client that leaves before any call of a commit doesn't cut the commit in half: it happens as a
/// whole.
pub async fn a_client_who_leaves_cuts_nothing_in_half(fixture: impl Fixture) {
    let stops = Stops::new(false);
    let app = Site::new().app(stops.of(fixture.open().await));
    for (number, case) in CASES.iter().enumerate() {
        for calls in 0.. {
            let browser = ada(&app).await;
            let Some(held) = stops.send(&app, &browser, case, calls).await else { break };
            drop(held);
            let since = Instant::now();
            while !case.is_done(&app, &browser).await {
                assert!(since.elapsed() < LONG, "case {number} after {calls} calls");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// A call that panics is a 503 for every request that waits for it, and breaks nothing for later
/// ones.
pub async fn a_call_that_panics_is_a_503(fixture: impl Fixture) {
    let stops = Stops::new(true);
    let app = Site::new().app(stops.of(fixture.open().await));
    for (number, case) in CASES.iter().enumerate() {
        for (calls, waits) in (0..).flat_map(|calls| [(calls, false), (calls, true)]) {
            let browser = ada(&app).await;
            let Some(held) = stops.send(&app, &browser, case, calls).await else { break };
            let other = if waits { Some(write(&app, &browser).await) } else { None };
            let status = timeout(LONG, held).await.expect("a response whose store has panicked");
            assert_eq!(status, 503, "case {number} after {calls} calls");
            if calls == 0 {
                // The other request commits by itself what the one that panicked has not taken along.
                assert!(matches!(other, None | Some(503 | 200)), "{other:?}");
                // Nothing was done.
                assert_eq!(app.look(browser.cookie(), "n").await.1, Some(1));
                assert_eq!(write(&app, &browser).await, 200);
            } else {
                let later = write(&app, &browser).await;
                assert!(later == 200 || later == 409, "{later}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use carafe::store::MemoryStore;
    use tokio::runtime::Builder;

    use super::*;

    /// A runtime may end with a commit in it, where another, as each of actix-web's workers has one,
    /// shares the layer.
    #[test]
    fn a_runtime_that_ends_holds_up_no_other() {
        let runtime = || Builder::new_multi_thread().enable_all().build().unwrap();
        for calls in 0..2 {
            let stops = Stops::new(false);
            let app = Site::new().app(stops.of(MemoryStore::new()));
            let first = runtime();
            let (browser, held) = first.block_on(async {
                let browser = ada(&app).await;
                let held = stops.send(&app, &browser, &CASES[1], calls).await;
                (browser, held.expect("a request that stands still"))
            });
            drop(first);
            drop(held);
            let next = runtime();
            // A request that waits for the end may get an error.
            let status = next.block_on(write(&app, &browser));
            assert!(status == 200 || status == 503, "{status} after {calls} calls");
            assert_eq!(next.block_on(write(&app, &browser)), 200, "after {calls} calls");
        }
    }
}
