use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe::store::StoreError;

use crate::SqliteStore;

/// The event that a write waits for before it is acknowledged: SQLite's `synchronous`.
///
/// With either, the file stays consistent, and acknowledged writes survive every end of the
/// process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// The write is on the disk: it survives a loss of power and a crash of the system.
    #[default]
    Full,
    /// The write is with the operating system: a loss of power can undo the last writes. A session
    /// that was ended shortly before is then back.
    Normal,
}

/// The settings with which a [`SqliteStore`] opens its file.
///
/// ```no_run
/// use carafe_sqlite::{SqliteOptions, Synchronous};
///
/// let store = SqliteOptions::new("sessions.db").synchronous(Synchronous::Normal).open()?;
/// # Ok::<(), carafe::store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    pub(crate) path: PathBuf,
    pub(crate) prefix: String,
    pub(crate) create: bool,
    pub(crate) synchronous: Synchronous,
    pub(crate) readers: usize,
    pub(crate) busy_timeout: Duration,
    pub(crate) cache_kib: u32,
    pub(crate) max_mib: Option<u32>,
}

impl SqliteOptions {
    /// Returns the default options, for a file that is created if it is missing.
    ///
    /// ```
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let options = SqliteOptions::new("sessions.db");
    /// ```
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            path: path.as_ref().to_owned(),
            prefix: String::new(),
            create: true,
            synchronous: Synchronous::default(),
            readers: cores.min(4),
            busy_timeout: Duration::from_secs(2),
            cache_kib: 16 * 1024,
            max_mib: None,
        }
    }

    /// Sets the beginning of the tables' names, for services that share a file: nothing by default.
    /// Services with different prefixes share nothing but the file: one doesn't list or end the
    /// other's sessions, even of the same user.
    ///
    /// It may have up to 64 lower-case letters, digits, and any of `-_.`.
    ///
    /// ```no_run
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let store = SqliteOptions::new("sessions.db").prefix("shop").open()?;
    /// # Ok::<(), carafe::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets whether a missing file and missing tables are created: `true` by default. A program
    /// that maintains a service's sessions should set it to `false`; then a missing file or table
    /// is an error.
    ///
    /// ```
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let options = SqliteOptions::new("sessions.db").create_if_missing(false);
    /// ```
    #[must_use]
    pub fn create_if_missing(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets the event that a write waits for before it is acknowledged: [`Synchronous::Full`] by
    /// default.
    ///
    /// ```
    /// use carafe_sqlite::{SqliteOptions, Synchronous};
    ///
    /// let options = SqliteOptions::new("sessions.db").synchronous(Synchronous::Normal);
    /// ```
    #[must_use]
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Sets the number of threads that read, each with a connection of its own: by default one per
    /// core, and at most four. There is at least one.
    ///
    /// ```
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let options = SqliteOptions::new("sessions.db").readers(2);
    /// ```
    #[must_use]
    pub fn readers(mut self, threads: usize) -> Self {
        self.readers = threads.max(1);
        self
    }

    /// Sets the time for which a write waits for other processes that write to the file: two
    /// seconds by default.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let options = SqliteOptions::new("sessions.db").busy_timeout(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets the part of the file that each thread keeps in memory, in KiB: 16 MiB by default.
    ///
    /// ```
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let options = SqliteOptions::new("sessions.db").cache_kib(64 * 1024);
    /// ```
    #[must_use]
    pub fn cache_kib(mut self, kib: u32) -> Self {
        self.cache_kib = kib;
        self
    }

    /// Sets the limit on the size of the file, in MiB; without a limit, the disk is the limit.
    /// Beyond it new sessions, and changes that make a session larger, are refused with
    /// [`StoreErrorKind::Full`](carafe::store::StoreErrorKind::Full) until other sessions have
    /// ended. The visitor sees a 503. The write-ahead log beside the file needs some room of its
    /// own.
    ///
    /// ```
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// let options = SqliteOptions::new("sessions.db").max_mib(500);
    /// ```
    #[must_use]
    pub fn max_mib(mut self, mib: u32) -> Self {
        self.max_mib = Some(mib);
        self
    }

    /// Opens the file, and brings its tables up to date. It waits for the disk, so call it at the
    /// start of a service and not in its requests.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use carafe_sqlite::SqliteOptions;
    ///
    /// # let folder = tempfile::tempdir()?;
    /// let store = SqliteOptions::new(folder.path().join("sessions.db")).open()?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`](carafe::store::StoreErrorKind::Unavailable) if the file can't
    /// be opened, is another application's, was written by a later version of this crate, or may be
    /// written to by every user of the system, and if the path is no file's, such as `:memory:`;
    /// [`StoreErrorKind::Corrupt`](carafe::store::StoreErrorKind::Corrupt) if it is no database.
    pub fn open(self) -> Result<SqliteStore, StoreError> {
        SqliteStore::with_options(self)
    }
}
