//! The threads that read. The write-ahead log lets them read while another thread or process
//! writes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use carafe::store::StoreError;
use tokio::sync::oneshot;

use crate::error::{failed, is_busy, stopped};
use crate::pool::Pool;
use crate::sql::Db;

/// The largest number of reads that look at one moment of the file.
const BATCH: usize = 64;

/// A read that sends its own answer; it returns `false` if the connection must not be used again.
type Read = Box<dyn FnOnce(Result<Db<'_>, StoreError>) -> bool + Send>;

/// The handle of the threads.
#[derive(Debug)]
pub(crate) struct Readers {
    threads: Box<[Sender<Read>]>,
}

impl Readers {
    /// Starts the threads.
    pub(crate) fn start(pool: &Arc<Pool>, threads: usize) -> std::io::Result<Self> {
        let start = |number| {
            let (reads, waiting) = channel();
            let pool = Arc::clone(pool);
            thread::Builder::new()
                .name("carafe-sqlite-reader".to_owned())
                .spawn(move || run(&pool, number, &waiting))?;
            Ok(reads)
        };
        // The first connection is the writer's.
        Ok(Self { threads: (1..=threads).map(start).collect::<std::io::Result<_>>()? })
    }

    /// Runs a read. `spread` distributes the reads over the threads: any number that differs from
    /// call to call.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        spread: u8,
        run: impl FnOnce(Db<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let read = move |connection: Result<Db<'_>, StoreError>| {
            if reply.is_closed() {
                return true;
            }
            let (result, usable) = match connection.map(run) {
                Ok(Ok(found)) => (Ok(found), true),
                Ok(Err(error)) => (Err(failed("read", &error)), is_busy(&error)),
                Err(error) => (Err(error), false),
            };
            // If the caller has left, the answer is dropped.
            let _ = reply.send(result);
            usable
        };
        let thread = &self.threads[usize::from(spread) % self.threads.len()];
        thread.send(Box::new(read)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn run(pool: &Pool, number: usize, waiting: &Receiver<Read>) {
    // The loop ends when the store is dropped.
    while let Ok(first) = waiting.recv() {
        let mut reads = vec![first];
        reads.extend(waiting.try_iter().take(BATCH - 1));
        work(pool, number, reads);
    }
}

/// Runs a batch of reads.
fn work(pool: &Pool, number: usize, reads: Vec<Read>) {
    let lent = match pool.lend(number) {
        Ok(lent) => lent,
        Err(error) => return refuse(reads, &error),
    };
    let usable = match lent.db() {
        Ok(db) => read_all(db, reads),
        Err(error) => return refuse(reads, &error),
    };
    if !usable {
        lent.discard();
    }
}

fn refuse(reads: Vec<Read>, error: &StoreError) {
    for read in reads {
        read(Err(error.clone()));
    }
}

/// Runs the reads; returns whether the connection can be used again.
fn read_all(db: Db<'_>, reads: Vec<Read>) -> bool {
    // Each read was requested before this, so it sees all that it may expect. One moment for all of
    // them saves each its way to the locks.
    let together = reads.len() > 1 && db.connection.execute_batch("BEGIN").is_ok();
    let mut usable = true;
    for read in reads {
        usable &= read(Ok(db));
    }
    if together {
        usable &= db.connection.execute_batch("COMMIT").is_ok();
    }
    usable
}
