use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, Notices, Record, RevocationStore, Revocations, SessionStore, State, StoreError,
    StoreErrorKind, Stored, Updated, UserRevocation, Version,
};
use sha2::{Digest as _, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::PostgresOptions;
use crate::error::Failure;
use crate::listen;
use crate::pool::Pool;
use crate::rows::{column, count, id_and_record, number, stored};
use crate::tables::{Parameter, Sql, Statement, Tables};

/// The number of passes in which the end of a user's sessions looks for renewed ones.
const PASSES: usize = 10;

/// A store for sessions in PostgreSQL: see the [crate's documentation](crate).
pub struct PostgresStore {
    pub(crate) pool: Pool,
    /// The schema that the options name.
    pub(crate) schema: Option<String>,
    pub(crate) migrates: bool,
    /// Whether the store listens for endings in other processes.
    pub(crate) listens: bool,
    /// The tables, once the server was asked for them; the store makes them if the options allow
    /// it.
    pub(crate) tables: OnceLock<Tables>,
}

impl PostgresStore {
    /// Creates a store with the default options. It connects when it is first used.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::new("postgres://app@127.0.0.1/app")?;
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the URL can't be read.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Self::options(url).open()
    }

    /// Returns the options of a store at this URL.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_postgres::PostgresStore;
    ///
    /// let options = PostgresStore::options("postgres://app@127.0.0.1/app").connect_timeout(Duration::from_millis(300));
    /// # let _ = options;
    /// ```
    pub fn options(url: impl Into<String>) -> PostgresOptions {
        PostgresOptions::new(url.into())
    }

    pub(crate) fn new_with(pool: Pool, options: &PostgresOptions) -> Self {
        let (schema, tables) = (options.schema.clone(), OnceLock::new());
        Self { pool, schema, migrates: options.migrates, listens: options.listens, tables }
    }

    /// Asks the server for an answer. Call it in a service that should not start without its store,
    /// and in readiness probes.
    ///
    /// ```
    /// use carafe_postgres::PostgresStore;
    ///
    /// async fn is_ready(store: &PostgresStore) -> bool {
    ///     store.ping().await.is_ok()
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if it can't be reached or refuses.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.pool.query(Statement::once("SELECT 1"), &[]).await.map(drop).map_err(Failure::read)
    }

    pub(crate) async fn query(
        &self,
        statement: Sql,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let tables = self.prepare_tables().await?;
        self.pool.query(tables.statement(statement), parameters).await
    }

    /// Runs a statement that writes, and returns the number of changed rows.
    async fn execute(
        &self,
        statement: Sql,
        parameters: &[Parameter<'_>],
    ) -> Result<u64, StoreError> {
        let tables = self.prepare_tables().await.map_err(Failure::write)?;
        self.pool.execute(tables.statement(statement), parameters).await.map_err(Failure::write)
    }

    /// Whether the record exists in another version than the one that a statement looked for. It is
    /// a statement of its own because a statement sees the table as it was at its beginning: if it
    /// waited for another one to delete the record, only a new statement sees that.
    async fn exists(&self, id: &SessionIdHash) -> Result<bool, StoreError> {
        let id = id.as_bytes().as_slice();
        let rows = self.query(Sql::Exists, &[(&id, Type::BYTEA)]).await.map_err(Failure::read)?;
        Ok(!rows.is_empty())
    }
}

impl SessionStore for PostgresStore {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        _now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let (ends, owner) = (number(record.ends().0), record.user.as_deref().map(owner));
        let created = self
            .execute(
                Sql::Create,
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

    async fn load(
        &self,
        id: &SessionIdHash,
        _now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        let id = id.as_bytes().as_slice();
        let rows = self.query(Sql::Load, &[(&id, Type::BYTEA)]).await.map_err(Failure::read)?;
        rows.first().map(|row| stored(row, 0)).transpose()
    }

    async fn load_many(
        &self,
        ids: &[SessionIdHash],
        _now: UnixSeconds,
    ) -> Result<Vec<Option<Stored>>, StoreError> {
        let bytes: Vec<&[u8]> = ids.iter().map(|id| id.as_bytes().as_slice()).collect();
        let parameters: [Parameter<'_>; 1] = [(&bytes, Type::BYTEA_ARRAY)];
        let rows = self.query(Sql::LoadMany, &parameters).await.map_err(Failure::read)?;
        let mut found = HashMap::new();
        for row in &rows {
            let (id, stored) = id_and_record(row)?;
            found.insert(id, stored?);
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        _now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        let (ends, owner) = (number(record.ends().0), record.user.as_deref().map(owner));
        let version = Version(expected.0.saturating_add(1));
        let statement = if record.state == State::Live { Sql::Update } else { Sql::Retire };
        let written = self
            .execute(
                statement,
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
        Ok(match self.execute(Sql::Delete, &parameters).await? {
            // No version of the record exists.
            0 if expected.is_some() && self.exists(id).await? => Deleted::Conflict,
            0 => Deleted::Gone,
            _ => Deleted::Deleted,
        })
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let (owner, now) = (owner(user), number(now.0));
        let parameters: [Parameter<'_>; 2] = [(&owner.as_slice(), Type::BYTEA), (&now, Type::INT8)];
        let rows = self.query(Sql::ListForUser, &parameters).await.map_err(Failure::read)?;
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
        let mut deleted = 0;
        for _ in 0..PASSES {
            let rows = self.query(Sql::DeleteForUser, &parameters).await.map_err(Failure::write)?;
            deleted += count(rows.first(), 0)?;
            // A session that was renewed meanwhile has another id, which the statement did not see
            // yet.
            let rows = self.query(Sql::LeftForUser, &parameters).await.map_err(Failure::write)?;
            if !column::<bool>(rows.first(), 0)? {
                return Ok(deleted);
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Uncertain,
            "some of a user's sessions were ended, others get new ids over and over",
        ))
    }

    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        let (now, most) = (number(now.0), u64::from(limit));
        let mut deleted = 0;
        while deleted < most {
            let room = most - deleted;
            let parameters: [Parameter<'_>; 2] = [(&now, Type::INT8), (&number(room), Type::INT8)];
            let rows = self.query(Sql::Sweep, &parameters).await.map_err(Failure::write)?;
            let (due, gone, kept) =
                (count(rows.first(), 0)?, count(rows.first(), 1)?, count(rows.first(), 2)?);
            deleted += gone;
            // There are fewer than asked for, or others remove them at the same time.
            if due < room || gone + kept == 0 {
                break;
            }
        }
        Ok(deleted)
    }

    /// Listens on a connection of its own, if [`PostgresOptions::listen`] allows it.
    fn watch(&self) -> Option<Notices> {
        self.listens.then(|| listen::begin(self))
    }
}

impl RevocationStore for PostgresStore {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        _now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let parameters: [Parameter<'_>; 2] =
            [(&id.as_bytes().as_slice(), Type::BYTEA), (&number(until.0), Type::INT8)];
        self.query(Sql::Revoke, &parameters).await.map(drop).map_err(Failure::write)
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        _now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let owner = owner(user);
        let parameters: [Parameter<'_>; 3] = [
            (&owner.as_slice(), Type::BYTEA),
            (&number(revocation.logins_up_to.0), Type::INT8),
            (&number(revocation.until.0), Type::INT8),
        ];
        self.query(Sql::RevokeUser, &parameters).await.map(drop).map_err(Failure::write)
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        let owner = user.map(owner);
        let parameters: [Parameter<'_>; 3] = [
            (&id.as_bytes().as_slice(), Type::BYTEA),
            (&owner.as_ref().map(<[u8; 32]>::as_slice), Type::BYTEA),
            (&number(now.0), Type::INT8),
        ];
        let rows = self.query(Sql::Revocations, &parameters).await.map_err(Failure::read)?;
        let not_before: Option<i64> = column(rows.first(), 1)?;
        Ok(Revocations {
            session: column(rows.first(), 0)?,
            not_before: not_before.and_then(|time| u64::try_from(time).ok()).map(UnixSeconds),
        })
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let (now, limit) = (number(now.0), i64::from(limit));
        let parameters: [Parameter<'_>; 2] = [(&now, Type::INT8), (&limit, Type::INT8)];
        let rows = self.query(Sql::SweepRevocations, &parameters).await.map_err(Failure::write)?;
        count(rows.first(), 0)
    }

    fn watch_revocations(&self) -> Option<Notices> {
        self.watch()
    }
}

impl fmt::Debug for PostgresStore {
    /// Shows nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

/// The name of a user in the tables.
fn owner(user: &str) -> [u8; 32] {
    Sha256::digest(user).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every request under way holds several of these futures, one inside the other.
    #[test]
    fn a_call_is_small() {
        let store = PostgresStore::new("postgres://u@127.0.0.1/d").unwrap();
        let id = carafe::id::SessionId::random().unwrap().hash();
        assert!(size_of_val(&store.load(&id, UnixSeconds(0))) <= 4096);
        let record = Record::new(carafe::id::PublicId::random().unwrap(), UnixSeconds(0), 1, 1);
        assert!(size_of_val(&store.update(&id, Version(1), &record, UnixSeconds(0))) <= 6144);
    }
}
