//! The gate at which everything waits for its turn.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, Record, RevocationStore, Revocations, SessionStore, StoreError, Stored, Updated,
    UserRevocation, Version,
};
use tokio::sync::{Notify, oneshot};

use super::choices::Choices;
use super::plan::Mishap;
use crate::intercept::{Call, Fate, Intercepted};

/// After how many rounds without news everything that can run has run.
const ROUNDS: usize = 8;

/// The request or call that waits at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// A client with its next request.
    Client,
    /// A request with what it does, or the time.
    Act,
    /// A process with a call of the store.
    Process(usize, Call),
}

impl Who {
    /// Whether it makes no difference which of the two comes first: both only read, or one creates
    /// a record under a new id, of which the other can't know.
    fn commutes_with(self, other: Self) -> bool {
        let (Self::Process(_, one), Self::Process(_, other)) = (self, other) else { return false };
        let of_one_record = |call| matches!(call, Call::Load | Call::Update | Call::Delete);
        matches!((one, other), (Call::Load, Call::Load) | (Call::Create, Call::Create))
            || (one == Call::Create && of_one_record(other))
            || (other == Call::Create && of_one_record(one))
    }
}

/// An entry of the queue at the gate.
#[derive(Debug)]
struct Waiting {
    who: Who,
    /// The step in which it came.
    since: usize,
    go: oneshot::Sender<Fate>,
}

#[derive(Debug)]
struct State {
    open: bool,
    mishap: Mishap,
    /// The queue, in the order of arrival.
    waiting: Vec<Waiting>,
    /// The last entry that was let through.
    last: Option<Who>,
    /// The number of calls in the store.
    in_store: usize,
    /// The number of events so far.
    news: u64,
    step: usize,
    /// The number of calls by the second process.
    calls: usize,
    failures: Vec<(usize, Fate)>,
}

impl State {
    /// Whether its process has not been killed.
    fn may_go(&self, waiting: &Waiting) -> bool {
        match self.mishap {
            Mishap::Crash { after } if self.calls >= after => {
                !matches!(waiting.who, Who::Process(1, _))
            }
            _ => true,
        }
    }

    /// Whether it could as well have gone before the last one, and is to be tried there.
    fn is_out_of_order(&self, waiting: &Waiting) -> bool {
        match (self.last, waiting.who) {
            (Some(last @ Who::Process(1, _)), who @ Who::Process(0, _)) => {
                waiting.since < self.step && last.commutes_with(who)
            }
            _ => false,
        }
    }
}

/// A gate that lets through one at a time.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<(Mutex<State>, Notify)>);

impl Gate {
    /// A gate that is open.
    pub(super) fn new(mishap: Mishap) -> Self {
        let state = State {
            open: true,
            mishap,
            waiting: Vec::new(),
            last: None,
            in_store: 0,
            news: 0,
            step: 0,
            calls: 0,
            failures: Vec::new(),
        };
        Self(Arc::new((Mutex::new(state), Notify::new())))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    pub(super) fn close(&self) {
        self.state().open = false;
    }

    pub(super) fn open(&self) {
        self.state().open = true;
    }

    /// Kills who still waits.
    pub(super) fn forget(&self) {
        let mut state = self.state();
        state.open = false;
        state.waiting.clear();
    }

    /// The number of the present step.
    pub(super) fn step(&self) -> usize {
        self.state().step
    }

    pub(super) fn failures(&self) -> Vec<(usize, Fate)> {
        self.state().failures.clone()
    }

    /// Waits for a client's turn to begin a request. The request's first call of the store is let
    /// through together with it: calls of other requests between them make no difference to it.
    pub(super) async fn begin(&self) {
        self.pass(Who::Client).await;
    }

    /// Waits for the turn of something that is no call of the store.
    pub(super) async fn act(&self) {
        self.pass(Who::Act).await;
    }

    /// Notes that a request has gone on.
    pub(super) fn note(&self) {
        self.state().news += 1;
    }

    async fn pass(&self, who: Who) -> Fate {
        let turn = {
            let mut state = self.state();
            if state.open {
                return Fate::Done;
            }
            let (go, turn) = oneshot::channel();
            let since = state.step;
            state.waiting.push(Waiting { who, since, go });
            state.news += 1;
            turn
        };
        // A call that the gate drops is killed: it has no effect any more.
        turn.await.unwrap_or(Fate::Refused)
    }

    /// A store whose calls wait here.
    pub(super) fn before<S>(&self, store: Arc<S>, process: usize) -> Gated<S> {
        let gate = self.clone();
        Intercepted::new(Noted { store, gate: self.clone() }, move |call| {
            let gate = gate.clone();
            Box::pin(async move { gate.pass(Who::Process(process, call)).await })
        })
    }

    /// Lets one request through, if one may go on, and waits for the consequence.
    pub(super) async fn let_one_through(&self, choices: &mut Choices) -> bool {
        let Some(who) = self.open_for_one(choices, 0) else { return false };
        let waiting = self.state().waiting.len();
        self.settle().await;
        if who == Who::Client {
            // Only this call can have come since.
            self.open_for_one(choices, waiting);
            self.settle().await;
        }
        true
    }

    /// Opens for one of those who wait, the first ones left out.
    fn open_for_one(&self, choices: &mut Choices, from: usize) -> Option<Who> {
        let mut state = self.state();
        let ready: Vec<usize> =
            (from..state.waiting.len()).filter(|at| state.may_go(&state.waiting[*at])).collect();
        if ready.is_empty() {
            return None;
        }
        // Of two orders that make no difference one is enough.
        let fresh: Vec<usize> = ready
            .iter()
            .copied()
            .filter(|at| !state.is_out_of_order(&state.waiting[*at]))
            .collect();
        let ready = if fresh.is_empty() { ready } else { fresh };
        let Waiting { who, go, .. } = state.waiting.remove(ready[choices.choose(ready.len())]);
        state.step += 1;
        state.last = Some(who);
        let mut fate = Fate::Done;
        if let Who::Process(process, _) = who {
            state.calls += process;
            if let Mishap::Failures { most } = state.mishap
                && state.failures.len() < most
            {
                fate = [Fate::Done, Fate::Refused, Fate::Lost][choices.choose(3)];
            }
            if fate != Fate::Done {
                let failed = (state.step, fate);
                state.failures.push(failed);
            }
        }
        drop(state);
        // The other requests don't wait for one that has left.
        let _ = go.send(fate);
        Some(who)
    }

    /// Waits until everything has come to a gate, or to its end.
    pub(super) async fn settle(&self) {
        loop {
            let (in_store, news) = {
                let state = self.state();
                (state.in_store, state.news)
            };
            if in_store > 0 {
                self.0.1.notified().await;
                continue;
            }
            for _ in 0..ROUNDS {
                tokio::task::yield_now().await;
            }
            let state = self.state();
            if state.in_store == 0 && state.news == news {
                return;
            }
        }
    }

    /// Waits for a request that waits for time to pass, as after a failure.
    pub(super) async fn wait(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A store whose calls wait at a gate.
pub(super) type Gated<S> = Intercepted<Noted<S>>;

/// A store of whose calls the gate knows: they may be done by other threads.
#[derive(Debug)]
pub(super) struct Noted<S> {
    store: Arc<S>,
    gate: Gate,
}

impl<S> Noted<S> {
    async fn note<T>(&self, call: impl Future<Output = T>) -> T {
        self.gate.state().in_store += 1;
        let answer = call.await;
        {
            let mut state = self.gate.state();
            state.in_store -= 1;
            state.news += 1;
        }
        self.gate.0.1.notify_one();
        answer
    }
}

/// Implements the trait by calling the same method of the store.
macro_rules! note {
    ($trait:ident: $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<S: $trait> $trait for Noted<S> {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                self.note(self.store.$name($($arg),*)).await
            })*
        }
    };
}

note! { SessionStore:
    create(id: &SessionIdHash, record: &Record, now: UnixSeconds) -> bool;
    load(id: &SessionIdHash, now: UnixSeconds) -> Option<Stored>;
    update(id: &SessionIdHash, expected: Version, record: &Record, now: UnixSeconds) -> Updated;
    delete(id: &SessionIdHash, expected: Option<Version>) -> Deleted;
    list_for_user(user: &str, now: UnixSeconds) -> Vec<(SessionIdHash, Stored)>;
    delete_for_user(user: &str, keep: Option<PublicId>) -> u64;
    delete_expired(now: UnixSeconds, limit: u32) -> u64;
}

note! { RevocationStore:
    revoke(id: &SessionIdHash, until: UnixSeconds, now: UnixSeconds) -> ();
    revoke_user(user: &str, revocation: UserRevocation, now: UnixSeconds) -> ();
    revocations(id: &SessionIdHash, user: Option<&str>, now: UnixSeconds) -> Revocations;
    delete_expired_revocations(now: UnixSeconds, limit: u32) -> u64;
}
