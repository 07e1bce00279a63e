//! What is worth a line in the log. No event contains a key, a cookie or a value.

use crate::{Error, ErrorKind};

/// A cookie that came was not accepted.
pub(crate) fn refused(error: &Error) {
    if error.kind() == ErrorKind::BadPayload {
        tracing::warn!(
            target: "carafe",
            event = "session.unreadable",
            reason = %error,
            "the session's cookie is removed: its signature is good, but nobody can read it"
        );
    } else {
        tracing::debug!(
            target: "carafe",
            event = "session.refused",
            kind = ?error.kind(),
            reason = %error,
            "the session starts empty"
        );
    }
}

/// A request carried several cookies of the session's name.
pub(crate) fn duplicate_cookie(name: &str) {
    tracing::warn!(
        target: "carafe",
        event = "session.duplicate_cookie",
        cookie = name,
        "the request has several cookies of the session's name; the first counts"
    );
}

/// A cookie exceeds Flask's `MAX_COOKIE_SIZE`.
pub(crate) fn large_cookie(name: &str, size: usize, limit: usize) {
    tracing::warn!(
        target: "carafe",
        event = "session.large_cookie",
        cookie = name,
        size,
        limit,
        "the session's Set-Cookie header is larger than MAX_COOKIE_SIZE; browsers may ignore it"
    );
}

/// A layer works with a key that isn't safe.
pub(crate) fn weak_key(finding: &dyn std::fmt::Display) {
    tracing::warn!(
        target: "carafe",
        event = "session.weak_key",
        "{finding}: make another with `carafe keygen` or `openssl rand -hex 32`"
    );
}

/// A session could not be opened or saved, or a handler used it wrongly.
pub(crate) fn failed(error: &Error) {
    tracing::error!(target: "carafe", event = "session.failed", kind = ?error.kind(), "{error}");
}

/// The embedded store has no room.
pub(crate) fn store_full(capacity: usize) {
    tracing::error!(
        target: "carafe",
        event = "store.full",
        capacity,
        "the memory store is full of sessions that users are logged in to; a new one is refused"
    );
}
