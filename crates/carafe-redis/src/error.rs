use carafe::store::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError};

use crate::verdict::{Effect, code, verdict};

/// A command that failed, by the known effect.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The command was not sent.
    NotSent(RedisError),
    /// The server answered with an error: the command had no effect.
    Refused(RedisError),
    /// The command was sent, and there was no answer, or one that tells nothing.
    Lost(RedisError),
    /// The command was not sent, since the store doesn't use such a server.
    Unfit(StoreError),
}

impl Failure {
    /// Returns the error of a command that only reads.
    pub(crate) fn read(self) -> StoreError {
        self.into_error(StoreErrorKind::Unavailable)
    }

    /// Returns the error of a command that writes.
    pub(crate) fn write(self) -> StoreError {
        self.into_error(StoreErrorKind::Uncertain)
    }

    /// Returns the code of the server's answer.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::NotSent(error) | Self::Refused(error) | Self::Lost(error) => code(error),
            Self::Unfit(_) => None,
        }
    }

    fn into_error(self, lost: StoreErrorKind) -> StoreError {
        match &self {
            Self::NotSent(error) => StoreError::new(
                StoreErrorKind::Unavailable,
                format!(
                    "can't connect to Redis: {}; does it run, and is its URL right?",
                    reason(error)
                ),
            ),
            Self::Refused(error) => StoreError::new(
                refusal(error),
                format!("Redis refused a command: {}", reason(error)),
            ),
            Self::Lost(error) => {
                StoreError::new(lost, format!("Redis did not answer a command: {}", reason(error)))
            }
            Self::Unfit(error) => error.clone(),
        }
    }
}

/// An answer that isn't of the form that the command has.
pub(crate) fn corrupt(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Corrupt,
        format!("{what} in Redis can't be read: was it written by something else?"),
    )
}

fn refusal(error: &RedisError) -> StoreErrorKind {
    match verdict(error).effect {
        Effect::NotDone(kind) => kind,
        Effect::Unknown => StoreErrorKind::Uncertain,
    }
}

/// Returns a description of an error that may be shown. The server's own texts may repeat a
/// command's arguments, with keys and even the password, so only the meaning of the code is told.
fn reason(error: &RedisError) -> String {
    if error.is_connection_refusal() {
        return "the connection was refused".to_owned();
    }
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    match error.kind() {
        ErrorKind::Io => error.to_string(),
        ErrorKind::RESP3NotSupported => "it is older than Redis 6".to_owned(),
        ErrorKind::AuthenticationFailed => "it knows no such user, or another password".to_owned(),
        ErrorKind::Server(_) | ErrorKind::Extension => match refused_command(error) {
            Some(name) => format!("{} The command is {name}.", verdict(error).reason),
            None => verdict(error).reason.to_owned(),
        },
        _ => error.category().to_owned(),
    }
}

/// The name of the command that the server's user may not run, if the server says so.
fn refused_command(error: &RedisError) -> Option<&str> {
    if code(error)? != "NOPERM" {
        return None;
    }
    let (_, rest) = error.detail()?.split_once(" run the '")?;
    let (name, _) = rest.split_once('\'')?;
    name.bytes().all(|byte| byte.is_ascii_lowercase() || b"|-".contains(&byte)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> RedisError {
        redis::parse_redis_value(format!("-{text}\r\n").as_bytes())
            .unwrap()
            .extract_error()
            .unwrap_err()
    }

    #[test]
    fn the_server_s_text_is_not_told() {
        let text = "ERR unknown command 'HELLO', with args beginning with: 'AUTH' 'pa55'";
        for failure in [Failure::NotSent, Failure::Refused, Failure::Lost] {
            let error = failure(server(text)).write();
            assert!(!format!("{error} {error:?}").contains("pa55"), "{error}");
        }
    }

    #[test]
    fn only_a_lost_answer_leaves_a_write_uncertain() {
        use std::io::ErrorKind::{ConnectionRefused, UnexpectedEof};
        let io = |kind| RedisError::from(std::io::Error::from(kind));
        let kind = |failure: Failure| failure.write().kind();
        assert_eq!(kind(Failure::NotSent(io(ConnectionRefused))), StoreErrorKind::Unavailable);
        assert_eq!(kind(Failure::Lost(io(UnexpectedEof))), StoreErrorKind::Uncertain);
        assert_eq!(Failure::Lost(io(UnexpectedEof)).read().kind(), StoreErrorKind::Unavailable);
        assert_eq!(kind(Failure::Refused(server("LOADING x"))), StoreErrorKind::Unavailable);
        assert_eq!(kind(Failure::Refused(server("OOM x"))), StoreErrorKind::Full);
        assert_eq!(kind(Failure::Refused(server("WRONGTYPE x"))), StoreErrorKind::Corrupt);
    }
}
