//! The events of the log and of the metrics. None contains a key, an id, a cookie or a value.
//! `docs/telemetry.md` lists all of them.

use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderValue;

use crate::signing::KeyOrigin;
use crate::store::StoreError;
#[cfg(feature = "metrics")]
use crate::store::StoreErrorKind;
use crate::{Error, ErrorKind, KeyRing, TheftKind};

/// Increments a counter, if metrics are on.
macro_rules! count {
    ($($metric:tt)*) => {
        #[cfg(feature = "metrics")]
        ::metrics::counter!($($metric)*).increment(1);
    };
}

/// Adds a measurement to a histogram, if metrics are on.
macro_rules! record {
    ($value:expr, $($metric:tt)*) => {{
        let _measured: f64 = $value;
        #[cfg(feature = "metrics")]
        ::metrics::histogram!($($metric)*).record(_measured);
    }};
}

/// Makes a span of the level `debug`.
///
/// Without a subscriber no span is made: with the feature `log` of `tracing`, which any crate can
/// turn on, a disabled span still looks for a logger each time it is entered.
macro_rules! span {
    ($name:literal $(, $field:ident)?) => {
        if ::tracing::level_filters::LevelFilter::current() < ::tracing::Level::DEBUG {
            ::tracing::Span::none()
        } else {
            ::tracing::debug_span!(target: "carafe", $name $(, $field)?)
        }
    };
}
pub(crate) use span;

/// Runs code within a span, if a subscriber records the level.
macro_rules! within {
    ($name:literal, $work:expr) => {
        if ::tracing::level_filters::LevelFilter::current() < ::tracing::Level::DEBUG {
            $work
        } else {
            ::tracing::debug_span!(target: "carafe", $name).in_scope(|| $work)
        }
    };
}
pub(crate) use within;

/// The start of a measured time; without metrics the clock isn't read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started(#[cfg(feature = "metrics")] std::time::Instant);

impl Started {
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(feature = "metrics")]
            std::time::Instant::now(),
        )
    }

    fn seconds(self) -> f64 {
        #[cfg(feature = "metrics")]
        return self.0.elapsed().as_secs_f64();
        #[cfg(not(feature = "metrics"))]
        0.0
    }
}

/// Records that a handler asked for a session, and the request had none.
pub(crate) fn none() {
    count!("carafe_sessions_opened_total", "outcome" => "none");
}

/// Records that a request's session was opened. `outdated` means that it came under an older key,
/// or in another format than the written one.
pub(crate) fn loaded(outdated: bool) {
    tracing::trace!(target: "carafe", event = "session.loaded", outdated, "a session was opened");
    count!("carafe_sessions_opened_total", "outcome" => "loaded");
    if outdated {
        count!("carafe_sessions_outdated_total");
    }
}

/// Records that a cookie was not accepted.
pub(crate) fn refused(error: &Error) {
    count!("carafe_cookies_refused_total", "reason" => name_of(error.kind()));
    if error.kind() == ErrorKind::Expired {
        return expired();
    }
    count!("carafe_sessions_opened_total", "outcome" => "refused");
    if error.kind() == ErrorKind::BadPayload {
        tracing::warn!(
            target: "carafe",
            event = "session.unreadable",
            reason = %error,
            "the session's cookie is removed: its signature is good, but its content cannot be read"
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

/// Records that a request carried several cookies with the session's name.
pub(crate) fn duplicate_cookie(name: &str) {
    tracing::warn!(
        target: "carafe",
        event = "session.duplicate_cookie",
        cookie = name,
        "the request has several cookies of the session's name; the first counts"
    );
}

/// Records that a session's cookie was written, with a header of this size.
pub(crate) fn cookie_written(size: usize) {
    record!(size as f64, "carafe_cookie_size_bytes");
}

/// Records that a cookie exceeds Flask's `MAX_COOKIE_SIZE`.
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

/// Warns of a layer's keys that an operator should know about.
pub(crate) fn keys(ring: &KeyRing) {
    for weak in ring.weak_keys() {
        weak_key(&weak);
    }
    for key in ring.iter() {
        match key.origin() {
            KeyOrigin::Random => random_key(),
            KeyOrigin::Ambiguous { variable } => ambiguous_key(variable),
            _ => {}
        }
    }
}

/// Warns that a layer uses a weak key.
fn weak_key(finding: &dyn std::fmt::Display) {
    tracing::warn!(
        target: "carafe",
        event = "session.weak_key",
        "{finding}: make another with `carafe keygen` or `openssl rand -hex 32`"
    );
}

/// Warns that no key is set, and that a random key is used, which no other process has.
fn random_key() {
    tracing::warn!(
        target: "carafe",
        event = "session.random_key",
        "no SECRET_KEY is set: with the random one that is used now, all sessions end when this \
         process does"
    );
}

/// Warns that Flask reads another key from a variable than this library does.
fn ambiguous_key(variable: &str) {
    tracing::warn!(
        target: "carafe",
        event = "session.ambiguous_key",
        variable,
        "the secret key parses as JSON that is no string, with which Flask fails: its text is taken. \
         Put it in double quotes"
    );
}

/// Warns that a layer's cookie lacks attributes that protect it.
pub(crate) fn lax_cookie(name: &str, lacking: &str) {
    tracing::warn!(
        target: "carafe",
        event = "session.lax_cookie",
        cookie = name,
        lacking,
        "the session's cookie lacks attributes that protect it, as Flask's does by default: set those that \
         `lacking` names by `Config::secure` (SESSION_COOKIE_SECURE) and `Config::same_site` \
         (SESSION_COOKIE_SAMESITE=Lax)"
    );
}

/// Warns that a login replaces a login of Flask-Login, which the layer is not set to share.
pub(crate) fn flask_login_dropped() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: "carafe",
            event = "session.flask_login_dropped",
            "a login replaces a login of Flask-Login, and the Flask site will see no user: share logins \
             by SessionLayer::flask_login"
        );
    }
}

/// Warns that the client's address, which Flask-Login compares, is unknown.
pub(crate) fn no_client_address(warned: &AtomicBool) {
    if !warned.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: "carafe",
            event = "session.no_client_address",
            "the client's address isn't known, so that logins are fresh on one side only: set \
             FlaskLogin::peer"
        );
    }
}

/// Records that a login came from another client than the one that made it.
pub(crate) fn session_protected() {
    tracing::debug!(
        target: "carafe",
        event = "session.protected",
        "the session is used with another address or agent than the login was made with"
    );
}

/// Records that a remember cookie has logged its user in.
pub(crate) fn login_restored() {
    tracing::debug!(target: "carafe", event = "session.restored", "a remember cookie logs a user in");
}

/// Records that a request was refused, since it may come from another site. The origin is the one
/// that the request claims.
pub(crate) fn csrf_refused(error: &Error, origin: Option<&HeaderValue>) {
    tracing::warn!(target: "carafe", event = "csrf.refused", ?origin, reason = %error);
    count!("carafe_csrf_refused_total");
}

/// Records that a session could not be opened or saved, or that a handler used it wrongly.
pub(crate) fn failed(error: &Error) {
    match error.kind() {
        ErrorKind::LoginRequired => {
            let event = "session.login_required";
            tracing::debug!(target: "carafe", event, "no user is logged in, and the route is for users");
            return;
        }
        ErrorKind::NotFresh => {
            let event = "session.not_fresh";
            tracing::debug!(target: "carafe", event, "the user's authentication is too long ago");
            return;
        }
        // The code that refused the request has logged it.
        ErrorKind::Csrf | ErrorKind::TooManySessions => return,
        _ => {}
    }
    tracing::error!(target: "carafe", event = "session.failed", kind = ?error.kind(), "{error}");
    count!("carafe_errors_total", "kind" => name_of(error.kind()));
}

/// Records that the memory store is full.
pub(crate) fn store_full(capacity: usize, bytes: usize) {
    tracing::error!(
        target: "carafe",
        event = "store.full",
        capacity,
        bytes,
        "the memory store is full of revocations and of sessions that users are logged in to; \
         what needs room is refused"
    );
}

/// Records that a user has a large part of the memory store.
pub(crate) fn user_has_share() {
    tracing::warn!(
        target: "carafe",
        event = "store.share",
        "a user has a sixteenth of the memory store, which is more than half full; \
         a new session of this user is refused"
    );
}

/// Records that a store was asked to remove expired records by a clock that seems wrong.
pub(crate) fn clock_doubted(seconds: u64) {
    tracing::warn!(
        target: "carafe",
        event = "store.clock",
        seconds,
        "this process' clock is far ahead of the times that the store has seen; records that have expired \
         by it alone are not removed before a day has passed"
    );
}

/// Records that the store's notices are interrupted.
pub(crate) fn notices_interrupted() {
    tracing::warn!(
        target: "carafe",
        event = "store.notices_interrupted",
        "the store can't tell of sessions that end: until it can, the periodic check finds them"
    );
}

/// Records that a call of the store failed.
pub(crate) fn store_failed(error: &StoreError) {
    tracing::error!(target: "carafe", event = "store.failed", kind = ?error.kind(), "{error}");
    count!("carafe_store_errors_total", "kind" => name_of_store_error(error.kind()));
}

/// Records that a call of the store was answered, or exceeded its time limit.
#[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "it is a label"))]
pub(crate) fn store_called(operation: &'static str, started: Started) {
    record!(started.seconds(), "carafe_store_duration_seconds", "operation" => operation);
}

/// Records that a commit to a store ended, with or without success.
pub(crate) fn committed(started: Started) {
    record!(started.seconds(), "carafe_commit_duration_seconds");
}

/// Records that a session of this size was written to a store.
pub(crate) fn stored(size: usize) {
    record!(size as f64, "carafe_session_size_bytes");
}

/// Records that expired records were removed from a store.
pub(crate) fn swept(removed: u64) {
    if removed > 0 {
        tracing::debug!(target: "carafe", event = "store.swept", removed, "expired sessions removed");
        #[cfg(feature = "metrics")]
        ::metrics::counter!("carafe_sessions_swept_total").increment(removed);
    }
}

/// Records that a session began: it was saved for the first time.
pub(crate) fn created() {
    tracing::debug!(target: "carafe", event = "session.created", "a session was created");
    count!("carafe_sessions_created_total");
}

/// Records that a value has another type than the requested one, and counts as missing.
pub(crate) fn mistyped(error: &Error) {
    tracing::warn!(
        target: "carafe",
        event = "session.mistyped",
        %error,
        "a value of another type counts as missing"
    );
}

/// Records that a cookie names a session that doesn't exist, or no longer.
pub(crate) fn unknown() {
    tracing::debug!(target: "carafe", event = "session.unknown", "the session is not in the store");
    count!("carafe_sessions_opened_total", "outcome" => "unknown");
}

/// Records that a session has expired.
pub(crate) fn expired() {
    tracing::debug!(target: "carafe", event = "session.expired", "the session has expired");
    count!("carafe_sessions_opened_total", "outcome" => "expired");
}

/// Records that a cookie came whose session was ended.
pub(crate) fn revoked() {
    tracing::warn!(
        target: "carafe",
        event = "session.revoked",
        "the cookie of a session that was ended came again"
    );
    count!("carafe_sessions_opened_total", "outcome" => "revoked");
}

/// Records that a session got a new id, by a periodic renewal or by a rotation.
pub(crate) fn rotated(periodic: bool) {
    let event = if periodic { "session.renewed" } else { "session.rotated" };
    tracing::debug!(target: "carafe", event, "the session has a new id");
    if periodic {
        count!("carafe_sessions_rotated_total", "cause" => "renewal");
    } else {
        count!("carafe_sessions_rotated_total", "cause" => "request");
    }
}

/// Records that a user logged in.
pub(crate) fn logged_in() {
    tracing::debug!(target: "carafe", event = "session.logged_in", "a user has logged in");
    count!("carafe_logins_total");
}

/// Records that sessions were ended by their user, or by an administrator.
pub(crate) fn logged_out(sessions: u64) {
    tracing::debug!(target: "carafe", event = "session.logged_out", sessions, "sessions were ended");
    #[cfg(feature = "metrics")]
    ::metrics::counter!("carafe_logouts_total").increment(sessions);
}

/// Records that a login has ended sessions of its user, who had as many as allowed.
pub(crate) fn limit_ended(sessions: u32) {
    tracing::info!(
        target: "carafe",
        event = "login.ended_oldest",
        sessions,
        "a user had as many sessions as allowed: the oldest were ended by a login"
    );
    #[cfg(feature = "metrics")]
    ::metrics::counter!("carafe_login_limit_total", "outcome" => "ended_oldest")
        .increment(sessions.into());
}

/// Records that a login was refused, since its user has as many sessions as allowed.
pub(crate) fn limit_refused() {
    tracing::info!(
        target: "carafe",
        event = "login.too_many_sessions",
        "a user has as many sessions as allowed: a login was refused"
    );
    count!("carafe_login_limit_total", "outcome" => "refused");
}

/// Records that the credential of a login has changed.
pub(crate) fn credential_changed() {
    tracing::info!(
        target: "carafe",
        event = "login.credential_changed",
        "the credential of a session's login has changed since: the session was ended"
    );
    count!("carafe_logins_outdated_total");
}

/// Records that a remember token logged a browser in.
pub(crate) fn remembered() {
    tracing::debug!(
        target: "carafe",
        event = "login.remembered",
        "a user was logged in by a remember token"
    );
    count!("carafe_logins_remembered_total");
}

/// Records a sign that a session was stolen.
pub(crate) fn sign_of_theft(kind: TheftKind) {
    match kind {
        TheftKind::ReplacedId => {
            let event = "theft.replaced_id";
            tracing::warn!(target: "carafe", event, "an id came back that had been replaced by a new one");
            count!("carafe_signs_of_theft_total", "kind" => "theft.replaced_id");
        }
        TheftKind::EndedSession => {
            let event = "theft.ended_session";
            tracing::warn!(target: "carafe", event, "the cookie of a session came back that had been ended");
            count!("carafe_signs_of_theft_total", "kind" => "theft.ended_session");
        }
        TheftKind::UsedToken => {
            let event = "theft.used_token";
            tracing::warn!(target: "carafe", event, "a remember token came back that had been used: its series was ended");
            count!("carafe_signs_of_theft_total", "kind" => "theft.used_token");
        }
    }
}

/// Records that a commit conflicted with another process's, and is tried again.
pub(crate) fn retried() {
    tracing::trace!(target: "carafe", event = "session.retried", "another commit came first");
    count!("carafe_conflicts_total", "outcome" => "retried");
}

/// Records a conflict: a request wrote a key that it had read before another request changed it. A
/// strict layer refuses the write.
pub(crate) fn conflict(refused: bool) {
    if refused {
        count!("carafe_conflicts_total", "outcome" => "refused");
    } else {
        count!("carafe_conflicts_total", "outcome" => "overwritten");
    }
    tracing::warn!(
        target: "carafe",
        event = "session.conflict",
        refused,
        "a request wrote a key that another one had changed since it was read; `update` would have \
         kept both changes"
    );
}

/// Returns the name of an error's kind in a metric's label. It stays the same if the kind is
/// renamed.
#[cfg(feature = "metrics")]
fn name_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::MissingSecretKey => "missing_secret_key",
        ErrorKind::WeakKey => "weak_key",
        ErrorKind::Entropy => "entropy",
        ErrorKind::Setting => "setting",
        ErrorKind::NoLayer => "no_layer",
        ErrorKind::Closed => "closed",
        ErrorKind::Type => "type",
        ErrorKind::KeyMissing => "key_missing",
        ErrorKind::Value => "value",
        ErrorKind::ReservedKey => "reserved_key",
        ErrorKind::Ended => "ended",
        ErrorKind::Conflict => "conflict",
        ErrorKind::SessionTooLarge => "session_too_large",
        ErrorKind::Store => "store",
        ErrorKind::NoStore => "no_store",
        ErrorKind::Csrf => "csrf",
        ErrorKind::LoginRequired => "login_required",
        ErrorKind::NotFresh => "not_fresh",
        ErrorKind::TooManySessions => "too_many_sessions",
        ErrorKind::CookieTooLarge => "cookie_too_large",
        ErrorKind::NotSigned => "not_signed",
        ErrorKind::BadSignature => "bad_signature",
        ErrorKind::Expired => "expired",
        ErrorKind::FromTheFuture => "from_the_future",
        ErrorKind::BadPayload => "bad_payload",
        ErrorKind::Application => "application",
    }
}

#[cfg(feature = "metrics")]
fn name_of_store_error(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::Uncertain => "uncertain",
        StoreErrorKind::Full => "full",
        StoreErrorKind::Corrupt => "corrupt",
    }
}
