//! The texts of the statements, with the names of one service's tables.

use carafe::store::{StoreError, StoreErrorKind};
use rusqlite::{CachedStatement, Connection, Result};

/// A connection, and the statements that are run on it.
#[derive(Clone, Copy)]
pub(crate) struct Db<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) sql: &'a Sql,
}

impl<'a> Db<'a> {
    pub(crate) fn prepare(&self, statement: Statement) -> Result<CachedStatement<'a>> {
        self.connection.prepare_cached(&self.sql.texts[statement as usize])
    }
}

/// All texts, by their number in [`Statement`].
#[derive(Debug)]
pub(crate) struct Sql {
    prefix: String,
    texts: Box<[String]>,
}

impl Sql {
    /// # Errors
    /// [`StoreErrorKind::Unavailable`] if tables can't have this prefix.
    pub(crate) fn new(prefix: &str) -> std::result::Result<Self, StoreError> {
        let fits =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if prefix.len() > 64 || !prefix.bytes().all(fits) {
            return Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the prefix of SQLite's tables may have up to 64 lower-case letters, digits and any \
                 of `-_.`",
            ));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}:") };
        let mut sql = Self { prefix, texts: Box::default() };
        sql.texts = TEXTS.iter().map(|text| sql.with_names(text)).collect();
        Ok(sql)
    }

    /// A text in which `%` stands before the names of tables and indexes.
    pub(crate) fn with_names(&self, text: &str) -> String {
        text.replace('%', &self.prefix)
    }
}

macro_rules! statements {
    ($($name:ident $text:literal)*) => {
        /// Each statement.
        #[derive(Clone, Copy)]
        pub(crate) enum Statement {
            $($name,)*
        }

        const TEXTS: &[&str] = &[$($text,)*];
    };
}

statements! {
    Create
        r#"INSERT INTO "%session" (id, version, user, ends, record) VALUES (?1, 1, ?2, ?3, ?4)
           ON CONFLICT (id) DO NOTHING"#
    Load
        r#"SELECT version, record FROM "%session" WHERE id = ?1"#
    Update
        r#"UPDATE "%session" SET version = ?3, user = ?4, ends = ?5, record = ?6
           WHERE id = ?1 AND version = ?2"#
    Delete
        r#"DELETE FROM "%session" WHERE id = ?1"#
    DeleteVersion
        r#"DELETE FROM "%session" WHERE id = ?1 AND version = ?2"#
    Exists
        r#"SELECT 1 FROM "%session" WHERE id = ?1"#
    ListForUser
        r#"SELECT id, version, record FROM "%session" WHERE user = ?1 AND ends > ?2"#
    Page
        r#"SELECT id, version, record FROM "%session" WHERE id > ?1 ORDER BY id LIMIT ?2"#
    DeleteForUser
        // In the record's binary form the public id follows the first byte.
        r#"DELETE FROM "%session" WHERE user = ?1 AND substr(record, 2, 16) IS NOT ?2"#
    Newest
        r#"SELECT record FROM "%session" ORDER BY number DESC LIMIT 1"#
    SweepClock
        r#"SELECT trusted, doubted FROM "%sweep_clock""#
    SetSweepClock
        r#"INSERT OR REPLACE INTO "%sweep_clock" (number, trusted, doubted) VALUES (1, ?1, ?2)"#
    NoteTime
        r#"INSERT OR IGNORE INTO "%sweep_clock" (number, trusted) VALUES (1, ?1)"#
    SweepSessions
        r#"DELETE FROM "%session" WHERE number IN
           (SELECT number FROM "%session" WHERE ends <= ?1 ORDER BY ends LIMIT ?2)"#
    SweepRevokedSessions
        r#"DELETE FROM "%revoked_session" WHERE id IN
           (SELECT id FROM "%revoked_session" WHERE until <= ?1 ORDER BY until LIMIT ?2)"#
    SweepRevokedUsers
        r#"DELETE FROM "%revoked_user" WHERE user IN
           (SELECT user FROM "%revoked_user" WHERE until <= ?1 ORDER BY until LIMIT ?2)"#
    Revoke
        r#"INSERT INTO "%revoked_session" (id, until) VALUES (?1, ?2)
           ON CONFLICT (id) DO UPDATE SET until = max(until, excluded.until)"#
    RevokeUser
        r#"INSERT INTO "%revoked_user" (user, not_before, until) VALUES (?1, ?2, ?3)
           ON CONFLICT (user) DO UPDATE SET
               not_before = max(not_before, excluded.not_before),
               until = max(until, excluded.until)"#
    Revocations
        r#"SELECT EXISTS (SELECT 1 FROM "%revoked_session" WHERE id = ?1 AND until > ?3),
                  (SELECT not_before FROM "%revoked_user" WHERE user = ?2 AND until > ?3)"#
}
