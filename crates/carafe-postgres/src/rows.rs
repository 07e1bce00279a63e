//! The conversion of rows into records and revocations.

use carafe::id::SessionIdHash;
use carafe::store::{Record, StoreError, Stored, Version};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::error::corrupt;

/// Returns an unsigned number as PostgreSQL's signed one. A time beyond the largest number never
/// comes.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn column<'a, T: FromSql<'a>>(row: Option<&'a Row>, at: usize) -> Result<T, StoreError> {
    row.and_then(|row| row.try_get(at).ok()).ok_or_else(corrupt)
}

pub(crate) fn count(row: Option<&Row>, at: usize) -> Result<u64, StoreError> {
    u64::try_from(column::<i64>(row, at)?).map_err(|_| corrupt())
}

/// Reads a record behind its id and its version. The record may be an unreadable one.
pub(crate) fn id_and_record(
    row: &Row,
) -> Result<(SessionIdHash, Result<Stored, StoreError>), StoreError> {
    let id: &[u8] = column(Some(row), 0)?;
    let id = SessionIdHash::from_bytes(id.try_into().map_err(|_| corrupt())?);
    Ok((id, stored(row, 1)))
}

/// Reads a record, and its version in the column before it.
pub(crate) fn stored(row: &Row, at: usize) -> Result<Stored, StoreError> {
    let version = Version(count(Some(row), at)?);
    let bytes: &[u8] = column(Some(row), at + 1)?;
    let record = Record::from_bytes(bytes).map_err(|error| corrupt().with_source(error))?;
    Ok(Stored { record, version })
}
