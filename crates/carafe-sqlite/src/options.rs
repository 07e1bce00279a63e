use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe::store::StoreError;

use crate::SqliteStore;

/// What is awaited before a write is acknowledged: SQLite's `synchronous`.
///
/// With either, the file stays consistent, and what was acknowledged survives the end of the
/// process, however it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synchronous {
    /// The write is on the disk: it survives a loss of power and a crash of the system.
    #[default]
    Full,
    /// The write is with the operating system: a loss of power can undo the last of them. A session
    /// that was ended in the last moments before is then back.
    Normal,
}

/// How to open a [`SqliteStore`].
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
    /// The defaults, for a file that is created if it is missing.
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

    /// What the names of the tables begin with, for services that share a file; nothing by default.
    /// Services with different prefixes have nothing in common but the file: the same user's sessions
    /// in one are not listed, nor ended, by the other.
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

    /// Whether a missing file and missing tables are created, which is the default. Programs that look
    /// after a service's sessions had better not: then either is an error.
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

    /// What is awaited before a write is acknowledged: [`Synchronous::Full`] by default.
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

    /// How many threads read, each with a connection of its own: one per core by default, and at
    /// most four. At least one does.
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

    /// How long a write waits for other processes that write to the file: two seconds by default.
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

    /// How much of the file each thread keeps in memory, in KiB: 16 MiB by default.
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

    /// How large the file may become, in MiB; without it, as large as the disk lets it. Beyond it new
    /// sessions, and changes that make one larger, are refused with
    /// [`StoreErrorKind::Full`](carafe::store::StoreErrorKind::Full), which the visitor sees as a
    /// 503, until others have ended. The write-ahead log beside the file needs some room of its own.
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

    /// Opens the file, and brings its tables up to date. This waits for the disk: it is for the start
    /// of a service, and not for its requests.
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
