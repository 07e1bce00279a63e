//! Times as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use carafe::UnixSeconds;
use carafe::value::DateTime;

/// The present, in Unix seconds.
pub(crate) fn now() -> u64 {
    // A clock before 1970 counts as 0.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A time as `2023-11-14 22:13:20 UTC`; as a number beyond the year 9999.
pub(crate) fn utc(time: impl Into<UnixSeconds>) -> String {
    let UnixSeconds(seconds) = time.into();
    let time = i64::try_from(seconds).ok().and_then(DateTime::from_unix);
    time.map_or_else(
        || format!("second {seconds} of Unix time"),
        |time| time.to_rfc3339().replace('T', " ").replace('Z', " UTC"),
    )
}

/// A length of time in the largest unit of which it has two or more.
pub(crate) fn span(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(31_557_600, "years"), (86_400, "days"), (3600, "hours"), (60, "minutes")];
    match UNITS.iter().find(|(length, _)| seconds / length >= 2) {
        Some((length, unit)) => format!("{} {unit}", seconds / length),
        None if seconds == 1 => "1 second".to_owned(),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_unit() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7199, "119 minutes"),
            (86_400, "24 hours"),
            (2_678_400, "31 days"),
            (63_115_200, "2 years"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(utc(1_700_000_000), "2023-11-14 22:13:20 UTC");
        assert_eq!(utc(u64::MAX), "second 18446744073709551615 of Unix time");
    }
}
