use std::error::Error as _;

use carafe::store::{StoreError, StoreErrorKind};
use tokio_postgres::error::{Severity, SqlState};

/// A statement that failed, by what is known of its effect.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It never left.
    NotSent(StoreError),
    /// The server answered with an error: it had no effect.
    Refused(StoreError),
    /// It was sent, and there was no answer.
    Lost(String),
}

impl Failure {
    /// Sorts the error of a statement that was sent.
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        let reason = reason(error);
        match error.as_db_error() {
            // Anything worse than an error ends the connection, perhaps after the commit.
            Some(db) if db.parsed_severity() == Some(Severity::Error) => Self::Refused(
                StoreError::new(refusal(db.code()), format!("PostgreSQL refused: {reason}")),
            ),
            _ => Self::Lost(reason),
        }
    }

    /// The error of a statement that changes nothing.
    pub(crate) fn read(self) -> StoreError {
        self.into_error(StoreErrorKind::Unavailable)
    }

    /// The error of a statement that changes something.
    pub(crate) fn write(self) -> StoreError {
        self.into_error(StoreErrorKind::Uncertain)
    }

    fn into_error(self, lost: StoreErrorKind) -> StoreError {
        match self {
            Self::NotSent(error) | Self::Refused(error) => error,
            Self::Lost(reason) => {
                StoreError::new(lost, format!("PostgreSQL did not answer a statement: {reason}"))
            }
        }
    }
}

/// The error of an attempt to connect.
pub(crate) fn cannot_connect(reason: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        format!("can't connect to PostgreSQL: {reason}; does it run, and is its URL right?"),
    )
}

/// The error of something that changes nothing, and had no answer.
pub(crate) fn no_answer(reason: &str) -> StoreError {
    Failure::Lost(reason.to_owned()).read()
}

/// A row that isn't of the form that the store writes.
pub(crate) fn corrupt() -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        "a row in PostgreSQL can't be read: was it written by something else?",
    )
}

fn refusal(code: &SqlState) -> StoreErrorKind {
    match *code {
        SqlState::DISK_FULL => StoreErrorKind::Full,
        _ => StoreErrorKind::Unavailable,
    }
}

/// What to do about a certificate that is not trusted.
#[cfg(feature = "tls")]
fn certificate_hint(source: &(dyn std::error::Error + 'static)) -> &'static str {
    let inner = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match inner.and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            " (`root_certificate` names an authority to trust; `?sslmode=disable` goes without TLS)"
        }
        _ => "",
    }
}

#[cfg(not(feature = "tls"))]
fn certificate_hint(_: &(dyn std::error::Error + 'static)) -> &'static str {
    ""
}

/// What may be told of an error. The server's own texts may hold values: only the code is told.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        return match error.source() {
            Some(source) if source.is::<std::io::Error>() => {
                format!("{error}: {source}{}", certificate_hint(source))
            }
            _ => error.to_string(),
        };
    };
    let hint = match *db.code() {
        SqlState::UNDEFINED_TABLE => ", a table is missing: see `PostgresStore::migrate`",
        SqlState::INSUFFICIENT_PRIVILEGE => ", the user may not do this",
        SqlState::INVALID_PASSWORD => ", the password is wrong",
        SqlState::INVALID_CATALOG_NAME => ", there is no such database",
        SqlState::TOO_MANY_CONNECTIONS => ", it has too many connections",
        SqlState::DISK_FULL => ", its disk is full",
        SqlState::CANNOT_CONNECT_NOW => ", it is starting or stopping",
        SqlState::READ_ONLY_SQL_TRANSACTION => ", it is a standby",
        _ => "",
    };
    format!("SQLSTATE {}{hint}", db.code().code())
}
