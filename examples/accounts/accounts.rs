//! The accounts, in SQLite.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::failure::Failure;
use crate::passwords::{self, Passwords};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL, -- an Argon2 hash
        created INTEGER NOT NULL DEFAULT (unixepoch())
    ) STRICT;
";

/// A user's account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// The stamp of the account's password: another password has another stamp.
    pub(crate) stamp: String,
}

/// All accounts. Clones are handles of the same.
#[derive(Clone)]
pub(crate) struct Accounts {
    connection: Arc<Mutex<Connection>>,
    passwords: Passwords,
}

impl Accounts {
    /// The accounts of a database, or new ones that end with the process.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => {
                tracing::warn!(
                    "accounts are kept in memory; `--database FILE` keeps them for longer"
                );
                Connection::open_in_memory()?
            }
        };
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), passwords: Passwords::new()? })
    }

    /// Makes an account; `None` if the name is taken.
    pub(crate) async fn register(
        &self,
        name: String,
        password: String,
    ) -> Result<Option<Account>, Failure> {
        let hash = self.passwords.hash(password).await?;
        let stamp = passwords::stamp(&hash);
        self.query(move |connection| {
            let added = connection.execute(
                "INSERT INTO accounts (name, password) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![name, hash],
            )?;
            let id = connection.last_insert_rowid();
            Ok((added == 1).then_some(Account { id, name, stamp }))
        })
        .await
    }

    /// The account of this name and password. An unknown name takes as long as a wrong password, so
    /// that the time doesn't tell which names there are.
    pub(crate) async fn authenticate(
        &self,
        name: String,
        password: String,
    ) -> Result<Option<Account>, Failure> {
        let found = self
            .query(move |connection| {
                let sql = "SELECT id, name, password FROM accounts WHERE name = ?1";
                let row = connection.query_row(sql, [name], |row| {
                    let hash: String = row.get(2)?;
                    Ok((account(row)?, hash))
                });
                row.optional()
            })
            .await?;
        let (account, hash) = found.unzip();
        let good = self.passwords.verify(password, hash).await?;
        Ok(account.filter(|_| good))
    }

    /// The account of an id, if there (still) is one.
    pub(crate) async fn find(&self, id: i64) -> Result<Option<Account>, Failure> {
        self.query(move |connection| {
            let sql = "SELECT id, name, password FROM accounts WHERE id = ?1";
            connection.query_row(sql, [id], account).optional()
        })
        .await
    }

    /// Gives an account a new password. Sessions that were begun with the old one count no more.
    pub(crate) async fn set_password(
        &self,
        account: Account,
        password: String,
    ) -> Result<Account, Failure> {
        let hash = self.passwords.hash(password).await?;
        let stamp = passwords::stamp(&hash);
        let id = account.id;
        self.query(move |connection| {
            let sql = "UPDATE accounts SET password = ?2 WHERE id = ?1";
            connection.execute(sql, params![id, hash]).map(drop)
        })
        .await?;
        Ok(Account { stamp, ..account })
    }

    /// Asks the database, on a thread that may wait.
    async fn query<R: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    ) -> Result<R, Failure> {
        let connection = Arc::clone(&self.connection);
        let result = tokio::task::spawn_blocking(move || {
            query(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(result.await??)
    }
}

/// The account in a row of its id, name and password.
fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let hash: String = row.get(2)?;
    Ok(Account { id: row.get(0)?, name: row.get(1)?, stamp: passwords::stamp(&hash) })
}
