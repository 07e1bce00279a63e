//! Failures of statements, and their messages.

use std::error::Error as _;

use carafe::store::{StoreError, StoreErrorKind};

use crate::greeting::Refusal;
use crate::sqlstate::{Statement, Verdict};

/// A statement that failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The statement was not sent.
    NotSent(StoreError),
    /// The statement was sent.
    Sent { verdict: Verdict, reason: String, is_denied: bool },
}

impl Failure {
    /// Returns the failure of a statement that was sent, by an error of the client.
    pub(crate) fn of(error: &tokio_postgres::Error) -> Self {
        let code = error.as_db_error();
        Self::Sent {
            verdict: code.map_or(Verdict::LOST, Verdict::of),
            reason: reason(error),
            is_denied: code.is_some_and(|error| error.code().code() == "42501"),
        }
    }

    /// Returns the failure of a statement that had no answer in its time.
    pub(crate) fn lost(reason: String) -> Self {
        Self::Sent { verdict: Verdict::LOST, reason, is_denied: false }
    }

    /// Returns the failure of a statement that was only prepared: it was not run.
    pub(crate) fn not_run(self) -> Self {
        match self {
            Self::Sent { verdict, reason, is_denied } => {
                let verdict = Verdict { statement: Statement::NotDone, ..verdict };
                Self::Sent { verdict, reason, is_denied }
            }
            not_sent => not_sent,
        }
    }

    /// Whether the role lacks a right.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Sent { is_denied: true, .. })
    }

    /// Returns the error of a statement that only reads.
    pub(crate) fn read(self) -> StoreError {
        self.into_error(StoreErrorKind::Unavailable)
    }

    /// Returns the error of a statement that writes.
    pub(crate) fn write(self) -> StoreError {
        self.into_error(StoreErrorKind::Uncertain)
    }

    fn into_error(self, unknown: StoreErrorKind) -> StoreError {
        let (kind, message) = match self {
            Self::NotSent(error) => return error,
            Self::Sent { verdict, reason, .. } => match verdict.statement {
                Statement::NotDone => (verdict.kind, format!("PostgreSQL refused: {reason}")),
                Statement::Unknown => {
                    (unknown, format!("PostgreSQL did not answer a statement: {reason}"))
                }
            },
        };
        StoreError::new(kind, message)
    }
}

/// Returns the error of an attempt to connect.
pub(crate) fn cannot_connect(reason: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        format!("can't connect to PostgreSQL: {reason}; does it run, and is its URL right?"),
    )
}

/// Returns the error of a row in a form that the store doesn't write.
pub(crate) fn corrupt() -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        "a row in PostgreSQL can't be read: was it written by something else?",
    )
}

/// Returns the remedy for a certificate that is not trusted.
#[cfg(feature = "tls")]
fn certificate_hint(error: &std::io::Error) -> &'static str {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            " (`root_certificate` or `?sslrootcert=FILE` names an authority to trust; \
             `?sslmode=disable` goes without TLS)"
        }
        _ => "",
    }
}

#[cfg(not(feature = "tls"))]
fn certificate_hint(_: &std::io::Error) -> &'static str {
    ""
}

/// Returns a description of an error that may be shown. The server's own texts may hold values, so
/// only the code is shown.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    let Some(db) = error.as_db_error() else {
        return match error.source().and_then(|source| source.downcast_ref::<std::io::Error>()) {
            Some(source) => match Refusal::of(source) {
                Some(refusal) => refusal.to_string(),
                None => format!("{error}: {source}{}", certificate_hint(source)),
            },
            None => error.to_string(),
        };
    };
    let code = db.code().code();
    match Verdict::remedy(code) {
        "" => format!("SQLSTATE {code}"),
        remedy => format!("SQLSTATE {code}, {remedy}"),
    }
}
