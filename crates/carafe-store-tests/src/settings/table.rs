//! The table.

use std::time::Duration;

use carafe::config::{Caching, Compression, Format, Mistyped, Refresh, SameSite};
use carafe::signing::{Digest, KeyDerivation};
use carafe::store::OverLimit;
use http::StatusCode;

use super::backend::Kind::{Sealed, Signed, Stored};
use super::row::{
    ROW, Row, cache_control, clear_site_data, length, name, sets_cookie, status, text,
};
use super::steps::Table;

const HOUR: Duration = Duration::from_secs(3_600);

/// Why a setting of stores means nothing to sessions in cookies.
const NO_STORE: &str = "no store holds the session";

const IN_COOKIES: &[(super::backend::Kind, &str)] = &[(Signed, NO_STORE), (Sealed, NO_STORE)];

/// Why a setting of a cookie's content means nothing to sessions in stores.
const ONLY_ID: &str = "the cookie holds an id alone";

/// The places without signatures, where their settings have no effect, and why.
const UNSIGNED: &[(super::backend::Kind, &str)] = &[
    (Sealed, "a seal has none of a signature's settings"),
    (Stored, "ids are signed by settings of their own, for the cookie's name"),
];

/// Every setting that changes what a visitor sees.
pub(super) const ROWS: &[Row] = &[
    Row {
        setting: "cookie_name",
        change: |c| c.cookie_name("shop"),
        sees: name,
        unset: "sid",
        set: "shop",
        ..ROW
    },
    Row {
        setting: "cookie_domain",
        change: |c| c.cookie_domain("example.com".to_owned()),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Domain=example.com; Secure; HttpOnly; Path=/; SameSite=Lax",
        ..ROW
    },
    Row {
        setting: "cookie_path",
        change: |c| c.cookie_path("/app"),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Secure; HttpOnly; Path=/app; SameSite=Lax",
        ..ROW
    },
    Row {
        setting: "application_root",
        change: |c| c.application_root("/app"),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Secure; HttpOnly; Path=/app; SameSite=Lax",
        ..ROW
    },
    Row {
        setting: "http_only",
        change: |c| c.http_only(false),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Secure; Path=/; SameSite=Lax",
        ..ROW
    },
    Row {
        setting: "secure",
        change: |c| c.secure(false),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "HttpOnly; Path=/; SameSite=Lax",
        ..ROW
    },
    Row {
        setting: "same_site",
        change: |c| c.same_site(SameSite::Strict),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Secure; HttpOnly; Path=/; SameSite=Strict",
        ..ROW
    },
    Row {
        setting: "partitioned",
        change: |c| c.partitioned(true),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Secure; HttpOnly; Path=/; SameSite=Lax; Partitioned",
        ..ROW
    },
    Row {
        setting: "refresh",
        change: |c| c.refresh(Refresh::EachRequest),
        visit: &["/permanent", "+432000", "/plain"],
        sees: sets_cookie,
        unset: "",
        set: "set",
        none: &[(
            Stored,
            "a use is written once per tenth of the idle timeout, by requests that open the session",
        )],
        ..ROW
    },
    Row {
        setting: "lifetime",
        change: |c| c.lifetime(HOUR),
        visit: &["/login", "+3700", "/who"],
        sees: text,
        unset: "ann",
        set: "",
        ..ROW
    },
    Row {
        setting: "permanent_by_default",
        given: |c| c.lifetime(HOUR),
        change: |c| c.permanent_by_default(true),
        unset: "Secure; HttpOnly; Path=/; SameSite=Lax",
        set: "Expires=Tue, 14 Nov 2023 23:13:20 GMT; Secure; HttpOnly; Path=/; SameSite=Lax",
        ..ROW
    },
    Row {
        setting: "salt",
        change: |c| c.salt("other"),
        visit: &["/login", "other /who"],
        sees: text,
        unset: "ann",
        set: "",
        none: UNSIGNED,
        ..ROW
    },
    Row {
        setting: "digest",
        change: |c| c.digest(Digest::Sha512),
        visit: &["/login", "other /who"],
        sees: text,
        unset: "ann",
        set: "",
        none: UNSIGNED,
        ..ROW
    },
    Row {
        setting: "key_derivation",
        change: |c| c.key_derivation(KeyDerivation::DjangoConcat),
        visit: &["/login", "other /who"],
        sees: text,
        unset: "ann",
        set: "",
        none: UNSIGNED,
        ..ROW
    },
    Row {
        setting: "compression",
        change: |c| c.compression(Compression::Never),
        visit: &["/large"],
        sees: length,
        unset: "short",
        set: "long",
        none: &[(Sealed, "a compressed text's length tells of its content"), (Stored, ONLY_ID)],
        ..ROW
    },
    Row {
        setting: "inflate_limit",
        change: |c| c.inflate_limit(10),
        visit: &["/large", "/large?"],
        sees: text,
        unset: "600",
        set: "0",
        none: &[(Sealed, "a seal holds no compressed text"), (Stored, ONLY_ID)],
        ..ROW
    },
    Row {
        setting: "caching",
        change: |c| c.caching(Caching::NoStore),
        visit: &["/login", "/who"],
        sees: cache_control,
        unset: "private",
        set: "no-store",
        ..ROW
    },
    Row {
        setting: "clear_site_data",
        change: |c| c.clear_site_data(true),
        visit: &["/login", "/logout"],
        sees: clear_site_data,
        unset: "",
        set: "\"cache\", \"storage\"",
        ..ROW
    },
    Row {
        setting: "head_takes_flashes",
        change: |c| c.head_takes_flashes(true),
        visit: &["/flash", "HEAD /flashes", "/flashes"],
        sees: text,
        unset: "1",
        set: "0",
        ..ROW
    },
    Row {
        setting: "accept",
        other_is_signed: true,
        other: |c| c.salt("cookie-session"),
        change: |c| c.accept(Format::default()),
        visit: &["other /login", "/who"],
        sees: text,
        unset: "",
        set: "ann",
        none: &[(Stored, "an id has one format: `Format::unnamed` is for older signatures")],
        ..ROW
    },
    Row {
        setting: "rewrite_outdated",
        change: |c| c.rewrite_outdated(true),
        visit: &["other /login", "/who"],
        sees: sets_cookie,
        unset: "",
        set: "set",
        ..ROW
    },
    Row {
        setting: "idle_timeout",
        change: |c| c.idle_timeout(HOUR),
        visit: &["/login", "+3600", "/who"],
        sees: text,
        unset: "ann",
        set: "",
        none: &[(Signed, "its lifetime counts"), (Sealed, "its lifetime counts")],
        ..ROW
    },
    Row {
        setting: "absolute_timeout",
        change: |c| c.absolute_timeout(HOUR),
        visit: &["/login", "+3700", "/who"],
        sees: text,
        unset: "ann",
        set: "",
        ..ROW
    },
    Row {
        setting: "renew_after",
        change: |c| c.renew_after(HOUR),
        visit: &["/login", "+3600", "/who"],
        sees: sets_cookie,
        unset: "",
        set: "set",
        none: IN_COOKIES,
        ..ROW
    },
    Row {
        setting: "renewal_grace",
        given: |c| c.renew_after(HOUR),
        change: |c| c.renewal_grace(Duration::ZERO),
        visit: &["/login", "copy", "+3600", "/who", "paste", "/who"],
        sees: text,
        unset: "ann",
        set: "",
        none: IN_COOKIES,
        ..ROW
    },
    Row {
        setting: "store_timeout",
        change: |c| c.store_timeout(Duration::from_millis(100)),
        visit: &["slow", "/login", "quick"],
        sees: status,
        unset: "200",
        set: "503",
        none: IN_COOKIES,
        ..ROW
    },
    Row {
        setting: "sweep_interval",
        given: |c| c.sweep_interval(Duration::ZERO),
        change: |c| c.sweep_interval(Duration::from_millis(5)),
        visit: &["/login", "sweep"],
        sees: text,
        unset: "",
        set: "swept",
        none: IN_COOKIES,
        ..ROW
    },
    Row {
        setting: "session_limit",
        change: |c| c.session_limit(200),
        visit: &["/large"],
        sees: status,
        unset: "200",
        set: "500",
        none: &[(Signed, "a cookie's own limit counts"), (Sealed, "a cookie's own limit counts")],
        ..ROW
    },
    Row {
        setting: "strict",
        change: |c| c.strict(true),
        visit: &["/login", "race"],
        sees: status,
        unset: "200",
        set: "409",
        none: &[
            (Signed, "the browser keeps the last cookie"),
            (Sealed, "the browser keeps the last cookie"),
        ],
        ..ROW
    },
    Row {
        setting: "sessions_per_user",
        change: |c| c.sessions_per_user(1, OverLimit::EndOldest),
        // In cookies, which can't be counted, the login itself is an error.
        visit: &["/login", "copy", "leave", "/login", "paste", "/who"],
        sees: text,
        unset: "ann",
        set: "",
        ..ROW
    },
    Row {
        setting: "pending_login_timeout",
        change: |c| c.pending_login_timeout(HOUR),
        visit: &["/first-step", "+400", "/pending?"],
        sees: text,
        unset: "",
        set: "ann",
        ..ROW
    },
    Row {
        setting: "remember_for",
        change: |c| c.remember_for(HOUR),
        visit: &["/remember"],
        sees: status,
        unset: "500",
        set: "200",
        none: IN_COOKIES,
        ..ROW
    },
    Row {
        setting: "mistyped_values",
        change: |c| c.mistyped_values(Mistyped::Missing),
        visit: &["/large", "/number?"],
        sees: status,
        unset: "500",
        set: "200",
        ..ROW
    },
    Row {
        setting: "with_revocations",
        around: |layer| layer.with_revocations(carafe::store::MemoryStore::new()),
        visit: &["/login", "copy", "/logout", "paste", "/who"],
        sees: text,
        unset: "ann",
        set: "",
        none: &[(Stored, "the session itself is gone after a logout")],
        ..ROW
    },
    Row {
        setting: "on_error",
        around: |layer| layer.on_error(|_| (StatusCode::IM_A_TEAPOT, "sorry")),
        visit: &["/large", "/number?"],
        sees: status,
        unset: "500",
        set: "418",
        ..ROW
    },
    Row {
        setting: "with_login_page",
        around: |layer| layer.with_login_page("/login").unwrap(),
        visit: &["/account"],
        sees: status,
        unset: "401",
        set: "303",
        ..ROW
    },
    Row {
        setting: "with_confirm_page",
        around: |layer| layer.with_confirm_page("/confirm").unwrap(),
        visit: &["/login", "+7200", "/fresh"],
        sees: status,
        unset: "401",
        set: "303",
        ..ROW
    },
    Row {
        setting: "named",
        around: |layer| layer.named::<Table>(),
        visit: &["/named"],
        sees: status,
        unset: "500",
        set: "200",
        ..ROW
    },
    #[cfg(test)]
    Row {
        setting: "seal",
        change: |c| c.seal(true),
        visit: &["/large"],
        sees: |answer| super::row::set_cookie(answer).contains('.').to_string(),
        unset: "true",
        set: "false",
        none: &[(Sealed, "it is on"), (Stored, ONLY_ID)],
        ..ROW
    },
];

/// Settings without a row, and why.
#[cfg(test)]
pub(super) const WITHOUT_ROW: &[(&str, &str)] = &[
    ("max_cookie_size", "a line in the log, which has a test of its own"),
    ("watch_interval", "`an_expired_session_ends_what_waits` shows it, with what waits"),
    ("watch_old_ids", "a call of `on_sign_of_theft`"),
    ("on_sign_of_theft", "a call of a function, and no part of an answer"),
    ("flask_login", "has tests of its own in `carafe`, in cookies and in a store"),
    ("from_prefixed_env", "sets what has rows from the environment"),
    ("with_variables", "sets what has rows from the environment"),
    ("configure", "sets what has rows"),
    ("in_store", "makes one backend another"),
    ("with_clock", "every row that lets time go by shows it"),
];
