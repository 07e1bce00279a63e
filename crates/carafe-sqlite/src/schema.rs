//! The tables of this version, and the migration of tables of earlier versions.

use std::time::Duration;

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, TransactionBehavior};

use crate::connection::retry;
use crate::error::failed;
use crate::sql::Sql;

/// The migrations, each from the tables of one version to the next, with the name of a table that
/// it creates. A service whose file lacks that table has only the migrations before.
const MIGRATIONS: &[(&str, &str)] =
    &[("%session", include_str!("schema.sql")), ("%sweep_clock", include_str!("schema-2.sql"))];

/// The current version of the tables. SQLite's `user_version` is the newest version of any service
/// in the file.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// SQLite's `application_id` of our files: "Cara".
const APPLICATION: i64 = 0x4361_7261;

/// The reason why a file can't be used.
enum Refused {
    Foreign,
    Later,
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        let message = match refused {
            Refused::Foreign => {
                "the SQLite file is another application's: give the sessions a file of their own"
            }
            Refused::Later => {
                "the SQLite file was written by a later version of carafe-sqlite: use that version, \
                 or another file"
            }
        };
        Self::new(StoreErrorKind::Unavailable, message)
    }
}

/// Brings the tables up to date, and creates missing ones, in one transaction.
pub(crate) fn migrate(
    connection: &mut Connection,
    sql: &Sql,
    patience: Duration,
) -> Result<(), StoreError> {
    Ok(retry(patience, || try_to_migrate(connection, sql))??)
}

/// Refuses a file that can't be used as it is. A file without tables that has replaced another one
/// may be a backup whose copy has just begun.
pub(crate) fn check(connection: &Connection, sql: &Sql) -> Result<(), StoreError> {
    let find = || Ok((refused(connection)?, done(connection, sql)?));
    let (refused, done) = find().map_err(|error| failed("open the file", &error))?;
    if let Some(refused) = refused {
        return Err(refused.into());
    }
    if done == MIGRATIONS.len() {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Unavailable,
        "the SQLite file lacks the tables of the sessions: was it replaced, and is the prefix right? \
         Put a backup in its place, or start the service again, which creates the tables",
    ))
}

fn try_to_migrate(connection: &mut Connection, sql: &Sql) -> rusqlite::Result<Result<(), Refused>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(refused) = refused(&transaction)? {
        return Ok(Err(refused));
    }
    let done = done(&transaction, sql)?;
    let Some(missing) = MIGRATIONS.get(done..).filter(|missing| !missing.is_empty()) else {
        return Ok(Ok(()));
    };
    for (_, migration) in missing {
        transaction.execute_batch(&sql.with_names(migration))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// The reason why this version can't use the file, if there is one.
fn refused(connection: &Connection) -> rusqlite::Result<Option<Refused>> {
    let number =
        |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let application = number("application_id")?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || tables != 0) {
        return Ok(Some(Refused::Foreign));
    }
    // A negative number is not one of this library's versions.
    let known = (0..=VERSION).contains(&number("user_version")?);
    Ok(if known { None } else { Some(Refused::Later) })
}

/// The number of migrations that this service's tables have had. Each service of a file counts for
/// itself: one may be older in the file than the version of another.
fn done(connection: &Connection, sql: &Sql) -> rusqlite::Result<usize> {
    for (done, (table, _)) in MIGRATIONS.iter().enumerate() {
        if !connection.table_exists(None::<&str>, sql.with_names(table).as_str())? {
            return Ok(done);
        }
    }
    Ok(MIGRATIONS.len())
}
