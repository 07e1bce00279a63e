use carafe::store::{StoreError, StoreErrorKind};
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// A command that failed, by what is known of its effect.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It never left.
    NotSent(RedisError),
    /// The server answered with an error: it had no effect.
    Refused(RedisError),
    /// It was sent, and there was no answer.
    Lost(RedisError),
}

impl Failure {
    /// The error of a command that changes nothing.
    pub(crate) fn read(self) -> StoreError {
        self.into_error(StoreErrorKind::Unavailable)
    }

    /// The error of a command that changes something.
    pub(crate) fn write(self) -> StoreError {
        self.into_error(StoreErrorKind::Uncertain)
    }

    pub(crate) fn error(&self) -> &RedisError {
        match self {
            Self::NotSent(error) | Self::Refused(error) | Self::Lost(error) => error,
        }
    }

    fn into_error(self, lost: StoreErrorKind) -> StoreError {
        let reason = reason(self.error());
        match &self {
            Self::NotSent(_) => StoreError::new(
                StoreErrorKind::Unavailable,
                format!("can't connect to Redis: {reason}; does it run, and is its URL right?"),
            ),
            Self::Refused(error) => {
                StoreError::new(refusal(error), format!("Redis refused a command: {reason}"))
            }
            Self::Lost(_) => {
                StoreError::new(lost, format!("Redis did not answer a command: {reason}"))
            }
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
    match error.code() {
        Some("OOM") => StoreErrorKind::Full,
        Some("WRONGTYPE") => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    }
}

/// What may be told of an error. The server's own texts may repeat a command's arguments, with keys
/// and even the password: only the error's code is told.
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
        ErrorKind::Server(ServerErrorKind::NoPerm) => {
            "NOPERM: its user may not run this command, or not on these keys".to_owned()
        }
        ErrorKind::Server(_) | ErrorKind::Extension => match error.code() {
            Some("OOM") => "OOM: it has reached its `maxmemory`".to_owned(),
            Some(code) => code.to_owned(),
            None => error.category().to_owned(),
        },
        _ => error.category().to_owned(),
    }
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
