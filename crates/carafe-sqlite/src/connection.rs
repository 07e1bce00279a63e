//! Opening the file.

use std::time::{Duration, Instant};

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, OpenFlags};

use crate::error::{busy, failed, is_busy};
use crate::options::{SqliteOptions, Synchronous};

/// The pause before another try where SQLite's own waiting doesn't apply.
const PAUSE: Duration = Duration::from_millis(1);

/// Opens a connection, whose file exists.
pub(crate) fn open(options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&options.path, flags)
        .map_err(|error| failed("open the file", &error))?;
    configure(&connection, options).map_err(|error| failed("open the file", &error))?;
    switch_to_wal(&connection, options.busy_timeout)?;
    Ok(connection)
}

fn configure(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(options.busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(32);
    let synchronous = match options.synchronous {
        Synchronous::Full => "full",
        Synchronous::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", -i64::from(options.cache_kib))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    if let Some(mib) = options.max_mib {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::from(mib) * 1024 * 1024 / page.max(1);
        // SQLite answers with the number that is in force.
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    // Without a limit the log would stay as large as it has ever been.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    Ok(())
}

/// The write-ahead log. SQLite doesn't wait for other connections with this switch.
fn switch_to_wal(connection: &Connection, patience: Duration) -> Result<(), StoreError> {
    let mode: String = retry(patience, || {
        connection.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))
    })?;
    if mode == "wal" {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Unavailable,
        "SQLite can't keep a write-ahead log beside this file: is it on a network file system, or \
         in memory?",
    ))
}

/// Tries again while another connection is in the way.
pub(crate) fn retry<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    let begin = Instant::now();
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if is_busy(&error) => {
                if begin.elapsed() >= patience {
                    return Err(busy());
                }
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(failed("open the file", &error)),
        }
    }
}
