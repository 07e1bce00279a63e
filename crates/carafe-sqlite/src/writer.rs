//! The thread that writes.
//!
//! All writes that wait when a transaction ends go into the next one: they share the one slow step,
//! the way to the disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{busy, failed, is_busy, stopped, uncertain};
use crate::pool::Pool;
use crate::sql::Db;

/// The writer's number among the connections.
const NUMBER: usize = 0;

/// The largest number of writes that share a transaction, so that none waits long for the others.
const BATCH: usize = 256;

/// The first and the longest pause while another process writes.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(2));

/// A write, and the caller that waits for it.
trait Write: Send {
    /// Runs the write, within a transaction.
    fn execute(&mut self, db: Db<'_>) -> rusqlite::Result<()>;
    /// Answers that the transaction is on the disk, or why it isn't.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
    /// Whether the request that waited for the write has left.
    fn is_abandoned(&self) -> bool;
}

struct Job<F, T> {
    run: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Write for Job<F, T>
where
    F: Fn(Db<'_>) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn execute(&mut self, db: Db<'_>) -> rusqlite::Result<()> {
        self.result = Some((self.run)(db)?);
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // If the caller has left, the answer is dropped.
        let _ = reply.send(committed.and_then(|()| result.ok_or_else(stopped)));
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// The handle of the thread.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Sender<Box<dyn Write>>,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(pool: Arc<Pool>) -> std::io::Result<Self> {
        let (jobs, waiting) = channel();
        let thread = Thread { pool };
        thread::Builder::new()
            .name("carafe-sqlite-writer".to_owned())
            .spawn(move || thread.run(&waiting))?;
        Ok(Self { jobs })
    }

    /// Runs a write, and waits until it is committed.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        run: impl Fn(Db<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Job { run, result: None, reply });
        self.jobs.send(job).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

struct Thread {
    pool: Arc<Pool>,
}

impl Thread {
    fn run(self, waiting: &Receiver<Box<dyn Write>>) {
        // The loop ends when the store is dropped.
        while let Ok(first) = waiting.recv() {
            let mut jobs = vec![first];
            jobs.extend(waiting.try_iter().take(BATCH - 1));
            // An abandoned write has been answered with an error, so it is better not to do it.
            jobs.retain(|job| !job.is_abandoned());
            if !jobs.is_empty() {
                self.work(jobs);
            }
        }
    }

    fn work(&self, mut jobs: Vec<Box<dyn Write>>) {
        let committed = self.transact(&mut jobs);
        if let Err(error) = &committed {
            tracing::debug!(
                target: "carafe",
                event = "sqlite.failed",
                kind = ?error.kind(),
                writes = jobs.len(),
                "{error}"
            );
            if error.kind() == StoreErrorKind::Full && jobs.len() > 1 {
                // None of the writes is done. One of them lacks room; a logout needs none.
                return jobs.into_iter().for_each(|job| self.work(vec![job]));
            }
        }
        for job in jobs {
            job.finish(committed.clone());
        }
    }

    /// Runs all writes in one transaction, or none.
    fn transact(&self, jobs: &mut [Box<dyn Write>]) -> Result<(), StoreError> {
        let lent = self.pool.lend(NUMBER)?;
        match begin(lent.db()?.connection, self.pool.options().busy_timeout) {
            Ok(()) => {}
            Err(error) if is_busy(&error) => return Err(busy()),
            Err(error) => {
                lent.discard();
                return Err(failed("begin to write", &error));
            }
        }
        if let Err(error) = commit(lent.db()?, jobs) {
            // Its uncommitted changes are dropped with it.
            lent.discard();
            return Err(error);
        }
        lent.confirm()
    }
}

fn commit(db: Db<'_>, jobs: &mut [Box<dyn Write>]) -> Result<(), StoreError> {
    for job in jobs {
        job.execute(db).map_err(|error| failed("write", &error))?;
    }
    db.connection.execute_batch("COMMIT").map_err(|error| uncertain(&error))
}

/// Waits for a turn in even pauses. SQLite's own pauses grow to a tenth of a second, and with
/// another process that always writes they never get a turn.
fn begin(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?;
    let (mut pause, longest) = PAUSES;
    let start = Instant::now();
    loop {
        match connection.execute_batch("BEGIN IMMEDIATE") {
            Err(error) if is_busy(&error) && start.elapsed() < patience => {
                thread::sleep(pause);
                pause = (pause * 2).min(longest);
            }
            done => return done,
        }
    }
}
