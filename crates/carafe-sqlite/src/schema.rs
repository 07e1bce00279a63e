//! The tables, and how those of earlier versions become those of this one.

use std::time::Duration;

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, TransactionBehavior};

use crate::connection::retry;

/// What makes the tables of each version out of those of the one before. SQLite's `user_version`
/// says how many have been done.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql"), include_str!("schema-2.sql")];

/// The version of the tables as this crate has them.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// SQLite's `application_id` of our files: "Cara".
const APPLICATION: i64 = 0x4361_7261;

/// What keeps a file from being used.
enum Refused {
    Foreign,
    Later,
}

/// Brings the tables up to date, in one transaction.
pub(crate) fn migrate(connection: &mut Connection, patience: Duration) -> Result<(), StoreError> {
    match retry(patience, || try_to_migrate(connection))? {
        Ok(()) => Ok(()),
        Err(Refused::Foreign) => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the SQLite file is another application's: give the sessions a file of their own",
        )),
        Err(Refused::Later) => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the SQLite file was written by a later version of carafe-sqlite: use that version, or \
             another file",
        )),
    }
}

fn try_to_migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), Refused>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number =
        |pragma: &str| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id")?;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || tables != 0) {
        return Ok(Err(Refused::Foreign));
    }
    // A number that is below zero or too large is of no version of ours.
    let done = usize::try_from(number("user_version")?).unwrap_or(usize::MAX);
    let Some(missing) = MIGRATIONS.get(done..) else {
        return Ok(Err(Refused::Later));
    };
    if missing.is_empty() {
        return Ok(Ok(()));
    }
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(Ok(()))
}
