use std::io;
use std::path::Path;

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::ffi::code_to_str;
use rusqlite::{Error, ErrorCode};

/// The error of a failed statement or transaction. It repeats nothing of the statement: SQLite's
/// messages name tables and files, but never bound values.
pub(crate) fn failed(doing: &str, error: &Error) -> StoreError {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::new(kind, describe(doing, error))
}

/// A transaction that may or may not have reached the disk.
pub(crate) fn uncertain(error: &Error) -> StoreError {
    StoreError::new(StoreErrorKind::Uncertain, describe("commit", error))
}

fn describe(doing: &str, error: &Error) -> String {
    match error {
        Error::SqliteFailure(code, _) => {
            let (code, text) = (code.extended_code, code_to_str(code.extended_code));
            format!("SQLite could not {doing}: {text} (code {code})")
        }
        // Messages of other errors may quote bound values or content.
        _ => format!("SQLite could not {doing}: the answer was not of the expected form"),
    }
}

/// The error of a refused operation on a file.
pub(crate) fn failed_io(doing: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        format!("the system could not {doing} the SQLite file {}: {error}", path.display()),
    )
}

/// The error of a transaction in a file that is no longer at its path.
pub(crate) fn moved_meanwhile() -> StoreError {
    StoreError::new(
        StoreErrorKind::Uncertain,
        "the SQLite file, or the log beside it, was removed, moved or replaced during a write: that \
         may be lost",
    )
}

/// The error of a record that can't be read.
pub(crate) fn unreadable(error: carafe::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, "a session record in the SQLite file can't be read")
        .with_source(error)
}

/// The error of a thread that ended before it answered.
pub(crate) fn stopped() -> StoreError {
    StoreError::new(
        StoreErrorKind::Uncertain,
        "the thread that works with the SQLite file has stopped: see the log for its panic",
    )
}

/// The error of a write for which another process held the file for too long.
pub(crate) fn busy() -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "another process was writing to the SQLite file for too long; nothing was written",
    )
}

pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
