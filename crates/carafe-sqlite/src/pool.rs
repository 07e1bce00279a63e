//! The connections of the store's threads, and whether they still lead to the file at the path.
//!
//! A file can be removed, moved or replaced while it is open. SQLite goes on with the one that it has
//! then: what is written to it is lost, and other processes don't see it. So each use of a connection
//! first looks which files are at the paths:
//!
//! 1. No database: an error. The connections are kept, in case it is moved back.
//! 2. Another database: the connections to the former one are closed and opened anew. Its log, which SQLite
//!    would apply to the new file, is removed.
//! 3. Another log, or none: what the former log holds is put into the database, if there is no new
//!    one yet, and the connections are opened anew.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::Connection;

use crate::error::{busy, moved_meanwhile};
use crate::options::SqliteOptions;
use crate::paths::{Files, Paths};
use crate::sql::{Db, Sql};
use crate::{connection, schema};

/// The pause before another look at a lock.
const PAUSE: Duration = Duration::from_millis(1);

/// A connection for each thread, opened when it is first used.
#[derive(Debug)]
pub(crate) struct Pool {
    options: SqliteOptions,
    paths: Paths,
    sql: Sql,
    slots: Box<[Mutex<Option<Open>>]>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// The files that it was opened on.
    files: Files,
}

/// A connection in use.
pub(crate) struct Lent<'a> {
    pool: &'a Pool,
    slot: MutexGuard<'a, Option<Open>>,
}

impl Pool {
    /// Creates the file and its tables, unless they exist or the options forbid it.
    pub(crate) fn new(options: SqliteOptions, slots: usize) -> Result<Self, StoreError> {
        let paths = Paths::new(&options.path)?;
        let sql = Sql::new(&options.prefix)?;
        if options.create {
            paths.create()?;
        }
        let slots = (0..slots).map(|_| Mutex::default()).collect();
        let pool = Self { options, paths, sql, slots };
        let first = pool.open(|connection| {
            if !pool.options.create {
                return schema::check(connection, &pool.sql);
            }
            schema::migrate(connection, &pool.sql, pool.options.busy_timeout)
        })?;
        if let Some(slot) = pool.slots.first() {
            *lock(slot) = Some(first);
        }
        Ok(pool)
    }

    pub(crate) fn options(&self) -> &SqliteOptions {
        &self.options
    }

    /// Returns a thread's connection, to the file that is at the path now.
    pub(crate) fn lend(&self, number: usize) -> Result<Lent<'_>, StoreError> {
        let files = self.paths.files()?;
        let mut slot = lock(&self.slots[number]);
        if slot.as_ref().is_none_or(|open| open.files != files) {
            drop(slot);
            self.leave()?;
            slot = lock(&self.slots[number]);
        }
        if slot.is_none() {
            *slot = Some(self.open(|connection| schema::check(connection, &self.sql))?);
        }
        Ok(Lent { pool: self, slot })
    }

    /// Closes all connections to files that are not at the paths any more.
    fn leave(&self) -> Result<(), StoreError> {
        let _alone = hold(self.paths.database(), self.options.busy_timeout)?;
        let now = self.paths.files()?;
        for slot in &self.slots {
            let mut slot = lock(slot);
            let Some(open) = slot.take_if(|open| open.files != now) else { continue };
            tracing::error!(
                target: "carafe",
                event = "sqlite.replaced",
                file = %self.paths.database().display(),
                "the SQLite file was replaced while it was in use, or the log beside it was: it is \
                 opened anew"
            );
            let former = open.files;
            open.close(&now);
            if !former.has_same_database(&now) {
                self.paths.remove_leftovers(&former, &now)?;
            }
        }
        Ok(())
    }

    fn open(
        &self,
        prepare: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
    ) -> Result<Open, StoreError> {
        let _alone = hold(self.paths.database(), self.options.busy_timeout)?;
        let before = self.paths.files()?;
        self.paths.protect()?;
        let mut connection = connection::open(&self.options)?;
        prepare(&mut connection)?;
        let files = self.paths.files()?;
        if files.has_same_database(&before) && files.are_complete() {
            return Ok(Open { connection, files });
        }
        Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the SQLite file, or the log beside it, was replaced while it was being opened",
        ))
    }
}

impl Open {
    /// Moves the content of the log into the database, unless another log has taken its place.
    fn close(self, now: &Files) {
        let is_alone = !now.has_same_database(&self.files) || !now.are_complete();
        if is_alone && self.connection.busy_timeout(Duration::ZERO).is_ok() {
            // The file is not the store's any more: whether it gets the rest changes no answer.
            let checkpoint = self.connection.query_row("PRAGMA wal_checkpoint", [], |_| Ok(()));
            drop(checkpoint);
        }
    }
}

impl Lent<'_> {
    /// The connection and its statements.
    pub(crate) fn db(&self) -> Result<Db<'_>, StoreError> {
        let open = self.slot.as_ref().ok_or_else(moved_meanwhile)?;
        Ok(Db { connection: &open.connection, sql: &self.pool.sql })
    }

    /// Whether the last commit is in the file at the path.
    pub(crate) fn confirm(&self) -> Result<(), StoreError> {
        let files = self.pool.paths.files().map_err(|_| moved_meanwhile())?;
        match &*self.slot {
            Some(open) if open.files == files => Ok(()),
            _ => Err(moved_meanwhile()),
        }
    }

    /// Closes a connection that has failed, so that the next use opens another one. A connection to
    /// a file that is no longer at the path is kept until another has taken its place, so that its
    /// leftovers can be recognised.
    pub(crate) fn discard(mut self) {
        if self.confirm().is_ok() {
            *self.slot = None;
        }
    }
}

fn lock(slot: &Mutex<Option<Open>>) -> MutexGuard<'_, Option<Open>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks the folder while a file in it is opened or leftovers are removed: another process would
/// otherwise remove the log that this process has just begun.
fn hold(database: &Path, patience: Duration) -> Result<Option<File>, StoreError> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
    // A folder that can't be read, or a system where folders can't be locked: then there is no lock.
    let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) else { return Ok(None) };
    let begin = Instant::now();
    loop {
        match folder.try_lock() {
            Ok(()) => return Ok(Some(folder)),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if begin.elapsed() >= patience => return Err(busy()),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    }
}
