//! Instants in whole seconds.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;
const MIN: i64 = -62_135_596_800;
const MAX: i64 = 253_402_300_799;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// An instant in whole seconds, in the years 1 to 9999, as Flask keeps a `datetime`.
///
/// It is written as an HTTP date, in UTC. Flask's reader, like every reader of such dates, takes
/// the years 1 to 99 for years of the twentieth and twenty-first century.
///
/// It converts from and into [`SystemTime`], and with the features `jiff`, `chrono` and `time` the
/// types of those crates. Fractions of a second are dropped, and an instant outside the years 1 to
/// 9999 becomes the first or the last of them, as Python has `datetime.min` and `datetime.max`.
///
/// ```
/// use carafe::value::DateTime;
///
/// let leap_day = DateTime::from_unix(1_709_210_096).unwrap();
/// assert_eq!(leap_day.to_string(), "Thu, 29 Feb 2024 12:34:56 GMT");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(i64);

impl DateTime {
    /// Returns the instant `seconds` seconds after 1970-01-01 00:00:00 UTC, or `None` outside the
    /// years 1 to 9999.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// assert_eq!(DateTime::from_unix(0).unwrap().to_rfc3339(), "1970-01-01T00:00:00Z");
    /// assert_eq!(DateTime::from_unix(i64::MAX), None);
    /// ```
    #[must_use]
    pub fn from_unix(seconds: i64) -> Option<Self> {
        (MIN..=MAX).contains(&seconds).then_some(Self(seconds))
    }

    /// Converts like [`from_unix`](Self::from_unix), but takes the nearest end for an instant
    /// outside, as Python has `datetime.min` and `datetime.max`.
    pub(super) fn saturating(seconds: i64) -> Self {
        Self(seconds.clamp(MIN, MAX))
    }

    /// Returns the seconds since 1970-01-01 00:00:00 UTC.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// assert_eq!(DateTime::from_unix(60).unwrap().unix(), 60);
    /// ```
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0
    }

    /// Returns the current time, without its fraction of a second.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// assert!(DateTime::now().unix() > 1_700_000_000);
    /// ```
    #[must_use]
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// Returns the instant of a year, month and day and its hour, minute and second in UTC, or
    /// `None` if there is no such date or time.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// let leap_day = DateTime::from_civil([2024, 2, 29], [12, 34, 56]).unwrap();
    /// assert_eq!(leap_day.unix(), 1_709_210_096);
    /// assert_eq!(leap_day.civil(), ([2024, 2, 29], [12, 34, 56]));
    /// assert_eq!(DateTime::from_civil([2023, 2, 29], [0, 0, 0]), None);
    /// ```
    #[must_use]
    pub fn from_civil(date: [i64; 3], time: [i64; 3]) -> Option<Self> {
        let ([year, month, day], [hour, minute, second]) = (date, time);
        let valid = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        let days = days_before_year(year) + days_before_month(year, month) + day - 1;
        valid.then(|| Self(MIN + days * DAY + hour * 3600 + minute * 60 + second))
    }

    /// Returns the instant as RFC 3339 text in UTC.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// let leap_day = DateTime::from_unix(1_709_210_096).unwrap();
    /// assert_eq!(leap_day.to_rfc3339(), "2024-02-29T12:34:56Z");
    /// ```
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let ([year, month, day], [hour, minute, second]) = self.civil();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// Reads text that [`to_rfc3339`](Self::to_rfc3339) wrote.
    pub(super) fn from_rfc3339(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let numbers = |text: &str, separator| -> Option<[i64; 3]> {
            let numbers: Option<Vec<i64>> =
                text.split(separator).map(|number| number.parse().ok()).collect();
            numbers?.try_into().ok()
        };
        Self::from_civil(numbers(date, '-')?, numbers(time, ':')?)
            .filter(|read| read.to_rfc3339() == text)
    }

    /// Returns the date and the time in UTC, as [`from_civil`](Self::from_civil) takes them.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// let leap_day = DateTime::from_unix(1_709_210_096).unwrap();
    /// assert_eq!(leap_day.civil(), ([2024, 2, 29], [12, 34, 56]));
    /// ```
    #[must_use]
    pub fn civil(self) -> ([i64; 3], [i64; 3]) {
        let second = (self.0 - MIN) % DAY;
        (civil((self.0 - MIN) / DAY), [second / 3600, second / 60 % 60, second % 60])
    }

    /// Returns the days since the last Monday: 0 for a Monday, 6 for a Sunday.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// let leap_day = DateTime::from_unix(1_709_210_096).unwrap();
    /// assert_eq!(leap_day.weekday(), 3); // a Thursday
    /// ```
    #[must_use]
    pub fn weekday(self) -> usize {
        // 0001-01-01 was a Monday.
        ((self.0 - MIN) / DAY % 7) as usize
    }

    /// Writes the 29 characters of the HTTP date.
    pub(crate) fn write_http_date(self, out: &mut [u8; 29]) {
        let ([year, month, day], [hour, minute, second]) = self.civil();
        let weekday = DAYS[self.weekday()];
        out.copy_from_slice(b"Day, 00 Mon 0000 00:00:00 GMT");
        out[..3].copy_from_slice(weekday.as_bytes());
        out[8..11].copy_from_slice(MONTHS[(month - 1) as usize].as_bytes());
        let two_digits =
            [(5, day), (12, year / 100), (14, year % 100), (17, hour), (20, minute), (23, second)];
        for (at, number) in two_digits {
            out[at] = b'0' + (number / 10) as u8;
            out[at + 1] = b'0' + (number % 10) as u8;
        }
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 0001-01-01 to the first day of the year.
fn days_before_year(year: i64) -> i64 {
    let y = year - 1;
    y * 365 + y / 4 - y / 100 + y / 400
}

fn days_before_month(year: i64, month: i64) -> i64 {
    (1..month).map(|earlier| days_in_month(year, earlier)).sum()
}

/// Year, month and day from the days since 0001-01-01.
fn civil(days: i64) -> [i64; 3] {
    let mut year = days / 366 + 1;
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    let mut day = days - days_before_year(year);
    let mut month = 1;
    while day >= days_in_month(year, month) {
        day -= days_in_month(year, month);
        month += 1;
    }
    [year, month, day + 1]
}

impl fmt::Display for DateTime {
    /// Writes the instant as an HTTP date.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 29];
        self.write_http_date(&mut text);
        f.pad(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<SystemTime> for DateTime {
    /// Drops the fraction of a second, as Flask does.
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self::saturating(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)),
            Err(before) => {
                let before = before.duration();
                let whole = before.as_secs().saturating_add(u64::from(before.subsec_nanos() > 0));
                Self::saturating(i64::try_from(whole).map_or(i64::MIN, |seconds| -seconds))
            }
        }
    }
}

impl From<DateTime> for SystemTime {
    /// Converts years that the platform's clock does not have, such as years before 1601 on
    /// Windows, to the epoch.
    fn from(time: DateTime) -> Self {
        let distance = Duration::from_secs(time.0.unsigned_abs());
        let shifted = if time.0 < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        shifted.unwrap_or(UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_http_date() {
        for (unix, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (MIN, "Mon, 01 Jan 0001 00:00:00 GMT"),
            (MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(DateTime::from_unix(unix).unwrap().to_string(), text);
        }
        assert_eq!(DateTime::from_unix(MIN - 1), None);
        assert_eq!(DateTime::from_unix(MAX + 1), None);
    }

    #[test]
    fn every_day_has_its_date() {
        let mut expected = [1, 1, 1];
        for days in 0..3_652_059 {
            assert_eq!(civil(days), expected);
            let instant = DateTime::from_civil(expected, [0, 0, 0]);
            assert_eq!(instant, DateTime::from_unix(MIN + days * DAY));
            let [year, month, day] = expected;
            expected = if day < days_in_month(year, month) {
                [year, month, day + 1]
            } else if month < 12 {
                [year, month + 1, 1]
            } else {
                [year + 1, 1, 1]
            };
        }
        assert_eq!(expected, [10_000, 1, 1]);
    }

    #[test]
    fn drops_fractions_downwards() {
        let before = UNIX_EPOCH - Duration::from_millis(1500);
        assert_eq!(DateTime::from(before).unix(), -2);
        let after = UNIX_EPOCH + Duration::from_millis(1500);
        assert_eq!(DateTime::from(after).unix(), 1);
        assert_eq!(SystemTime::from(DateTime(-2)), UNIX_EPOCH - Duration::from_secs(2));
    }
}
