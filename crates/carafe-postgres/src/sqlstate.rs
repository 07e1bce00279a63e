//! The meaning of PostgreSQL's errors for the statement, and for its connection.
//!
//! The rules, from the special to the general:
//!
//! 1. An error of the severity `ERROR` undid its statement.
//! 2. `FATAL` and `PANIC` end the connection, perhaps after the statement was committed.
//! 3. The table has what is known beyond that: by code, then by class (the first two characters).
//!
//! A statement that was done is answered without an error, so that the table has no such row.

use carafe::store::StoreErrorKind::{self, Corrupt, Full, Unavailable};
use tokio_postgres::error::{DbError, Severity};

use self::Connection::{Dead, Good, Suspect};
use self::Statement::{NotDone, Unknown};

/// The known effect of a statement that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// The statement had no effect.
    NotDone,
    /// The statement may have been done or not.
    Unknown,
}

/// The known state of the connection on which a statement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The next statement may use it.
    Good,
    /// The connection is closed, together with all connections that were idle when the statement was
    /// sent: the same cause may have ended them.
    Dead,
    /// Its state is unfit for this store's statements. It is closed, and so is every connection that
    /// was opened before the error: they may be in the same state.
    Suspect,
}

/// The meaning of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) statement: Statement,
    pub(crate) connection: Connection,
    pub(crate) kind: StoreErrorKind,
    /// Whether the statement lost against another one, and may be sent again at once.
    pub(crate) is_conflict: bool,
    /// The cause and the remedy.
    pub(crate) remedy: &'static str,
}

type Row = (&'static str, Statement, Connection, StoreErrorKind, &'static str);

/// Codes of five characters, and classes of two.
const TABLE: &[Row] = &[
    // Connections.
    ("08", Unknown, Dead, Unavailable, "the connection broke"),
    ("08001", NotDone, Dead, Unavailable, "a pooler can't reach the server"),
    ("08004", NotDone, Dead, Unavailable, "the server turns connections away"),
    ("08P01", Unknown, Dead, Unavailable, "the server or a pooler has ended the connection"),
    ("28", NotDone, Dead, Unavailable, "the role may not log in: see pg_hba.conf"),
    ("28P01", NotDone, Dead, Unavailable, "the password is wrong"),
    ("3D000", NotDone, Dead, Unavailable, "there is no such database"),
    // The state of the database session, and of its siblings with it.
    ("25", NotDone, Suspect, Unavailable, "the session is in a state that it shouldn't be in"),
    (
        "25006",
        NotDone,
        Suspect,
        Unavailable,
        "the database is read-only: a standby, or \
        `default_transaction_read_only` is on",
    ),
    ("25P03", NotDone, Dead, Unavailable, "the session was idle for too long"),
    (
        "0A000",
        NotDone,
        Suspect,
        Unavailable,
        "a table was changed under remembered statements, or \
        the server lacks what the statement needs",
    ),
    (
        "26000",
        NotDone,
        Suspect,
        Unavailable,
        "the server has forgotten a remembered statement: a \
        pooler in between needs `prepared_statements(false)`",
    ),
    (
        "42P05",
        NotDone,
        Suspect,
        Unavailable,
        "the server remembers a statement of another client: a \
        pooler in between needs `prepared_statements(false)`",
    ),
    // Conflicts with other transactions.
    ("40", NotDone, Good, Unavailable, "another transaction was in the way"),
    ("40001", NotDone, Good, Unavailable, "it met other writes over and over"),
    ("40003", Unknown, Dead, Unavailable, "the outcome of a transaction is not known"),
    ("40P01", NotDone, Good, Unavailable, "it met locks of others over and over"),
    ("55P03", NotDone, Good, Unavailable, "a lock was held for longer than `lock_timeout`"),
    (
        "57014",
        NotDone,
        Good,
        Unavailable,
        "it took longer than `statement_timeout`, or was \
        cancelled",
    ),
    // Rights and tables.
    ("3F000", NotDone, Good, Unavailable, "the schema is missing: see `PostgresStore::migrate`"),
    (
        "42501",
        NotDone,
        Good,
        Unavailable,
        "the role lacks a right: it needs USAGE on the schema, and \
        SELECT, INSERT, UPDATE and DELETE on Carafe's tables",
    ),
    ("42703", NotDone, Good, Unavailable, "a column is missing: see `PostgresStore::migrate`"),
    ("42P01", NotDone, Good, Unavailable, "a table is missing: see `PostgresStore::migrate`"),
    // Resources.
    ("53", NotDone, Good, Unavailable, "the server lacks resources"),
    ("53100", NotDone, Good, Full, "the server's disk is full"),
    ("53200", NotDone, Good, Unavailable, "the server is out of memory"),
    (
        "53300",
        NotDone,
        Dead,
        Unavailable,
        "there are too many connections: see `max_connections`, \
        and the limits of the role and the database",
    ),
    ("58030", NotDone, Good, Unavailable, "the server can't read or write a file"),
    // The server's operators.
    (
        "57P01",
        Unknown,
        Dead,
        Unavailable,
        "the server is stopping, or an administrator has ended \
        the connection",
    ),
    ("57P02", Unknown, Dead, Unavailable, "the server has crashed"),
    ("57P03", NotDone, Dead, Unavailable, "the server is starting or stopping"),
    ("57P04", Unknown, Dead, Unavailable, "the database was dropped"),
    (
        "57P05",
        NotDone,
        Dead,
        Unavailable,
        "the session was idle for longer than \
        `idle_session_timeout`",
    ),
    // Faults.
    ("XX", NotDone, Dead, Unavailable, "the server has an internal error"),
    ("XX001", NotDone, Good, Corrupt, "a table is damaged"),
    ("XX002", NotDone, Good, Corrupt, "an index is damaged: see REINDEX"),
];

/// Codes that say that another transaction came first. The statement had no effect, and may
/// succeed at once.
const CONFLICTS: [&str; 2] = ["40001", "40P01"];

/// Codes with which a server ends an idle session: it never reads the statement that was on its way.
const ENDED_WHILE_IDLE: [&str; 2] = ["25P03", "57P05"];

impl Verdict {
    /// Returns the meaning of the server's error.
    pub(crate) fn of(error: &DbError) -> Self {
        Self::new(error.code().code(), error.parsed_severity() == Some(Severity::Error))
    }

    /// The verdict without an error from the server: there was no answer, or a broken one.
    pub(crate) const LOST: Self = Self {
        statement: Unknown,
        connection: Dead,
        kind: Unavailable,
        is_conflict: false,
        remedy: "",
    };

    fn new(code: &str, is_survived: bool) -> Self {
        let class = code.get(..2).unwrap_or_default();
        let row = |wanted: &str| TABLE.iter().find(|row| row.0 == wanted);
        let other = (class, NotDone, Good, Unavailable, "");
        let &(_, statement, connection, kind, remedy) =
            row(code).or_else(|| row(class)).unwrap_or(&other);
        let is_conflict = is_survived && CONFLICTS.contains(&code);
        let (statement, connection) = match connection {
            _ if is_survived => (statement, connection),
            _ if ENDED_WHILE_IDLE.contains(&code) => (NotDone, Dead),
            Good => (Unknown, Dead),
            ended => (Unknown, ended),
        };
        Self { statement, connection, kind, is_conflict, remedy }
    }

    /// Whether the statement may be sent again: it had no effect, and either lost against another
    /// one, or met a connection that was older than the request.
    pub(crate) fn may_be_sent_again(self, was_older: bool) -> bool {
        self.statement == NotDone && (self.is_conflict || (was_older && self.connection != Good))
    }

    /// Whether the server or a pooler has no room for another connection, while the open ones go
    /// on. PgBouncer reports it as a protocol error.
    pub(crate) fn is_full(code: &str) -> bool {
        code.starts_with("53") || code == "08P01"
    }

    /// Returns the cause and the remedy of a code.
    pub(crate) fn remedy(code: &str) -> &'static str {
        Self::new(code, true).remedy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns: the code, whether the connection survives it, the effect on the statement, and
    /// the state of the connection.
    #[test]
    fn each_code_says_what_became_of_the_statement_and_of_the_connection() {
        for (code, is_survived, statement, connection) in [
            // Another transaction came first.
            ("40001", true, NotDone, Good),
            ("40P01", true, NotDone, Good),
            ("40002", true, NotDone, Good),
            ("40003", true, Unknown, Dead),
            // Read-only, or left in a transaction.
            ("25006", true, NotDone, Suspect),
            ("25P02", true, NotDone, Suspect),
            ("25001", true, NotDone, Suspect),
            // Remembered statements that no longer fit.
            ("0A000", true, NotDone, Suspect),
            ("26000", true, NotDone, Suspect),
            ("42P05", true, NotDone, Suspect),
            // The statement alone is at fault.
            ("42P01", true, NotDone, Good),
            ("42501", true, NotDone, Good),
            ("22021", true, NotDone, Good),
            ("23505", true, NotDone, Good),
            ("53100", true, NotDone, Good),
            ("53200", true, NotDone, Good),
            ("55P03", true, NotDone, Good),
            ("57014", true, NotDone, Good),
            ("XX000", true, NotDone, Dead),
            ("XX001", true, NotDone, Good),
            // A code that no version has.
            ("Z9999", true, NotDone, Good),
            ("", true, NotDone, Good),
            ("é", true, NotDone, Good),
            // The connection is over, perhaps after the commit.
            ("57P01", false, Unknown, Dead),
            ("57P02", false, Unknown, Dead),
            ("08006", false, Unknown, Dead),
            ("08P01", false, Unknown, Dead),
            ("53200", false, Unknown, Dead),
            ("40001", false, Unknown, Dead),
            ("25006", false, Unknown, Suspect),
            ("XX000", false, Unknown, Dead),
            ("Z9999", false, Unknown, Dead),
            // The connection was over before the statement came.
            ("57P05", false, NotDone, Dead),
            ("25P03", false, NotDone, Dead),
        ] {
            let verdict = Verdict::new(code, is_survived);
            let known = (verdict.statement, verdict.connection);
            assert_eq!(known, (statement, connection), "{code} {is_survived}");
        }
    }

    #[test]
    fn only_conflicts_that_had_no_effect_are_sent_again() {
        assert!(Verdict::new("40001", true).is_conflict && Verdict::new("40P01", true).is_conflict);
        for (code, is_survived) in [("40001", false), ("40003", true), ("23505", true)] {
            assert!(!Verdict::new(code, is_survived).is_conflict, "{code}");
        }
    }

    #[test]
    fn what_is_full_is_told_from_what_is_away() {
        for code in ["53300", "53400", "08P01"] {
            assert!(Verdict::is_full(code), "{code}");
        }
        for code in ["57P03", "28P01", "08006", "3D000"] {
            assert!(!Verdict::is_full(code), "{code}");
        }
    }

    #[test]
    fn no_code_is_in_the_table_twice() {
        for (at, row) in TABLE.iter().enumerate() {
            assert!(TABLE.iter().skip(at + 1).all(|other| other.0 != row.0), "{}", row.0);
        }
    }
}
