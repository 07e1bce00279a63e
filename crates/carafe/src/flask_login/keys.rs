//! Flask-Login's keys in a session.

use crate::content::View;
use crate::value::{Text, Value};
use crate::{Error, ErrorKind};

pub(super) const USER_ID: &str = "_user_id";
pub(super) const FRESH: &str = "_fresh";
pub(super) const ID: &str = "_id";
pub(super) const REMEMBER: &str = "_remember";
pub(super) const REMEMBER_SECONDS: &str = "_remember_seconds";

/// The keys that a login writes and a logout removes.
pub(super) const LOGIN_KEYS: [&str; 3] = [USER_ID, FRESH, ID];
/// All of Flask-Login's keys, which strong protection removes.
pub(super) const ALL_KEYS: [&str; 6] = [USER_ID, REMEMBER, REMEMBER_SECONDS, ID, FRESH, "next"];

/// Flask-Security's time of the last authentication, in Unix seconds.
pub(super) const AUTHENTICATED_AT: &str = "fs_paa";
/// The request to Flask-Security to set or clear its CSRF cookie.
pub(super) const CSRF_COOKIE: &str = "fs_cc";
/// The keys that Flask-Security removes at a logout.
pub(super) const SECURITY_KEYS: [&str; 6] = [
    AUTHENTICATED_AT,
    "fs_gexp",
    "fs_oauth_next",
    "identity.name",
    "identity.auth_type",
    "csrf_token",
];

/// The values that a login writes besides the user.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The client's fingerprint.
    pub(super) id: String,
    /// The time for Flask-Security, if the site has it.
    pub(super) authenticated_at: Option<u64>,
}

/// Writes a login into a session, and leaves its other keys alone.
pub(crate) fn log_in(view: &mut View, user: &str, entry: &Entry) {
    view.insert(Text::from(USER_ID), Value::from(user));
    view.insert(Text::from(FRESH), Value::from(true));
    view.insert(Text::from(ID), Value::from(entry.id.as_str()));
    if let Some(time) = entry.authenticated_at {
        view.insert(Text::from(AUTHENTICATED_AT), seconds(time));
        view.insert(Text::from(CSRF_COOKIE), Value::from("set"));
    }
}

/// Converts a time to the float of Python's `time.time()`.
pub(super) fn seconds(time: u64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "times are far below 2 to the 53rd")]
    Value::from(time as f64)
}

/// Returns whether a session holds a login of Flask-Login.
pub(crate) fn has_login(view: &View) -> bool {
    LOGIN_KEYS.into_iter().all(|key| view.contains(key.as_bytes()))
}

/// Returns whether a key holds this text.
pub(super) fn is(view: &View, key: &str, text: &str) -> bool {
    view.get(key.as_bytes()).is_some_and(|value| value.as_str() == Some(text))
}

/// Returns the id of a session's user, if it is a text or an integer. A Flask site's `user_loader`
/// receives this id.
pub(super) fn user_id(view: &View) -> Option<String> {
    match view.get(USER_ID.as_bytes())?.as_ref() {
        Value::Text(id) => id.as_str().map(str::to_owned),
        Value::Int(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Returns the id for a remember cookie: Python's `str` of the session's value.
pub(super) fn remembered_id(view: &View) -> Option<String> {
    match view.get(USER_ID.as_bytes())?.as_ref() {
        Value::Null => Some("None".to_owned()),
        Value::Bool(on) => Some(if *on { "True" } else { "False" }.to_owned()),
        _ => user_id(view),
    }
}

/// Returns how long the login is to be remembered, in microseconds, if the session says so.
///
/// # Errors
/// [`ErrorKind::Type`] if the session's value is not a number.
pub(super) fn remembered_for(view: &View) -> Result<Option<i128>, Error> {
    let Some(seconds) = view.get(REMEMBER_SECONDS.as_bytes()) else { return Ok(None) };
    match seconds.as_ref() {
        Value::Bool(on) => Ok(Some(i128::from(*on) * 1_000_000)),
        // An integer of more than 64 bits is beyond every date.
        Value::Int(seconds) => {
            Ok(Some(i128::from(seconds.as_i64().unwrap_or(i64::MAX)) * 1_000_000))
        }
        Value::Float(seconds) if seconds.is_finite() => {
            // Python's `timedelta` rounds this way.
            #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
            let micros = (seconds.trunc() as i128).saturating_mul(1_000_000)
                + (seconds.fract() * 1e6).round_ties_even() as i128;
            Ok(Some(micros))
        }
        _ => Err(Error::new(
            ErrorKind::Type,
            "the session's key \"_remember_seconds\" is no number of seconds",
        )),
    }
}
