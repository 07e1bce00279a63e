//! What is worth a line in the log. No event contains a key, a cookie or a value.

use http::HeaderValue;

use crate::store::StoreError;
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

/// A layer's cookie lacks attributes that protect it.
pub(crate) fn lax_cookie(name: &str, lacking: &str) {
    tracing::warn!(
        target: "carafe",
        event = "session.lax_cookie",
        cookie = name,
        lacking,
        "the session's cookie lacks what protects it, as Flask's does by default: set \
         SESSION_COOKIE_SECURE, and SESSION_COOKIE_SAMESITE to Lax"
    );
}

/// A request was refused, since it may come from another site. The origin is what it says itself.
pub(crate) fn csrf_refused(error: &Error, origin: Option<&HeaderValue>) {
    tracing::warn!(target: "carafe", event = "csrf.refused", ?origin, reason = %error);
}

/// A session could not be opened or saved, or a handler used it wrongly.
pub(crate) fn failed(error: &Error) {
    if error.kind() == ErrorKind::LoginRequired {
        let event = "session.login_required";
        tracing::debug!(target: "carafe", event, "nobody is logged in, and the route is for users");
        return;
    }
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

/// A call of the store failed.
pub(crate) fn store_failed(error: &StoreError) {
    tracing::error!(target: "carafe", event = "store.failed", kind = ?error.kind(), "{error}");
}

/// A session was stored for the first time.
pub(crate) fn created() {
    tracing::debug!(target: "carafe", event = "session.created", "a session was created");
}

/// A cookie names a session that isn't there (any more).
pub(crate) fn unknown() {
    tracing::debug!(target: "carafe", event = "session.unknown", "the session is not in the store");
}

/// A session has ended by its times.
pub(crate) fn expired() {
    tracing::debug!(target: "carafe", event = "session.expired", "the session has expired");
}

/// A session got a new id.
pub(crate) fn rotated(periodic: bool) {
    tracing::debug!(
        target: "carafe",
        event = if periodic { "session.renewed" } else { "session.rotated" },
        "the session has a new id"
    );
}

/// A session was ended by its user.
pub(crate) fn logged_out() {
    tracing::debug!(target: "carafe", event = "session.logged_out", "the session was ended");
}

/// A commit met another process's and is tried again.
pub(crate) fn retried() {
    tracing::trace!(target: "carafe", event = "session.retried", "another commit came first");
}

/// A request wrote a key that it had read before another request changed it.
pub(crate) fn overwrote() {
    tracing::warn!(
        target: "carafe",
        event = "session.conflict",
        "a request wrote a key that another one had changed since it was read; `update` would have \
         kept both changes"
    );
}

/// A cookie's session was ended before.
pub(crate) fn revoked() {
    tracing::warn!(
        target: "carafe",
        event = "session.revoked",
        "the cookie of a session that was ended came again"
    );
}
