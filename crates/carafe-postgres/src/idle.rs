//! The idle connections of a pool, and which of them are trusted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::socket::current_runtime;

/// The time for which a connection is trusted without a sign of life from the server.
const TRUSTED: Duration = Duration::from_secs(10);

/// The connections that wait for their next statement.
///
/// A finding about one connection holds for its siblings. A proxy that has forgotten one connection
/// has probably forgotten all of the same age, and a session that is read-only was opened while the
/// database was.
pub(crate) struct Idle {
    longest: Duration,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    /// The idle connections; the last one used is at the end.
    resting: Vec<Resting>,
    /// Connections must have answered since this time.
    answered_since: Option<Instant>,
    /// Connections must have been opened since this time.
    opened_since: Option<Instant>,
}

struct Resting {
    connection: Connection,
    /// The time of the server's last answer.
    since: Instant,
}

/// A connection out of the list.
pub(crate) enum Taken {
    Trusted(Connection),
    /// The connection was idle for so long that the server has to give a sign of life first.
    Unchecked(Connection),
}

impl Idle {
    /// Creates a list that keeps no connection idle for longer than `longest`.
    pub(crate) fn new(longest: Duration) -> Self {
        Self { longest, list: Mutex::default() }
    }

    /// Takes the best connection, and closes unusable ones.
    pub(crate) async fn take(&self) -> Option<Taken> {
        loop {
            let Resting { mut connection, since } = self.next()?;
            // This happens without the lock.
            if !self.is_fit(&connection, since) || !connection.is_open().await {
                continue;
            }
            return Some(match since.elapsed() > TRUSTED {
                true => Taken::Unchecked(connection),
                false => Taken::Trusted(connection),
            });
        }
    }

    /// Returns the connection that was used last, if possible by this runtime.
    fn next(&self) -> Option<Resting> {
        let runtime = current_runtime();
        let resting = &mut self.list().resting;
        match resting.iter().rposition(|resting| resting.connection.is_at_home(runtime)) {
            Some(at) => Some(resting.remove(at)),
            None => resting.pop(),
        }
    }

    fn is_fit(&self, connection: &Connection, since: Instant) -> bool {
        let list = self.list();
        since.elapsed() <= self.longest
            && list.answered_since.is_none_or(|time| since >= time)
            && list.opened_since.is_none_or(|time| connection.opened() >= time)
    }

    /// Puts back a connection whose server has just answered.
    pub(crate) fn put_back(&self, connection: Connection) {
        if !self.is_fit(&connection, Instant::now()) {
            return;
        }
        let too_old = {
            let resting = &mut self.list().resting;
            let is_too_old = |resting: &Resting| resting.since.elapsed() > self.longest;
            let oldest = resting.first().is_some_and(is_too_old).then(|| resting.remove(0));
            resting.push(Resting { connection, since: Instant::now() });
            oldest
        };
        // This happens without the lock, since closing a connection takes a task.
        drop(too_old);
    }

    /// Distrusts the connections that have not answered since `sent`: a statement that was sent
    /// then was never answered.
    pub(crate) fn distrust_silent(&self, sent: Instant) {
        let time = &mut self.list().answered_since;
        *time = (*time).max(Some(sent));
    }

    /// Distrusts the connections that were opened before now, idle or not.
    pub(crate) fn distrust_all(&self) {
        self.list().opened_since = Some(Instant::now());
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
