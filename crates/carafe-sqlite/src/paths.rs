//! The three files of a database, which of them lie at their paths, and who may open them.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use carafe::store::{StoreError, StoreErrorKind};

use crate::error::failed_io;

/// The paths of the database, its write-ahead log, and the log's index.
#[derive(Debug)]
pub(crate) struct Paths([PathBuf; 3]);

/// The files that lie at the paths. Equal values mean that none was removed, moved or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Files([Option<Identity>; 3]);

/// A file's identity as long as it is open: its device and its inode.
type Identity = (u64, u64);

impl Paths {
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if SQLite would take the path for something else than a file's.
    pub(crate) fn new(path: &Path) -> Result<Self, StoreError> {
        let text = path.as_os_str().as_encoded_bytes();
        if text.is_empty() || text.starts_with(b":memory:") || text.starts_with(b"file:") {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "SQLite's sessions need the path of a file, not a URI: for sessions in memory there \
                 is carafe::store::MemoryStore",
            ));
        }
        let beside = |suffix| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Ok(Self([path.to_owned(), beside("-wal"), beside("-shm")]))
    }

    pub(crate) fn database(&self) -> &Path {
        &self.0[0]
    }

    /// Creates the database's file, if it is missing, for its owner alone: SQLite gives the files that
    /// it puts beside it the same permissions.
    pub(crate) fn create(&self) -> Result<(), StoreError> {
        let mut create = OpenOptions::new();
        create.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut create, 0o600);
        match create.open(self.database()) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed_io("create", self.database(), &error)),
        }
    }

    /// Returns the files that lie at the paths now.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the database's own is missing.
    pub(crate) fn files(&self) -> Result<Files, StoreError> {
        let mut files = [None; 3];
        for (file, path) in files.iter_mut().zip(&self.0) {
            *file = match fs::metadata(path) {
                Ok(found) => Some(identity(&found)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(failed_io("find", path, &error)),
            };
        }
        if files[0].is_none() {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "the SQLite file {} isn't there any more: move it back, put a backup in its \
                     place, or start the service again, which creates a new one",
                    self.database().display()
                ),
            ));
        }
        Ok(Files(files))
    }

    /// Removes the log and the index of a database that lies here no more. SQLite would take them
    /// for the log and the index of the file that replaced it, and damage that file.
    pub(crate) fn remove_leftovers(&self, of: &Files, now: &Files) -> Result<(), StoreError> {
        for ((path, former), present) in self.0.iter().zip(of.0).zip(now.0).skip(1) {
            if former.is_some() && former == present {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(failed_io("remove", path, &error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Refuses files that every user of the system may write to, since their content can't be
    /// trusted, and takes away other users' right to read.
    #[cfg(unix)]
    pub(crate) fn protect(&self) -> Result<(), StoreError> {
        use std::os::unix::fs::PermissionsExt as _;
        const OTHERS: u32 = 0o007;
        const OTHERS_WRITE: u32 = 0o002;
        for path in &self.0 {
            let mut permissions = match fs::metadata(path) {
                Ok(found) => found.permissions(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed_io("find", path, &error)),
            };
            let mode = permissions.mode();
            if mode & OTHERS_WRITE != 0 {
                return Err(StoreError::new(
                    StoreErrorKind::Unavailable,
                    format!(
                        "every user of the system may write to the SQLite file {0}, and so log in as \
                         anyone: begin with a new file, or, if only trusted users could reach it, \
                         run `chmod 600 {0}`",
                        path.display()
                    ),
                ));
            }
            if mode & OTHERS != 0 {
                permissions.set_mode(mode & !OTHERS);
                fs::set_permissions(path, permissions)
                    .map_err(|error| failed_io("protect", path, &error))?;
                tracing::warn!(
                    target: "carafe",
                    event = "sqlite.protected",
                    file = %path.display(),
                    "every user of the system could read the SQLite file: now only its owner and \
                     group can"
                );
            }
        }
        Ok(())
    }

    /// Other systems have no such permissions.
    #[cfg(not(unix))]
    pub(crate) fn protect(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Files {
    /// Whether the database is the same file. The log is not compared.
    pub(crate) fn has_same_database(&self, other: &Self) -> bool {
        self.0[0] == other.0[0]
    }

    /// Whether the log and its index are there.
    pub(crate) fn are_complete(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }
}

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (file.dev(), file.ino())
}

/// Windows lets no one remove, move or replace a file that SQLite has open.
#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    (0, 0)
}
