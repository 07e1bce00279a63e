//! The statements. Each is atomic by itself.

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Admission, Created, Deleted, Record, Revocations, Stored, SweepClock, Updated, UserRevocation,
    Version, Within,
};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension as _, Result, params};

use crate::sql::{Db, Statement};

/// An unsigned number in SQLite's signed numbers: a number that doesn't fit becomes the largest
/// one. A time as far away as that never comes.
struct Number(u64);

impl ToSql for Number {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Number {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u64::try_from(value.as_i64()?).map(Self).map_err(|_| FromSqlError::InvalidType)
    }
}

/// A record as it is stored and not read yet, so that an unreadable record differs from a failing
/// database.
pub(crate) struct Row {
    version: Version,
    record: Vec<u8>,
}

impl Row {
    pub(crate) fn read(self) -> std::result::Result<Stored, carafe::Error> {
        Ok(Stored { record: Record::from_bytes(&self.record)?, version: self.version })
    }
}

/// The columns that are written for a record.
pub(crate) struct NewRow {
    user: Option<String>,
    ends: Number,
    record: Vec<u8>,
}

impl From<&Record> for NewRow {
    fn from(record: &Record) -> Self {
        Self { user: record.user.clone(), ends: Number(record.ends().0), record: record.to_bytes() }
    }
}

pub(crate) fn create(on: Db<'_>, id: &SessionIdHash, row: &NewRow) -> Result<bool> {
    let mut insert = on.prepare(Statement::Create)?;
    Ok(insert.execute(params![id.as_bytes(), row.user, row.ends, row.record])? == 1)
}

/// Adds a record if its user may have one more session, within the caller's transaction. The inner
/// error means a record that can't be read.
pub(crate) fn create_within(
    on: Db<'_>,
    id: &SessionIdHash,
    row: &NewRow,
    within: &Within,
    now: UnixSeconds,
) -> Result<std::result::Result<Created, carafe::Error>> {
    let mut ended = 0;
    if let Some(user) = &row.user {
        let rows = list_for_user(on, user, now)?.into_iter();
        let list = rows.map(|(id, row)| row.read().map(|stored| (id, stored.record)));
        let list = match list.collect::<std::result::Result<Vec<_>, _>>() {
            Ok(list) => list,
            Err(error) => return Ok(Err(error)),
        };
        let end = match within.decide(list.iter().map(|(_, record)| record), now) {
            Admission::Refused => return Ok(Ok(Created::TooMany)),
            Admission::Admitted(end) => end,
        };
        if exists(on, id)? {
            return Ok(Ok(Created::Exists));
        }
        for (id, _) in list.iter().filter(|(_, record)| end.contains(&record.public_id)) {
            delete(on, id, None)?;
        }
        ended = u32::try_from(end.len()).unwrap_or(u32::MAX);
    }
    Ok(Ok(match create(on, id, row)? {
        true => Created::Created { ended },
        false => Created::Exists,
    }))
}

pub(crate) fn load(on: Db<'_>, id: &SessionIdHash) -> Result<Option<Row>> {
    let mut select = on.prepare(Statement::Load)?;
    select
        .query_row([id.as_bytes()], |row| {
            Ok(Row { version: Version(row.get::<_, Number>(0)?.0), record: row.get(1)? })
        })
        .optional()
}

pub(crate) fn update(
    on: Db<'_>,
    id: &SessionIdHash,
    expected: Version,
    row: &NewRow,
) -> Result<Updated> {
    // No record has a version beyond SQLite's numbers.
    let next = Version(expected.0.saturating_add(1));
    let mut update = on.prepare(Statement::Update)?;
    let (version, next_version) = (Number(expected.0), Number(next.0));
    let updated = update.execute(params![
        id.as_bytes(),
        version,
        next_version,
        row.user,
        row.ends,
        row.record
    ])?;
    Ok(match updated {
        0 if exists(on, id)? => Updated::Conflict,
        0 => Updated::Gone,
        _ => Updated::Written(next),
    })
}

pub(crate) fn delete(on: Db<'_>, id: &SessionIdHash, expected: Option<Version>) -> Result<Deleted> {
    let deleted = match expected {
        None => on.prepare(Statement::Delete)?.execute([id.as_bytes()])?,
        Some(version) => on
            .prepare(Statement::DeleteVersion)?
            .execute(params![id.as_bytes(), Number(version.0)])?,
    };
    Ok(match deleted {
        0 if expected.is_some() && exists(on, id)? => Deleted::Conflict,
        0 => Deleted::Gone,
        _ => Deleted::Deleted,
    })
}

fn exists(on: Db<'_>, id: &SessionIdHash) -> Result<bool> {
    on.prepare(Statement::Exists)?.exists([id.as_bytes()])
}

pub(crate) fn list_for_user(
    on: Db<'_>,
    user: &str,
    now: UnixSeconds,
) -> Result<Vec<(SessionIdHash, Row)>> {
    let mut select = on.prepare(Statement::ListForUser)?;
    let rows = select.query_map(params![user, Number(now.0)], with_id)?;
    rows.collect()
}

/// Returns at most `limit` records that come after an id, in the order of ids.
pub(crate) fn page(
    on: Db<'_>,
    after: Option<&SessionIdHash>,
    limit: u32,
) -> Result<Vec<(SessionIdHash, Row)>> {
    let mut select = on.prepare(Statement::Page)?;
    // The empty id comes before all others.
    let after = after.map_or(&[][..], |id| id.as_bytes());
    let rows = select.query_map(params![after, limit], with_id)?;
    rows.collect()
}

fn with_id(row: &rusqlite::Row<'_>) -> Result<(SessionIdHash, Row)> {
    let id = SessionIdHash::from_bytes(row.get(0)?);
    Ok((id, Row { version: Version(row.get::<_, Number>(1)?.0), record: row.get(2)? }))
}

pub(crate) fn delete_for_user(on: Db<'_>, user: &str, keep: Option<PublicId>) -> Result<u64> {
    let mut delete = on.prepare(Statement::DeleteForUser)?;
    let deleted = delete.execute(params![user, keep.as_ref().map(PublicId::as_bytes)])?;
    Ok(deleted as u64)
}

/// Deletes at most `limit` records, the oldest first, as far as this clock is trusted.
pub(crate) fn delete_expired(on: Db<'_>, now: UnixSeconds, limit: u32) -> Result<u64> {
    sweep(on, &[Statement::SweepSessions], now, limit)
}

/// Deletes at most `limit` revocations of each kind, the oldest first, as far as this clock is trusted.
pub(crate) fn delete_expired_revocations(on: Db<'_>, now: UnixSeconds, limit: u32) -> Result<u64> {
    sweep(on, &[Statement::SweepRevokedSessions, Statement::SweepRevokedUsers], now, limit)
}

fn sweep(on: Db<'_>, statements: &[Statement], now: UnixSeconds, limit: u32) -> Result<u64> {
    let now = trusted_time(on, now)?;
    let mut deleted = 0;
    for statement in statements {
        deleted += on.prepare(*statement)?.execute(params![Number(now.0), limit])? as u64;
    }
    Ok(deleted)
}

/// The time by which records may be removed: a time that all processes of the service agree on.
fn trusted_time(on: Db<'_>, now: UnixSeconds) -> Result<UnixSeconds> {
    let kept = on
        .prepare(Statement::SweepClock)?
        .query_row([], |row| {
            let doubted: Option<Number> = row.get(1)?;
            let time = |number: Number| UnixSeconds(number.0);
            Ok((time(row.get(0)?), doubted.map(time)))
        })
        .optional()?;
    let (trusted, doubted) = match kept {
        Some((trusted, doubted)) => (Some(trusted), doubted),
        None => (newest_time(on)?, None),
    };
    let before = SweepClock::restore(trusted, doubted);
    let mut clock = before;
    let time = clock.read(now);
    if kept.is_none() || clock != before {
        let trusted = clock.trusted().unwrap_or(time);
        on.prepare(Statement::SetSweepClock)?
            .execute(params![Number(trusted.0), clock.doubted().map(|time| Number(time.0))])?;
    }
    Ok(time)
}

/// The time when the newest session got its id.
fn newest_time(on: Db<'_>) -> Result<Option<UnixSeconds>> {
    let newest =
        on.prepare(Statement::Newest)?.query_row([], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    Ok(newest.and_then(|record| Record::from_bytes(&record).ok()).map(|record| record.renewed))
}

/// Stores the time of a revocation, if no time is stored yet.
fn note_time(on: Db<'_>, now: UnixSeconds) -> Result<()> {
    on.prepare(Statement::NoteTime)?.execute([Number(now.0)]).map(drop)
}

pub(crate) fn revoke(
    on: Db<'_>,
    id: &SessionIdHash,
    until: UnixSeconds,
    now: UnixSeconds,
) -> Result<()> {
    note_time(on, now)?;
    let mut insert = on.prepare(Statement::Revoke)?;
    insert.execute(params![id.as_bytes(), Number(until.0)])?;
    Ok(())
}

pub(crate) fn revoke_user(
    on: Db<'_>,
    user: &str,
    revocation: UserRevocation,
    now: UnixSeconds,
) -> Result<()> {
    note_time(on, now)?;
    let UserRevocation { logins_up_to: time, until } = revocation;
    let mut insert = on.prepare(Statement::RevokeUser)?;
    insert.execute(params![user, Number(time.0), Number(until.0)])?;
    Ok(())
}

pub(crate) fn revocations(
    on: Db<'_>,
    id: &SessionIdHash,
    user: Option<&str>,
    now: UnixSeconds,
) -> Result<Revocations> {
    // One statement looks at one moment.
    let mut select = on.prepare(Statement::Revocations)?;
    select.query_row(params![id.as_bytes(), user, Number(now.0)], |row| {
        let not_before = row.get::<_, Option<Number>>(1)?.map(|time| UnixSeconds(time.0));
        Ok(Revocations { session: row.get(0)?, not_before })
    })
}
