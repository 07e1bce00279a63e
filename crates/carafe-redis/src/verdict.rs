//! The meaning of Redis' errors for the command, and for its connection.
//!
//! The first word of an error is its code. A code that isn't in the table comes from a proxy or a
//! later version: then the effects are unknown.

use carafe::store::StoreErrorKind;
use redis::RedisError;

/// The known effect of a command that was answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The command had no effect.
    NotDone(StoreErrorKind),
    /// The command may have been done.
    Unknown,
}

/// The known state of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// The connection serves the next command.
    Good,
    /// The connection is replaced before the next command.
    Suspect,
    /// The connection is replaced, together with all connections to the server that were idle since.
    Dead,
}

/// The meaning of a code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) code: &'static str,
    pub(crate) effect: Effect,
    pub(crate) health: Health,
    /// The reason that the operator is told, after "Redis refused a command".
    pub(crate) reason: &'static str,
}

const fn row(
    code: &'static str,
    kind: StoreErrorKind,
    health: Health,
    reason: &'static str,
) -> Verdict {
    Verdict { code, effect: Effect::NotDone(kind), health, reason }
}

use Health::{Dead, Good, Suspect};
use StoreErrorKind::{Corrupt, Full, Unavailable};

#[rustfmt::skip]
const TABLE: &[Verdict] = &[
    // The key is on another node of the Cluster, or on none.
    row("MOVED", Unavailable, Good, "MOVED: it has become part of a Cluster, whose URL begins with `redis-cluster://`"),
    row("ASK", Unavailable, Good, "ASK: the key is being moved to another node"),
    row("TRYAGAIN", Unavailable, Good, "TRYAGAIN: the key is being moved to another node"),
    row("CLUSTERDOWN", Unavailable, Good, "CLUSTERDOWN: no node of the Cluster has the key, or this one is cut off from the others"),
    // The server's role has changed: its name may lead elsewhere by now.
    row("READONLY", Unavailable, Dead, "READONLY: it has become a replica"),
    row("MASTERDOWN", Unavailable, Dead, "MASTERDOWN: it is a replica that has lost its primary"),
    // The server can't do it now.
    row("LOADING", Unavailable, Good, "LOADING: it has been started, and reads its file"),
    row("BUSY", Unavailable, Good, "BUSY: a script of another client blocks it"),
    row("OOM", Full, Good, "OOM: it has reached its `maxmemory`"),
    row("MISCONF", Unavailable, Good, "MISCONF: it can't save its data to the disk, and takes no writes until it can"),
    row("NOREPLICAS", Unavailable, Good, "NOREPLICAS: it has fewer replicas than `min-replicas-to-write` asks for"),
    // The client lacks the right.
    row("NOAUTH", Unavailable, Suspect, "NOAUTH: it wants a password"),
    row("WRONGPASS", Unavailable, Suspect, "WRONGPASS: it knows no such user, or another password"),
    row("NOPERM", Unavailable, Good, "NOPERM: its user may not run this command, or not on these keys (the guide on stores lists the rights that are needed)"),
    row("DENIED", Unavailable, Suspect, "DENIED: it is in protected mode, and serves its own machine only"),
    row("NOPROTO", Unavailable, Suspect, "NOPROTO: it is older than Redis 6"),
    // The value isn't one that the store has written.
    row("NOSCRIPT", Unavailable, Good, "NOSCRIPT: it forgets scripts as soon as they are loaded"),
    row("WRONGTYPE", Corrupt, Good, "WRONGTYPE: a key holds something that the store has not written"),
    row("ERR", Unavailable, Good, "ERR"),
];

/// The verdict on an unknown code.
const UNKNOWN: Verdict = Verdict {
    code: "",
    effect: Effect::Unknown,
    health: Suspect,
    reason: "an error that is not one of Redis' own: is there a proxy in between?",
};

/// The verdict without an answer. The server may be gone without a word.
const LOST: Verdict =
    Verdict { code: "", effect: Effect::Unknown, health: Dead, reason: "there was no answer" };

/// Returns the meaning of an error.
pub(crate) fn verdict(error: &RedisError) -> &'static Verdict {
    match code(error) {
        None => &LOST,
        Some(code) => TABLE.iter().find(|row| row.code == code).unwrap_or(&UNKNOWN),
    }
}

/// The code of an error: within a script the one that the script's command has failed with, which
/// Redis 6 has in the middle of its text, and Redis 7 leaves out where a right is missing.
pub(crate) fn code(error: &RedisError) -> Option<&str> {
    let code = error.code()?;
    let Some(text) = error.detail().filter(|_| code == "ERR") else { return Some(code) };
    // The texts of Redis 7.0, and of Valkey and later versions.
    if ["The user executing the script can't", "ACL failure in script"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        return Some("NOPERM");
    }
    let Some(text) = text.strip_prefix("Error running script") else { return Some(code) };
    if text.contains(" The user executing the script can't") {
        return Some("NOPERM");
    }
    let words = text.split(": ").filter_map(|part| part.trim_start_matches('-').split(' ').next());
    let is_code = |word: &&str| TABLE.iter().any(|row| row.code == *word);
    Some(words.filter(is_code).last().unwrap_or(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    fn told(text: &str) -> (&'static str, Effect, Health) {
        let told = verdict(&error(text));
        (told.code, told.effect, told.health)
    }

    #[test]
    fn each_code_says_something_of_the_command_and_of_the_connection() {
        let not_done = Effect::NotDone(Unavailable);
        for (text, expected) in [
            ("MOVED 1 :7000", ("MOVED", not_done, Good)),
            ("READONLY You can't write against a read only replica.", ("READONLY", not_done, Dead)),
            ("MASTERDOWN Link with MASTER is down", ("MASTERDOWN", not_done, Dead)),
            ("LOADING Redis is loading the dataset in memory", ("LOADING", not_done, Good)),
            ("OOM command not allowed", ("OOM", Effect::NotDone(Full), Good)),
            ("MISCONF Redis is configured to save RDB", ("MISCONF", not_done, Good)),
            ("NOREPLICAS Not enough good replicas to write.", ("NOREPLICAS", not_done, Good)),
            ("NOAUTH Authentication required.", ("NOAUTH", not_done, Suspect)),
            ("NOPERM this user has no permissions", ("NOPERM", not_done, Good)),
            ("WRONGTYPE Operation against a key", ("WRONGTYPE", Effect::NotDone(Corrupt), Good)),
            ("ERR unknown command", ("ERR", not_done, Good)),
            ("upstream failure", ("", Effect::Unknown, Suspect)),
            ("UNBLOCKED force unblock", ("", Effect::Unknown, Suspect)),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
        let gone = RedisError::from(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        assert_eq!((verdict(&gone).effect, verdict(&gone).health), (Effect::Unknown, Dead));
    }

    #[test]
    fn no_code_is_in_the_table_twice() {
        let mut codes: Vec<_> = TABLE.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), TABLE.len());
    }

    /// The answers of Redis 6.2, Redis 7.0 and Valkey 9.1.
    #[test]
    fn the_error_of_a_script_is_that_of_its_command() {
        let of_6 = |inner| {
            format!(
                "ERR Error running script (call to f_12): @user_script:13: @user_script: 13: {inner}"
            )
        };
        for (text, code) in [
            (of_6("-READONLY You can't write against a read only replica."), "READONLY"),
            (of_6("-OOM command not allowed when used memory > 'maxmemory'."), "OOM"),
            (of_6("-MISCONF Redis is configured to save RDB snapshots: -1"), "MISCONF"),
            (of_6("-NOREPLICAS Not enough good replicas to write."), "NOREPLICAS"),
            (
                "ERR Error running script (call to f_12): @user_script:1: WRONGTYPE Operation \
                 against a key holding the wrong kind of value"
                    .to_owned(),
                "WRONGTYPE",
            ),
            (of_6("The user executing the script can't run this command or subcommand"), "NOPERM"),
            (of_6("attempt to index a nil value"), "ERR"),
            ("ERR The user executing the script can't run this command".to_owned(), "NOPERM"),
            (
                "ERR ACL failure in script: User s has no permissions to run the 'get' command \
                 script: 12, on @user_script:1."
                    .to_owned(),
                "NOPERM",
            ),
            ("READONLY You can't write script: 12, on @user_script:13.".to_owned(), "READONLY"),
        ] {
            assert_eq!(code_of(&text), code, "{text}");
        }
    }

    fn code_of(text: &str) -> String {
        code(&error(text)).unwrap().to_owned()
    }
}
