//! The tables and their migrations.

use std::fmt::Write as _;

use carafe::store::{StoreError, StoreErrorKind};
use tokio_postgres::types::Type;

use crate::PostgresStore;
use crate::error::{Failure, corrupt};
use crate::rows::column;
use crate::tables::{Parameter, Statement, Tables};

/// The migrations, each from one version of the tables to the next.
const MIGRATIONS: [&str; 1] = [include_str!("sql/1.sql")];

/// The version that this library works with.
const VERSION: i32 = MIGRATIONS.len() as i32;

/// The schema of the tables, whether it exists, and whether any version has been applied.
const SCHEMA: &str = include_str!("sql/schema.sql");

/// The state of the database before a migration.
struct Found {
    tables: Tables,
    has_schema: bool,
    has_tables: bool,
}

impl PostgresStore {
    /// Makes the tables, or brings them up to date. Several processes may do so at once.
    ///
    /// The tables are made in the schema that [`PostgresOptions::schema`](crate::PostgresOptions::schema) names, which is made too if
    /// it is missing, or else in the first schema of the search path that exists.
    ///
    /// ```
    /// use carafe::store::StoreError;
    /// use carafe_postgres::PostgresStore;
    ///
    /// /// Runs when a new version is deployed, as a role that may make tables.
    /// async fn deploy(url: &str) -> Result<(), StoreError> {
    ///     PostgresStore::new(url)?.migrate().await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if the server can't be reached or refuses, if the role lacks
    /// the right to make the tables, and if the tables are of a later version of this library.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let found = self.find_tables().await?;
        let current = if found.has_tables { self.version_of(&found.tables).await? } else { 0 };
        if current > VERSION {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the tables in PostgreSQL are of a later version of this library",
            ));
        }
        if current < VERSION {
            let sql = all(&found.tables, found.has_schema);
            self.pool.batch(&sql).await.map_err(|failure| found.explain(failure))?;
        }
        // Another call may have set the same tables.
        let _ = self.tables.set(found.tables);
        Ok(())
    }

    async fn find_or_make_tables(&self) -> Result<(), StoreError> {
        if self.migrates {
            return self.migrate().await;
        }
        let found = self.find_tables().await?;
        // Another call may have set the same tables.
        let _ = self.tables.set(found.tables);
        Ok(())
    }

    async fn find_tables(&self) -> Result<Found, StoreError> {
        let parameters: [Parameter<'_>; 1] = [(&self.schema, Type::TEXT)];
        let statement = Statement::once(SCHEMA);
        let rows = self.pool.query(statement, &parameters).await.map_err(Failure::read)?;
        let name: Option<&str> = column(rows.first(), 0)?;
        let name = name.ok_or_else(|| {
            StoreError::new(
                StoreErrorKind::Unavailable,
                "no schema of PostgreSQL's `search_path` exists: make one of them, or name one with \
                 `PostgresOptions::schema`",
            )
        })?;
        Ok(Found {
            tables: Tables::new(name),
            has_schema: column(rows.first(), 1)?,
            has_tables: column(rows.first(), 2)?,
        })
    }

    async fn version_of(&self, tables: &Tables) -> Result<i32, StoreError> {
        let sql = current(tables);
        let rows = self.pool.query(Statement::once(&sql), &[]).await.map_err(Failure::read)?;
        column(rows.first(), 0)
    }

    /// Returns the tables. They are made first if the options allow it and they are missing.
    pub(crate) async fn prepare_tables(&self) -> Result<&Tables, Failure> {
        if let Some(tables) = self.tables.get() {
            return Ok(tables);
        }
        Box::pin(self.find_or_make_tables()).await.map_err(Failure::NotSent)?;
        self.tables.get().ok_or_else(|| Failure::NotSent(corrupt()))
    }
}

impl Found {
    /// Explains a failed migration: if a right is missing, with the statement that grants it.
    fn explain(&self, failure: Failure) -> StoreError {
        if !failure.is_denied() {
            return failure.read();
        }
        let schema = self.tables.schema();
        let grant = match self.has_schema {
            true => format!(
                "make Carafe's tables in the schema {schema}, which PostgreSQL has left to the \
                 schema's owner since version 15: `GRANT CREATE ON SCHEMA {schema} TO` that role"
            ),
            false => format!(
                "make the schema {schema}: `CREATE SCHEMA {schema} AUTHORIZATION` that role"
            ),
        };
        StoreError::new(
            StoreErrorKind::Unavailable,
            format!(
                "PostgreSQL refused: SQLSTATE 42501, the role may not {grant}, or name a schema that \
                 it owns with `PostgresOptions::schema`, or call `PostgresStore::migrate` as another \
                 role that may"
            ),
        )
    }
}

/// Reads the version of the tables.
fn current(tables: &Tables) -> String {
    tables.qualify("SELECT coalesce(max(version), 0) FROM @.carafe_schema")
}

/// Runs all missing migrations. Of several processes at once, one does it. The text is sent as one
/// query, so it is one transaction.
fn all(tables: &Tables, has_schema: bool) -> String {
    // After the wait for the lock, another process' work has to be visible.
    let mut sql = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n\
         SELECT pg_advisory_xact_lock(7309940738225008995);\n"
        .to_owned();
    if !has_schema {
        sql += "CREATE SCHEMA IF NOT EXISTS @;\n";
    }
    sql += "CREATE TABLE IF NOT EXISTS @.carafe_schema (version int PRIMARY KEY);\n";
    for (version, migration) in (1..).zip(MIGRATIONS) {
        // Writing to a string can't fail.
        let _ = write!(
            sql,
            "DO $carafe_migration$ BEGIN\n\
             IF NOT EXISTS (SELECT FROM @.carafe_schema WHERE version = {version}) THEN\n\
             {migration}\n\
             INSERT INTO @.carafe_schema VALUES ({version});\n\
             END IF;\nEND $carafe_migration$;\n"
        );
    }
    tables.qualify(&sql)
}
