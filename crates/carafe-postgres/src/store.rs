use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use carafe::SessionStore;
use carafe::id::{PublicId, SessionIdHash};
use carafe::record::Record;
use carafe::store::{Deleted, Revocations, StoreError, StoreErrorKind, Stored, Updated, Version};
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::PostgresOptions;
use crate::error::{Failure, corrupt};
use crate::migrations;
use crate::pool::{Parameter, Pool};

/// How often the end of all of a user's sessions looks for ones that were renewed meanwhile.
const PASSES: usize = 10;

/// Sessions in PostgreSQL: see the [crate's documentation](crate).
pub struct PostgresStore {
    pool: Pool,
    /// Whether the tables are known to be there, or are not this store's affair.
    migrated: AtomicBool,
}

impl PostgresStore {
    /// A store with the default options. It connects when it is first used.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the URL can't be read.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Self::options(url).open()
    }

    /// Options for a store at this URL.
    pub fn options(url: impl Into<String>) -> PostgresOptions {
        PostgresOptions::new(url.into())
    }

    pub(crate) fn new_with(pool: Pool, migrates: bool) -> Self {
        Self { pool, migrated: AtomicBool::new(!migrates) }
    }

    /// Asks the server whether it is there: for a service that would rather not start without it,
    /// and for readiness probes.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if it can't be reached or refuses.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.pool.query("SELECT 1", &[]).await.map(drop).map_err(Failure::read)
    }

    /// Makes the tables, or brings them up to date. Several processes may do so at once.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the server can't be reached or refuses, and if the tables
    /// are of a later version of this library.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let rows = self.pool.query(migrations::EXISTS, &[]).await.map_err(Failure::read)?;
        let current: i32 = match column(rows.first(), 0)? {
            false => 0,
            true => {
                let rows =
                    self.pool.query(migrations::CURRENT, &[]).await.map_err(Failure::read)?;
                column(rows.first(), 0)?
            }
        };
        if current > migrations::VERSION {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the tables in PostgreSQL are of a later version of this library",
            ));
        }
        if current < migrations::VERSION {
            self.pool.batch(&migrations::all()).await.map_err(Failure::read)?;
        }
        self.migrated.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) async fn query(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        self.prepare_tables().await?;
        self.pool.query(statement, parameters).await
    }

    /// Runs a statement that changes something; how many rows it changed.
    async fn execute(
        &self,
        statement: &'static str,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, StoreError> {
        self.prepare_tables().await.map_err(Failure::write)?;
        self.pool.execute(statement, parameters).await.map_err(Failure::write)
    }

    /// Makes the tables if that is this store's affair and not done yet.
    async fn prepare_tables(&self) -> Result<(), Failure> {
        match self.migrated.load(Ordering::Relaxed) {
            true => Ok(()),
            false => self.migrate().await.map_err(Failure::NotSent),
        }
    }

    /// Whether there is a record, though not of the version that a statement looked for. This is a
    /// statement of its own, for the few who find none: a statement sees the table as it was when it
    /// began, and where it had to wait for another to delete the record, only a new one sees that.
    async fn exists(&self, id: &SessionIdHash) -> Result<bool, StoreError> {
        let id = id.as_bytes().as_slice();
        let statement = "SELECT 1 FROM carafe_sessions WHERE id = $1";
        let rows = self.query(statement, &[(&id, Type::BYTEA)]).await.map_err(Failure::read)?;
        Ok(!rows.is_empty())
    }
}

impl SessionStore for PostgresStore {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        _now: u64,
    ) -> Result<bool, StoreError> {
        let (ends, owner) = (number(record.ends()), record.user.as_deref().map(owner));
        let created = self
            .execute(
                include_str!("sql/create.sql"),
                &[
                    (&id.as_bytes().as_slice(), Type::BYTEA),
                    (&ends, Type::INT8),
                    (&owner.as_ref().map(<[u8; 32]>::as_slice), Type::BYTEA),
                    (&record.to_bytes(), Type::BYTEA),
                ],
            )
            .await?;
        Ok(created == 1)
    }

    async fn load(&self, id: &SessionIdHash, _now: u64) -> Result<Option<Stored>, StoreError> {
        let id = id.as_bytes().as_slice();
        let statement = "SELECT version, record FROM carafe_sessions WHERE id = $1";
        let rows = self.query(statement, &[(&id, Type::BYTEA)]).await.map_err(Failure::read)?;
        rows.first().map(|row| stored(row, 0)).transpose()
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        _now: u64,
    ) -> Result<Updated, StoreError> {
        let (ends, owner) = (number(record.ends()), record.user.as_deref().map(owner));
        let version = Version(expected.0.saturating_add(1));
        let written = self
            .execute(
                include_str!("sql/update.sql"),
                &[
                    (&id.as_bytes().as_slice(), Type::BYTEA),
                    (&number(expected.0), Type::INT8),
                    (&ends, Type::INT8),
                    (&owner.as_ref().map(<[u8; 32]>::as_slice), Type::BYTEA),
                    (&record.to_bytes(), Type::BYTEA),
                    (&number(version.0), Type::INT8),
                ],
            )
            .await?;
        Ok(match written {
            0 if self.exists(id).await? => Updated::Conflict,
            0 => Updated::Gone,
            _ => Updated::Written(version),
        })
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        let version = expected.map(|version| number(version.0));
        let parameters: [Parameter<'_>; 2] =
            [(&id.as_bytes().as_slice(), Type::BYTEA), (&version, Type::INT8)];
        Ok(match self.execute(include_str!("sql/delete.sql"), &parameters).await? {
            // Of any version there was none.
            0 if expected.is_some() && self.exists(id).await? => Deleted::Conflict,
            0 => Deleted::Gone,
            _ => Deleted::Deleted,
        })
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: u64,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let (owner, now) = (owner(user), number(now));
        let statement =
            "SELECT id, version, record FROM carafe_sessions WHERE owner = $1 AND ends > $2";
        let parameters: [Parameter<'_>; 2] = [(&owner.as_slice(), Type::BYTEA), (&now, Type::INT8)];
        let rows = self.query(statement, &parameters).await.map_err(Failure::read)?;
        rows.iter()
            .map(|row| {
                let (id, stored) = id_and_record(row)?;
                Ok((id, stored?))
            })
            .collect()
    }

    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        let owner = owner(user);
        let keep = keep.as_ref().map(|id| id.as_bytes().as_slice());
        let parameters: [Parameter<'_>; 2] =
            [(&owner.as_slice(), Type::BYTEA), (&keep, Type::BYTEA)];
        let left = "SELECT EXISTS (SELECT FROM carafe_sessions \
                    WHERE owner = $1 AND ($2 IS NULL OR substring(record FROM 2 FOR 16) <> $2))";
        let mut deleted = 0;
        for _ in 0..PASSES {
            let rows = self
                .query(include_str!("sql/delete_for_user.sql"), &parameters)
                .await
                .map_err(Failure::write)?;
            deleted += count(rows.first(), 0)?;
            // A session that was renewed meanwhile is there under another id, which the statement
            // did not see yet.
            let rows = self.query(left, &parameters).await.map_err(Failure::write)?;
            if !column::<bool>(rows.first(), 0)? {
                return Ok(deleted);
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Uncertain,
            "some of a user's sessions were ended, others get new ids over and over",
        ))
    }

    async fn delete_expired(&self, now: u64, limit: u32) -> Result<u64, StoreError> {
        let (now, most) = (number(now), u64::from(limit));
        let mut deleted = 0;
        while deleted < most {
            let room = most - deleted;
            let parameters: [Parameter<'_>; 2] = [(&now, Type::INT8), (&number(room), Type::INT8)];
            let rows = self
                .query(include_str!("sql/sweep.sql"), &parameters)
                .await
                .map_err(Failure::write)?;
            let (due, gone, kept) =
                (count(rows.first(), 0)?, count(rows.first(), 1)?, count(rows.first(), 2)?);
            deleted += gone;
            // Fewer than asked for, or others are at them.
            if due < room || gone + kept == 0 {
                break;
            }
        }
        let limit = i64::from(limit);
        let parameters: [Parameter<'_>; 2] = [(&now, Type::INT8), (&limit, Type::INT8)];
        let rows = self
            .query(include_str!("sql/sweep_revocations.sql"), &parameters)
            .await
            .map_err(Failure::write)?;
        Ok(deleted.max(count(rows.first(), 0)?))
    }

    async fn revoke(&self, id: &SessionIdHash, until: u64, _now: u64) -> Result<(), StoreError> {
        let statement = "INSERT INTO carafe_revoked_sessions AS held VALUES ($1, $2) \
             ON CONFLICT (id) DO UPDATE SET until = greatest(held.until, excluded.until)";
        let parameters: [Parameter<'_>; 2] =
            [(&id.as_bytes().as_slice(), Type::BYTEA), (&number(until), Type::INT8)];
        self.query(statement, &parameters).await.map(drop).map_err(Failure::write)
    }

    async fn revoke_user(
        &self,
        user: &str,
        time: u64,
        until: u64,
        _now: u64,
    ) -> Result<(), StoreError> {
        let owner = owner(user);
        let statement = "INSERT INTO carafe_revoked_users AS held VALUES ($1, $2, $3) \
             ON CONFLICT (owner) DO UPDATE SET \
             not_before = greatest(held.not_before, excluded.not_before), \
             until = greatest(held.until, excluded.until)";
        let parameters: [Parameter<'_>; 3] = [
            (&owner.as_slice(), Type::BYTEA),
            (&number(time), Type::INT8),
            (&number(until), Type::INT8),
        ];
        self.query(statement, &parameters).await.map(drop).map_err(Failure::write)
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: u64,
    ) -> Result<Revocations, StoreError> {
        let owner = user.map(owner);
        let parameters: [Parameter<'_>; 3] = [
            (&id.as_bytes().as_slice(), Type::BYTEA),
            (&owner.as_ref().map(<[u8; 32]>::as_slice), Type::BYTEA),
            (&number(now), Type::INT8),
        ];
        let rows = self
            .query(include_str!("sql/revocations.sql"), &parameters)
            .await
            .map_err(Failure::read)?;
        let not_before: Option<i64> = column(rows.first(), 1)?;
        Ok(Revocations {
            session: column(rows.first(), 0)?,
            not_before: not_before.and_then(|time| u64::try_from(time).ok()),
        })
    }
}

impl fmt::Debug for PostgresStore {
    /// Shows nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// How the tables name a user.
fn owner(user: &str) -> [u8; 32] {
    Sha256::digest(user).into()
}

/// A number as PostgreSQL has them: beyond its largest is as good as never.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn column<'a, T: FromSql<'a>>(row: Option<&'a Row>, at: usize) -> Result<T, StoreError> {
    row.and_then(|row| row.try_get(at).ok()).ok_or_else(corrupt)
}

fn count(row: Option<&Row>, at: usize) -> Result<u64, StoreError> {
    u64::try_from(column::<i64>(row, at)?).map_err(|_| corrupt())
}

/// A record after its id and its version. It may be one that can't be read.
pub(crate) fn id_and_record(
    row: &Row,
) -> Result<(SessionIdHash, Result<Stored, StoreError>), StoreError> {
    let id: &[u8] = column(Some(row), 0)?;
    let id = SessionIdHash::from_bytes(id.try_into().map_err(|_| corrupt())?);
    Ok((id, stored(row, 1)))
}

/// A record, and its version in the column before it.
fn stored(row: &Row, at: usize) -> Result<Stored, StoreError> {
    let version = Version(count(Some(row), at)?);
    let bytes: &[u8] = column(Some(row), at + 1)?;
    let record = Record::from_bytes(bytes).map_err(|error| corrupt().with_source(error))?;
    Ok(Stored { record, version })
}
