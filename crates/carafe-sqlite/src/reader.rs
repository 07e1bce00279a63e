//! The threads that read. The write-ahead log lets them, whoever writes.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use carafe::store::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::connection;
use crate::error::{failed, is_busy, stopped};
use crate::options::SqliteOptions;

/// How many reads look at one moment of the file at most.
const BATCH: usize = 64;

/// Reads, and answers; `false` if the connection is not to be used again.
type Read = Box<dyn FnOnce(Result<&Connection, StoreError>) -> bool + Send>;

/// The way to the threads.
#[derive(Debug)]
pub(crate) struct Readers {
    threads: Box<[Sender<Read>]>,
}

impl Readers {
    /// Starts the threads.
    pub(crate) fn start(options: &SqliteOptions) -> std::io::Result<Self> {
        let start = |_| {
            let (reads, waiting) = channel();
            let options = options.clone();
            thread::Builder::new()
                .name("carafe-sqlite-reader".to_owned())
                .spawn(move || run(&options, &waiting))?;
            Ok(reads)
        };
        Ok(Self { threads: (0..options.readers).map(start).collect::<std::io::Result<_>>()? })
    }

    /// Reads something. `spread` tells the threads apart: any number that differs from call to call.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        spread: u8,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let read = move |connection: Result<&Connection, StoreError>| {
            if reply.is_closed() {
                return true;
            }
            let (result, usable) = match connection.map(run) {
                Ok(Ok(found)) => (Ok(found), true),
                Ok(Err(error)) => (Err(failed("read", &error)), is_busy(&error)),
                Err(error) => (Err(error), false),
            };
            // Who has left doesn't hear it.
            let _ = reply.send(result);
            usable
        };
        let thread = &self.threads[usize::from(spread) % self.threads.len()];
        thread.send(Box::new(read)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

fn run(options: &SqliteOptions, waiting: &Receiver<Read>) {
    let mut connection = None;
    // The loop ends when the store is dropped.
    while let Ok(first) = waiting.recv() {
        let mut reads = vec![first];
        reads.extend(waiting.try_iter().take(BATCH - 1));
        connection = work(options, connection, reads);
    }
}

/// Does some reads, and returns the connection if it can be used again.
fn work(
    options: &SqliteOptions,
    connection: Option<Connection>,
    reads: Vec<Read>,
) -> Option<Connection> {
    let opened = match connection {
        Some(connection) => Ok(connection),
        None => connection::open(options),
    };
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => {
            for read in reads {
                read(Err(error.clone()));
            }
            return None;
        }
    };
    // Each read came before this, so that it sees all that it may expect. One moment for all of them
    // saves the others their way to the locks.
    let together = reads.len() > 1 && connection.execute_batch("BEGIN").is_ok();
    let mut usable = true;
    for read in reads {
        usable &= read(Ok(&connection));
    }
    if together {
        usable &= connection.execute_batch("COMMIT").is_ok();
    }
    usable.then_some(connection)
}
