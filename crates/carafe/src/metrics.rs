//! Counters and histograms, through the facade of the crate `metrics` (feature `metrics`).
//!
//! The recorder that the program installs receives them; without a recorder they cost next to
//! nothing. Their names and labels are part of this crate's API: `docs/telemetry.md` has the table,
//! and which alert to set on each. No label contains anything of a visitor's.
//!
//! ```
//! // After the program has installed its recorder:
//! carafe::metrics::describe();
//! ```

use ::metrics::{Unit, describe_counter, describe_histogram};

/// Registers the description and the unit of each metric with the recorder. Call it once, after the
/// recorder is installed.
///
/// ```
/// // After the program has installed its recorder:
/// carafe::metrics::describe();
/// ```
pub fn describe() {
    for (name, unit, text) in COUNTERS {
        describe_counter!(*name, *unit, *text);
    }
    for (name, unit, text) in HISTOGRAMS {
        describe_histogram!(*name, *unit, *text);
    }
}

const COUNTERS: &[(&str, Unit, &str)] = &[
    (
        "carafe_sessions_opened_total",
        Unit::Count,
        "Requests that asked for their session, by what came of it",
    ),
    (
        "carafe_sessions_outdated_total",
        Unit::Count,
        "Sessions that came under an older key, or in another format than the one that is written",
    ),
    ("carafe_cookies_refused_total", Unit::Count, "Cookies that were not accepted, by the reason"),
    ("carafe_sessions_created_total", Unit::Count, "Sessions that were saved for the first time"),
    ("carafe_sessions_rotated_total", Unit::Count, "New ids that sessions got, by the cause"),
    ("carafe_logins_total", Unit::Count, "Logins of users"),
    (
        "carafe_login_limit_total",
        Unit::Count,
        "Sessions that were ended or refused, since their user had as many as allowed",
    ),
    (
        "carafe_logins_outdated_total",
        Unit::Count,
        "Sessions that were ended, since their user's credential had changed",
    ),
    ("carafe_logins_remembered_total", Unit::Count, "Logins by remember tokens"),
    ("carafe_signs_of_theft_total", Unit::Count, "Requests that may be a thief's, by the kind"),
    ("carafe_logouts_total", Unit::Count, "Sessions that users or administrators ended"),
    (
        "carafe_conflicts_total",
        Unit::Count,
        "Changes that met another request's, by what came of it",
    ),
    ("carafe_errors_total", Unit::Count, "Requests whose session failed, by the kind of error"),
    ("carafe_csrf_refused_total", Unit::Count, "Requests that may have come from another site"),
    ("carafe_store_errors_total", Unit::Count, "Calls of the store that failed, by the kind"),
    (
        "carafe_sessions_swept_total",
        Unit::Count,
        "Expired records that were removed from the store",
    ),
];

const HISTOGRAMS: &[(&str, Unit, &str)] = &[
    (
        "carafe_store_duration_seconds",
        Unit::Seconds,
        "How long the store took to answer, by the operation",
    ),
    (
        "carafe_commit_duration_seconds",
        Unit::Seconds,
        "How long requests waited until their changes were in the store",
    ),
    ("carafe_session_size_bytes", Unit::Bytes, "The size of sessions that are given to the store"),
    ("carafe_cookie_size_bytes", Unit::Bytes, "The size of Set-Cookie headers that hold a session"),
];
