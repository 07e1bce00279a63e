//! Changes of one session, one after the other.
//!
//! The commits of a session queue in each process, and the head of the queue commits everything
//! that waits in one compare-and-swap: with load-and-swap in every request, many writers of one
//! session would mostly fetch conflicts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::mem::replace;
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
use crate::engine::head::{AtWork, nobody};
use crate::id::{PublicId, SessionIdHash};
use crate::session::Operation;
use crate::store::{Store, Stored};

/// The queues of all sessions that something is being committed to.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(super) store: Store,
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    lines: Mutex<Lines>,
}

type Lines = HashMap<SessionIdHash, Line, BuildHasherDefault<IdHasher>>;

/// Takes a part of what is a hash already, and whose input nobody can choose: ids are random and signed.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(start) = bytes.first_chunk() {
            self.0 ^= u64::from_ne_bytes(*start);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A session that something is being committed to.
#[derive(Debug)]
struct Line {
    /// The commit at its head, if that is done by a request and not by a task.
    head: AtWork,
    /// What waits behind that.
    waiting: Vec<Ticket>,
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
    Write {
        operations: Vec<Operation>,
        /// What the session holds with them, if its record is as the request saw it.
        made: Option<Vec<u8>>,
    },
    /// Applies changes and moves the session to a new id. In a box, since it is rare.
    Rotate(Box<Rotation>),
    /// Ends the session, which the request saw like this.
    End(Arc<Stored>),
}

/// A move to a new id.
#[derive(Debug)]
pub(super) struct Rotation {
    /// What is changed with it.
    pub(super) operations: Vec<Operation>,
    pub(super) to: SessionIdHash,
    /// The name of the session that a login begins.
    pub(super) public_id: PublicId,
    /// For how long the old id leads to the new one; `None` if it doesn't.
    pub(super) grace: Option<Duration>,
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

    /// Queues a task, and waits for it. If nobody works on the session, the caller does so; others can
    /// hand its work over by `head`.
    pub(super) async fn submit(
        self: &Arc<Self>,
        session: SessionIdHash,
        task: Task,
        seen: Option<&Arc<Stored>>,
        head: &AtWork,
    ) -> Result<Done, Error> {
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket::new(task, seen.cloned(), reply);
        if let Some((place, tickets)) = self.join(session, vec![ticket], head) {
            // In a box of its own: two small ones are had more quickly than a large one.
            Box::pin(place.lead(tickets)).await;
        }
        // The sender is dropped only if the work panicked, or the runtime ends.
        answer.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Appends tickets to a session's queue, and starts to work it off if nobody does.
    pub(super) fn enqueue(self: &Arc<Self>, session: SessionIdHash, tickets: Vec<Ticket>) {
        if let Some((place, tickets)) = self.join(session, tickets, &nobody()) {
            place.work_off_later(tickets, None);
        }
    }

    /// Appends tickets to a session's queue. If nobody works on it, they are the caller's to do.
    fn join(
        self: &Arc<Self>,
        session: SessionIdHash,
        tickets: Vec<Ticket>,
        head: &AtWork,
    ) -> Option<(Place, Vec<Ticket>)> {
        if self.store.is_in_memory() {
            // There a swap is quicker than a queue, and meets another thread's seldom.
            let work = pin!(Batch::new(self, session, None).run(tickets));
            drop(at_once(work));
            return None;
        }
        let head = match self.lines().entry(session) {
            Entry::Occupied(mut line) => {
                line.get_mut().waiting.extend(tickets);
                replace(&mut line.get_mut().head, nobody())
            }
            Entry::Vacant(line) => {
                line.insert(Line { head: head.clone(), waiting: Vec::new() });
                let place = Place { queue: Arc::clone(self), session, left: false };
                return Some((place, tickets));
            }
        };
        // Its request may be one whose response nobody asks for any more.
        if let Some(head) = head.upgrade() {
            head.hand_over();
        }
        None
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place at the head of a session's line, also before its work has begun: if that never does, the
/// line is closed all the same.
struct Place {
    queue: Arc<Queue>,
    session: SessionIdHash,
    /// Whether the line is closed: it may be another's by now.
    left: bool,
}

impl Place {
    /// Does the tickets of a request, which has its answer then: what waits by that time is done by a
    /// task.
    async fn lead(mut self, tickets: Vec<Ticket>) {
        let known = Batch::new(&self.queue, self.session, None).run(tickets).await;
        let tickets = self.next();
        if !tickets.is_empty() {
            self.work_off_later(tickets, known);
        }
    }

    fn work_off_later(self, tickets: Vec<Ticket>, known: Option<Arc<Stored>>) {
        // Its tickets are told how it went.
        drop(detached(self.work_off(tickets, known).in_current_span()));
    }

    /// Works on the session until nothing waits any more.
    async fn work_off(mut self, mut tickets: Vec<Ticket>, mut known: Option<Arc<Stored>>) {
        while !tickets.is_empty() {
            known = Batch::new(&self.queue, self.session, known).run(tickets).await;
            tickets = self.next();
        }
    }

    /// What waits; if nothing does, the line is closed under the same lock.
    fn next(&mut self) -> Vec<Ticket> {
        let mut lines = self.queue.lines();
        match lines.get_mut(&self.session) {
            Some(line) if !line.waiting.is_empty() => std::mem::take(&mut line.waiting),
            _ => {
                lines.remove(&self.session);
                self.left = true;
                Vec::new()
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.left {
            // After a panic, or where the runtime ends, so that the session's next change doesn't
            // wait for ever. Those who wait now are answered by the loss of their sender.
            let line = self.queue.lines().remove(&self.session);
            drop(line);
        }
    }
}
