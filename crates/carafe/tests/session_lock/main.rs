//! The session lock and a dropped response, in thousands of orders of threads and tasks.
//!
//! The two files under test are compiled here once more, on primitives of shuttle's.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, unreachable_pub, reason = "the files have more than the tests need")]

mod sync;

#[path = "../../src/engine/driven.rs"]
mod driven;
#[path = "../../src/engine/stored/lock.rs"]
mod lock;

use std::mem::take;
use std::sync::Arc;

use driven::Driven;
use lock::{Locks, Turn};
use shuttle::future::{block_on, yield_now};
use shuttle::sync::Mutex;
use shuttle::thread;

/// How many random orders are tried.
const ORDERS: usize = 4_000;

type SessionIdHash = [u8; 8];

/// The number of a request.
type Changes = usize;

/// The version with the request's changes.
type Answer = Result<u64, Error>;

#[derive(Debug)]
struct Stored {
    version: u64,
    done: Vec<Changes>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Error {
    Interrupted,
    TooSlow,
}

fn interrupted() -> Error {
    Error::Interrupted
}

fn too_slow() -> Error {
    Error::TooSlow
}

/// A process with its session locks, and a store with one session.
#[derive(Debug)]
struct Process {
    locks: Locks,
    store: Mutex<Arc<Stored>>,
}

impl Process {
    fn new() -> Arc<Self> {
        let first = Arc::new(Stored { version: 1, done: Vec::new() });
        Arc::new(Self { locks: Locks::default(), store: Mutex::new(first) })
    }

    async fn load(&self) -> Arc<Stored> {
        yield_now().await;
        Arc::clone(&self.store.lock().unwrap())
    }

    /// Replaces the record, which no other request can have changed.
    async fn swap(&self, seen: &Stored, changes: &[Changes]) -> Arc<Stored> {
        yield_now().await;
        let done = seen.done.iter().chain(changes).copied().collect();
        let next = Arc::new(Stored { version: seen.version + 1, done });
        let mut stored = self.store.lock().unwrap();
        assert_eq!(stored.version, seen.version, "two requests held the session lock");
        *stored = Arc::clone(&next);
        next
    }

    /// A request that writes.
    async fn write(self: Arc<Self>, session: SessionIdHash, changes: Changes) -> Answer {
        let waiter = self.locks.waiter(session);
        let mut holder = match waiter.turn(changes).await? {
            Turn::Holder(holder) => holder,
            Turn::Answered(answer) => return answer,
        };
        let tickets = take(&mut holder.tickets);
        if !tickets.is_empty() {
            let stored = match holder.newest.take() {
                Some(newest) => newest,
                None => self.load().await,
            };
            let all: Vec<Changes> = tickets.iter().map(|ticket| ticket.changes).collect();
            let written = self.swap(&stored, &all).await;
            *holder.newest = Some(Arc::clone(&written));
            tickets.into_iter().for_each(|ticket| ticket.answer(|_| Ok(written.version)));
        }
        drop(holder.newest);
        holder.answer.await.unwrap_or(Err(Error::Interrupted))
    }

    /// A request that ends or rotates the session: it has the lock for itself.
    async fn rotate(self: Arc<Self>, session: SessionIdHash, changes: Changes) -> Answer {
        let waiter = self.locks.waiter(session);
        let mut newest = waiter.lock().await?;
        newest.take();
        let stored = self.load().await;
        let written = self.swap(&stored, &[changes]).await;
        *newest = Some(Arc::clone(&written));
        Ok(written.version)
    }

    /// Checks that a request's changes were made once if it was told so, and otherwise never, and
    /// that no queue is left over.
    fn check(&self, answers: &[Answer]) {
        let stored = self.store.lock().unwrap();
        for (request, answer) in answers.iter().enumerate() {
            let times = stored.done.iter().filter(|done| **done == request).count();
            match answer {
                Ok(version) => assert!(times == 1 && *version <= stored.version, "{request}"),
                Err(error) => assert_eq!((*error, times), (Error::TooSlow, 0), "{request}"),
            }
        }
        assert!(self.locks.is_empty(), "a queue is left over");
    }
}

const ADA: SessionIdHash = [1; 8];

#[test]
fn no_change_is_lost_or_made_twice() {
    shuttle::check_random(
        || {
            let process = Process::new();
            let threads: Vec<_> = (0..3)
                .map(|request| {
                    let process = Arc::clone(&process);
                    thread::spawn(move || block_on(Driven::start(process.write(ADA, request))))
                })
                .collect();
            let last = block_on(Driven::start(Arc::clone(&process).rotate(ADA, 3)));
            let mut answers: Vec<Answer> =
                threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
            answers.push(last.unwrap());
            process.check(&answers);
        },
        ORDERS,
    );
}

/// Requests in one thread, some of whose responses are dropped as soon as the commit waits.
#[test]
fn a_dropped_response_does_not_cancel_its_commit() {
    shuttle::check_random(
        || {
            let process = Process::new();
            let mut receivers = Vec::new();
            for request in 0..4 {
                let (tell, told) = sync::oneshot::channel();
                let commit = Arc::clone(&process);
                let driven = Driven::start(async move {
                    let answer = match request {
                        2 => commit.rotate(ADA, request).await,
                        _ => commit.write(ADA, request).await,
                    };
                    tell.send(answer).unwrap();
                });
                receivers.push((told, (request % 2 == 1).then_some(driven)));
            }
            let answers: Vec<Answer> = receivers
                .into_iter()
                .map(|(told, driven)| {
                    if let Some(driven) = driven {
                        block_on(driven).unwrap();
                    }
                    block_on(told).expect("a dropped response cancelled its commit")
                })
                .collect();
            process.check(&answers);
        },
        ORDERS,
    );
}

/// A waiter that is dropped before its turn, for instance with its runtime, blocks no other
/// request.
#[test]
fn a_request_that_gives_up_its_place_holds_up_no_other() {
    shuttle::check_random(
        || {
            let process = Process::new();
            let abandoned = Arc::clone(&process);
            let leaves = thread::spawn(move || {
                let mut write = Box::pin(abandoned.write(ADA, 0));
                let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                let _ = write.as_mut().poll(&mut context);
            });
            let answer = block_on(Driven::start(Arc::clone(&process).write(ADA, 1))).unwrap();
            leaves.join().unwrap();
            let done = process.store.lock().unwrap().done.clone();
            // The change that was given up may be made or not, and once at most.
            assert!(done.iter().filter(|request| **request == 0).count() <= 1);
            let times = done.iter().filter(|request| **request == 1).count();
            assert_eq!(times, usize::from(answer.is_ok()), "{answer:?}");
            assert!(process.locks.is_empty(), "a queue is left over");
        },
        ORDERS,
    );
}
