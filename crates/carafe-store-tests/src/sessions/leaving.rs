use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use carafe::Session;
use http::StatusCode;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::Work;
use crate::Fixture;
use crate::app::{App, Browser, Site};
use crate::intercept::{Fate, Intercepted};

/// Whoever isn't held up has come to an end long before this.
const LONG: Duration = Duration::from_secs(20);

/// A store of whose calls one stands still, and then goes on as soon as it is polled again, though
/// nothing wakes anybody for that.
#[derive(Clone)]
struct Stops(Arc<Stop>);

struct Stop {
    /// How many calls go through before it.
    before: AtomicUsize,
    reached: Notify,
    may_go_on: AtomicBool,
    /// Whether the call panics when it goes on.
    panics: bool,
}

impl Stops {
    fn new(panics: bool) -> Self {
        Self(Arc::new(Stop {
            before: AtomicUsize::new(usize::MAX),
            reached: Notify::new(),
            may_go_on: AtomicBool::new(false),
            panics,
        }))
    }

    fn of<S>(&self, store: S) -> Intercepted<S> {
        let stop = Arc::clone(&self.0);
        Intercepted::new(store, move |_| {
            let stop = Arc::clone(&stop);
            let is_it = stop.before.fetch_sub(1, Ordering::SeqCst) == 0;
            Box::pin(poll_fn(move |_| {
                if is_it && !stop.may_go_on.load(Ordering::SeqCst) {
                    stop.reached.notify_one();
                    return Poll::Pending;
                }
                assert!(!(is_it && stop.panics), "a store that panics, as told");
                Poll::Ready(Fate::Done)
            }))
        })
    }

    /// Sends a request whose commit stands still after so many calls, and polls it up to there.
    /// `None` if it has come to its end before.
    async fn send(&self, app: &App, browser: &Browser, case: &Case, calls: usize) -> Option<Held> {
        let (app, cookie, work) = (app.clone(), browser.cookie.clone(), case.work);
        let stop = Arc::clone(&self.0);
        let mut held: Held = Box::pin(async move {
            let work = move |session: Session| async move {
                work(&session)?;
                stop.may_go_on.store(false, Ordering::SeqCst);
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
        self.0.may_go_on.store(true, Ordering::SeqCst);
        self.0.before.store(usize::MAX, Ordering::SeqCst);
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

/// What a request does with a session of Ada's in which the number is 1.
struct Case {
    work: Work,
    /// How many sessions Ada and Bob have then.
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

/// Another request of the session; its status.
async fn write(app: &App, browser: &Browser) -> u16 {
    let write = |session: Session| async move { session.insert("m", 1) };
    let answer = timeout(LONG, app.request(browser.cookie.as_deref(), write)).await;
    answer.expect("a request that is held holds up another").status.as_u16()
}

/// A response that somebody holds without polling it, before any call of its commit, holds up no other
/// request of the session; polled again, it comes to its end.
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
                // Where the session has ended, it may be the first of a new one.
                None => assert!(other == 409 || other == 200, "{other}"),
            }
        }
    }
}

/// A client who leaves before any call of a commit doesn't cut it in half: it is done as a whole.
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

/// A call that panics is a 503 for all who wait for it, and breaks nothing for those who come later.
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
                assert!(matches!(other, None | Some(503)), "{other:?}");
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
    use carafe::MemoryStore;
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
            // Who waits when it ends may be told so.
            let status = next.block_on(write(&app, &browser));
            assert!(status == 200 || status == 503, "{status} after {calls} calls");
            assert_eq!(next.block_on(write(&app, &browser)), 200, "after {calls} calls");
        }
    }
}
