//! Changes of one session, one after the other.
//!
//! The commits of a session queue in each process, and the head of the queue commits everything
//! that waits in one compare-and-swap: with load-and-swap in every request, many writers of one
//! session would mostly fetch conflicts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::Instrument as _;

use super::Rules;
use super::batch::Batch;
use crate::Error;
use crate::engine::Clock;
use crate::engine::commit::interrupted;
use crate::engine::detached::{at_once, detached};
use crate::id::{PublicId, SessionIdHash};
use crate::session::Operation;
use crate::store::{Store, Stored};

/// The queues of all sessions that something is being committed to.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) store: Store,
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    lines: Mutex<HashMap<SessionIdHash, Vec<Ticket>>>,
}

/// Something that is to be done with a session.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) task: Task,
    /// The record as the request saw it: most are still so.
    pub(super) seen: Option<Arc<Stored>>,
    pub(super) reply: oneshot::Sender<Result<Done, Error>>,
    pub(super) since: Instant,
}

impl Ticket {
    pub(super) fn new(
        task: Task,
        seen: Option<Arc<Stored>>,
        reply: oneshot::Sender<Result<Done, Error>>,
    ) -> Self {
        Self { task, seen, reply, since: Instant::now() }
    }
}

#[derive(Debug)]
pub(super) enum Task {
    /// Applies changes.
    Write(Vec<Operation>),
    /// Applies changes and moves the session to a new id.
    Rotate {
        operations: Vec<Operation>,
        to: SessionIdHash,
        /// The name of the session that a login begins.
        public_id: PublicId,
        grace: Option<Duration>,
    },
    /// Ends the session, which the request saw like this.
    End(Arc<Stored>),
}

/// What has been done.
#[derive(Debug)]
pub(crate) enum Done {
    /// The record as it is now, and where.
    Written(SessionIdHash, Arc<Stored>),
    /// The session is over.
    Ended,
}

impl Queue {
    pub(super) fn new(store: Store, rules: Rules, clock: Clock) -> Self {
        Self { store, rules, clock, lines: Mutex::default() }
    }

    /// Queues a task, and waits for it. The caller is in a task of its own, which nobody cuts short:
    /// if nobody works on the session, it does so itself.
    pub(super) async fn submit(
        self: &Arc<Self>,
        session: SessionIdHash,
        task: Task,
        seen: Option<&Arc<Stored>>,
    ) -> Result<Done, Error> {
        let (reply, answer) = oneshot::channel();
        if let Some(first) = self.join(session, vec![Ticket::new(task, seen.cloned(), reply)]) {
            let line = Line { queue: self, session };
            let known = Batch::new(self, session, None).run(first).await;
            // What has come meanwhile is not for this request to wait for.
            let waiting = line.next();
            if !waiting.is_empty() {
                self.work_off_detached(session, waiting, known);
            }
        }
        // The sender is dropped only if the task panicked, or the runtime ends.
        answer.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Appends tickets to a session's queue, and starts to work it off if nobody does.
    pub(super) fn enqueue(self: &Arc<Self>, session: SessionIdHash, tickets: Vec<Ticket>) {
        if let Some(first) = self.join(session, tickets) {
            self.work_off_detached(session, first, None);
        }
    }

    /// Appends tickets to a session's queue. If nobody works on it, they are the caller's to do.
    fn join(self: &Arc<Self>, session: SessionIdHash, tickets: Vec<Ticket>) -> Option<Vec<Ticket>> {
        if self.store.is_in_memory() {
            // There a swap is quicker than a queue, and meets another thread's seldom.
            let work = pin!(Batch::new(self, session, None).run(tickets));
            drop(at_once(work));
            return None;
        }
        match self.lines().entry(session) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().extend(tickets);
                None
            }
            Entry::Vacant(line) => {
                line.insert(Vec::new());
                Some(tickets)
            }
        }
    }

    /// A client who leaves can't cut a commit in half. Its tickets are told how it went.
    fn work_off_detached(
        self: &Arc<Self>,
        session: SessionIdHash,
        tickets: Vec<Ticket>,
        known: Option<Arc<Stored>>,
    ) {
        let work = Arc::clone(self).work_off(session, tickets, known);
        drop(detached(work.in_current_span()));
    }

    async fn work_off(
        self: Arc<Self>,
        session: SessionIdHash,
        mut tickets: Vec<Ticket>,
        mut known: Option<Arc<Stored>>,
    ) {
        let line = Line { queue: &self, session };
        while !tickets.is_empty() {
            known = Batch::new(&self, session, known).run(tickets).await;
            tickets = line.next();
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<SessionIdHash, Vec<Ticket>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place in the queue while it is worked off.
struct Line<'a> {
    queue: &'a Queue,
    session: SessionIdHash,
}

impl Line<'_> {
    /// What waits; if nothing does, the line is closed under the same lock.
    fn next(&self) -> Vec<Ticket> {
        let mut lines = self.queue.lines();
        match lines.get_mut(&self.session) {
            Some(waiting) if !waiting.is_empty() => std::mem::take(waiting),
            _ => {
                lines.remove(&self.session);
                Vec::new()
            }
        }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        // After a panic, so that the session's next change doesn't wait for ever. Those who wait
        // now are answered by the loss of their sender. Otherwise the line may be another's by now.
        if std::thread::panicking() {
            self.queue.lines().remove(&self.session);
        }
    }
}
