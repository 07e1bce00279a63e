//! Session locks: within a process, the changes of one session are made one after the other.
//!
//! A request that finds the session lock taken leaves its changes in an inbox. The next holder of
//! the lock commits the whole inbox in one compare-and-swap. With one compare-and-swap per request,
//! many writers of one session would mostly cause conflicts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::{Future as _, poll_fn};
use std::hash::{BuildHasherDefault, Hasher};
use std::mem::take;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::sync::{AsyncMutex, AsyncMutexGuard, Mutex, MutexGuard, PoisonError, oneshot, timeout};
use super::{Answer, Changes, Error, SessionIdHash, Stored, interrupted, too_slow};

/// The time for which a request waits for a session lock.
const PATIENCE: Duration = Duration::from_secs(2);

/// The locks of the sessions that this process is changing.
#[derive(Debug, Default)]
pub(super) struct Locks {
    queues: Mutex<Queues>,
}

type Queues = HashMap<SessionIdHash, SharedQueue, BuildHasherDefault<IdHasher>>;

/// A session's queue, with the number of requests that use it.
#[derive(Debug, Default)]
struct SharedQueue {
    queue: Arc<Queue>,
    waiters: usize,
}

/// The queue of requests that change one session.
#[derive(Debug, Default)]
struct Queue {
    /// The session lock. It guards the newest record that this process knows of.
    newest: AsyncMutex<Option<Arc<Stored>>>,
    inbox: Mutex<Inbox>,
}

/// The changes of requests that wait for the session lock, in the order of their arrival.
#[derive(Debug, Default)]
struct Inbox {
    tickets: Vec<Ticket>,
    /// The number of the next ticket.
    next: u64,
}

/// The changes of one request, and the channel for their outcome.
#[derive(Debug)]
pub(super) struct Ticket {
    number: u64,
    pub(super) changes: Changes,
    reply: oneshot::Sender<Answer>,
}

/// A request in a session's queue. The queue exists until its last waiter is dropped.
pub(super) struct Waiter<'a> {
    locks: &'a Locks,
    session: SessionIdHash,
    queue: Arc<Queue>,
}

/// The guard of a session lock, with the newest record that this process knows.
///
/// The record is taken out before a write and put back after it, so that an interrupted write
/// leaves none.
pub(super) type Newest<'a> = AsyncMutexGuard<'a, Option<Arc<Stored>>>;

/// The result of waiting for a session lock.
pub(super) enum Turn<'a> {
    /// The request holds the session lock.
    Holder(Holder<'a>),
    /// Another request has committed its changes.
    Answered(Answer),
}

/// A request that holds a session lock, and commits the inbox.
pub(super) struct Holder<'a> {
    pub(super) newest: Newest<'a>,
    /// The changes to commit, including the request's own unless they were committed just before.
    pub(super) tickets: Vec<Ticket>,
    /// The outcome of the request's own changes.
    pub(super) answer: oneshot::Receiver<Answer>,
}

impl Locks {
    /// Joins the queue of a session.
    pub(super) fn waiter(&self, session: SessionIdHash) -> Waiter<'_> {
        let mut queues = self.queues();
        let held = queues.entry(session).or_default();
        held.waiters += 1;
        Waiter { locks: self, session, queue: Arc::clone(&held.queue) }
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether no session is being changed.
    #[cfg(test)]
    #[allow(dead_code, reason = "the test that tries all orders asks for it")]
    pub(super) fn is_empty(&self) -> bool {
        self.queues().is_empty()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut queues = self.locks.queues();
        if let Entry::Occupied(mut held) = queues.entry(self.session) {
            held.get_mut().waiters -= 1;
            if held.get().waiters == 0 {
                held.remove();
            }
        }
    }
}

impl Waiter<'_> {
    /// Waits for the session lock.
    pub(super) async fn lock(&self) -> Result<Newest<'_>, Error> {
        match self.queue.newest.try_lock() {
            Ok(newest) => Ok(newest),
            Err(_) => timeout(PATIENCE, self.queue.newest.lock()).await.map_err(|_| too_slow()),
        }
    }

    /// Waits until the request holds the session lock, or until another request has committed its changes.
    pub(super) async fn turn(&self, changes: Changes) -> Result<Turn<'_>, Error> {
        let (reply, mut answer) = oneshot::channel();
        if let Ok(newest) = self.queue.newest.try_lock() {
            self.queue.inbox().push(changes, reply);
            return Ok(Turn::Holder(self.holder(newest, answer)));
        }
        let number = self.queue.inbox().push(changes, reply);
        let mut lock = pin!(timeout(PATIENCE, self.queue.newest.lock()));
        let waited = poll_fn(|context| match Pin::new(&mut answer).poll(context) {
            Poll::Ready(answer) => Poll::Ready(Err(answer)),
            Poll::Pending => lock.as_mut().poll(context).map(Ok),
        });
        match waited.await {
            Err(answer) => Ok(Turn::Answered(answer.unwrap_or_else(|_| Err(interrupted())))),
            Ok(Ok(newest)) => Ok(Turn::Holder(self.holder(newest, answer))),
            Ok(Err(_)) if self.queue.inbox().take_back(number) => Err(too_slow()),
            // A holder of the lock is about to commit the changes.
            Ok(Err(_)) => Ok(Turn::Answered(answer.await.unwrap_or_else(|_| Err(interrupted())))),
        }
    }

    fn holder<'a>(&'a self, newest: Newest<'a>, answer: oneshot::Receiver<Answer>) -> Holder<'a> {
        Holder { newest, tickets: take(&mut self.queue.inbox().tickets), answer }
    }
}

impl Queue {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    fn push(&mut self, changes: Changes, reply: oneshot::Sender<Answer>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.tickets.push(Ticket { number, changes, reply });
        number
    }

    /// Removes a ticket; `false` if a holder of the lock has taken it.
    fn take_back(&mut self, number: u64) -> bool {
        let before = self.tickets.len();
        self.tickets.retain(|ticket| ticket.number != number);
        self.tickets.len() < before
    }
}

impl Ticket {
    /// Sends the outcome to the request, if it still waits.
    pub(super) fn answer(self, answer: impl FnOnce(Changes) -> Answer) {
        let _ = self.reply.send(answer(self.changes));
    }
}

/// A hasher that takes the first bytes of an id's hash, which no client can choose.
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
