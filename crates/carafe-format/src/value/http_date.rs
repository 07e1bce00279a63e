//! Dates as Python's `email.utils.parsedate_to_datetime` reads them.

use super::datetime::{DateTime, MONTHS};

/// The date is of a kind on which real Flask fails, instead of reading it as `None`: a number far
/// out of range, or an instant outside the years 1 to 9999.
#[derive(Debug, PartialEq)]
pub(crate) struct OutOfRange;

impl DateTime {
    /// Reads a date of an HTTP header, such as the `Expires` of a cookie, as Werkzeug does; `None`
    /// if there is none in the text.
    ///
    /// ```
    /// use carafe::value::DateTime;
    ///
    /// let epoch = DateTime::from_http_date("Thu, 01 Jan 1970 00:00:00 GMT").unwrap();
    /// assert_eq!(epoch.unix(), 0);
    /// ```
    #[must_use]
    pub fn from_http_date(text: &str) -> Option<Self> {
        parse_http_date(text).ok().flatten()
    }
}

/// Reads a date as Werkzeug's `parse_date` does; `None` where it finds none.
///
/// The steps and their order are Python's (`email._parseaddr`), because they decide what malformed
/// dates mean. Digits outside ASCII are not read.
pub(crate) fn parse_http_date(text: &str) -> Result<Option<DateTime>, OutOfRange> {
    if let Some(date) = parse_canonical(text.as_bytes()) {
        return Ok(Some(date));
    }
    let Some(fields) = split(text) else {
        return Ok(None);
    };
    let Some((date, time, zone)) = interpret(fields) else {
        return Ok(None);
    };
    let offset = match zone {
        Some(number) => match offset_seconds(number)? {
            Some(seconds) => seconds,
            None => return Ok(None),
        },
        None => 0,
    };
    if date.iter().chain(&time).any(|&number| i32::try_from(number).is_err()) {
        return Err(OutOfRange);
    }
    match DateTime::from_civil(date, time) {
        Some(local) => DateTime::from_unix(local.unix() - offset).map(Some).ok_or(OutOfRange),
        None => Ok(None),
    }
}

/// The form that Flask writes, without the detours. A year below 100 means another one.
fn parse_canonical(text: &[u8]) -> Option<DateTime> {
    parse_spelled(text).filter(|_| text.get(12..14) != Some(b"00"))
}

/// The instant that a date in Flask's own spelling was written for, years below 100 included.
pub(crate) fn parse_spelled(text: &[u8]) -> Option<DateTime> {
    let text: &[u8; 29] = text.try_into().ok()?;
    let number = |at: usize, len: usize| {
        text[at..at + len].iter().try_fold(0, |number, digit| {
            digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
        })
    };
    let month = MONTHS.iter().position(|month| month.as_bytes() == &text[8..11])?;
    let date = [number(12, 4)?, month as i64 + 1, number(5, 2)?];
    let time = [number(17, 2)?, number(20, 2)?, number(23, 2)?];
    let date = DateTime::from_civil(date, time)?;
    let mut canonical = [0; 29];
    date.write_http_date(&mut canonical);
    (canonical == *text).then_some(date)
}

/// Day, month, year, time and zone, as far as their places tell.
fn split(text: &str) -> Option<[&str; 5]> {
    // Python's `str.split` also splits at these four separators.
    let mut words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
        .filter(|word| !word.is_empty())
        .collect();
    let first = *words.first()?;
    if first.ends_with(',') || is_day_name(first) {
        words.remove(0);
    } else if let Some((_, after)) = first.rsplit_once(',') {
        words[0] = after;
    }
    if words.len() == 3 {
        let parts: Vec<&str> = words[0].split('-').collect();
        if parts.len() == 3 {
            words.splice(..1, parts);
        }
    }
    if words.len() == 4 {
        let last = words[3];
        let sign = last.find('+').or_else(|| last.find('-')).filter(|&at| at > 0);
        let (time, zone) = last.split_at(sign.unwrap_or(last.len()));
        words[3] = time;
        words.push(zone);
    }
    words.get(..5)?.try_into().ok()
}

fn is_day_name(word: &str) -> bool {
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().any(|day| word.to_lowercase() == *day)
}

type Interpreted = ([i64; 3], [i64; 3], Option<i64>);

fn interpret([mut day, mut month, mut year, mut time, mut zone]: [&str; 5]) -> Option<Interpreted> {
    if day.is_empty() || month.is_empty() || year.is_empty() {
        return None;
    }
    if month_number(month).is_none() {
        (day, month) = (month, day);
    }
    let month = month_number(month)?;
    day = day.strip_suffix(',').unwrap_or(day);
    if year.find(':').is_some_and(|at| at > 0) {
        (year, time) = (time, year);
    }
    year = year.strip_suffix(',').unwrap_or(year);
    if !year.chars().next()?.is_ascii_digit() {
        (year, zone) = (zone, year);
    }
    time = time.strip_suffix(',').unwrap_or(time);
    let separator = if time.contains(':') { ':' } else { '.' };
    let (hour, minute, second) = match *time.split(separator).collect::<Vec<_>>() {
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let mut year = python_int(year)?;
    let date_and_time =
        [python_int(day)?, python_int(hour)?, python_int(minute)?, python_int(second)?];
    let [day, hour, minute, second] = date_and_time;
    // Two digits mean the years 1969 to 2068, as POSIX has it.
    if year < 100 {
        year = year.saturating_add(if year > 68 { 1900 } else { 2000 });
    }
    Some(([year, month, day], [hour, minute, second], zone_number(zone)))
}

fn month_number(word: &str) -> Option<i64> {
    const FULL: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_lowercase();
    let index = FULL.iter().position(|full| *full == word || full[..3] == word)?;
    Some(index as i64 + 1)
}

/// The zone as a number like `-500`, or `None` for UTC of unknown origin.
fn zone_number(zone: &str) -> Option<i64> {
    let zone = zone.to_uppercase();
    let named = match zone.as_str() {
        "UT" | "UTC" | "GMT" | "Z" => 0,
        "AST" | "EDT" => -400,
        "ADT" => -300,
        "EST" | "CDT" => -500,
        "CST" | "MDT" => -600,
        "MST" | "PDT" => -700,
        "PST" => -800,
        _ => return python_int(&zone),
    };
    Some(named)
}

/// The offset that a number like `-500` means, in seconds; `None` if it is not below a day.
fn offset_seconds(number: i64) -> Result<Option<i64>, OutOfRange> {
    // Python's `timedelta` ends at 999,999,999 days.
    const LIMIT: i64 = 1_000_000_000 * 86_400;
    let seconds = (number.unsigned_abs() / 100)
        .saturating_mul(3600)
        .saturating_add(number.unsigned_abs() % 100 * 60);
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX) * number.signum();
    if !(86_400 - LIMIT..LIMIT).contains(&seconds) {
        return Err(OutOfRange);
    }
    Ok((-86_399..=86_399).contains(&seconds).then_some(seconds))
}

/// What Python's `int(text)` reads of ASCII: a sign, and digits with single underscores between
/// them; what exceeds an `i64` is kept at its bounds.
fn python_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let mut number = 0i64;
    let mut count = 0;
    let mut after_digit = false;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                count += 1;
                let digit = i64::from(byte - b'0');
                number =
                    number.saturating_mul(10).saturating_add(if negative { -digit } else { digit });
                after_digit = true;
            }
            b'_' if after_digit => after_digit = false,
            _ => return None,
        }
    }
    (after_digit && count <= super::json::MAX_INT_DIGITS).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<i64> {
        parse_http_date(text).unwrap().map(DateTime::unix)
    }

    #[test]
    fn reads_what_python_reads() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("1 Jan 1970 0:0", Some(0)),
            ("1 January 1970 0.0.1", Some(1)),
            ("jan 1, 1970, 00:00:02, Z", Some(2)),
            ("Thursday, 01-Jan-70 00:00:00 GMT", Some(0)),
            ("Thu Jan 01 00:00:05 1970", Some(5)),
            ("Thu, 01 Jan 1970 00:00:00 +0200", Some(-7200)),
            ("Thu, 01 Jan 1970 00:00:00-0130", Some(5400)),
            ("Thu, 01 Jan 1970 00:00:00 -0000", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 est", Some(18_000)),
            ("Thu, 01 Jan 1970 00:00:00 XYZ", Some(0)),
            ("Thu, 01 Jan 0_0 00:00:00 GMT", Some(946_684_800)),
            ("Sun, 01 Jan 0068 00:00:00 GMT", Some(3_092_601_600)),
            ("Wed, 01 Jan 0069 00:00:00 GMT", Some(-31_536_000)),
            ("1 Jan 70", None),
            ("Mon, 32 Jan 2024 00:00:00 GMT", None),
            ("Thu, 29 Feb 2023 00:00:00 GMT", None),
            ("Thu, 01 Jan 1970 23:59:60 GMT", None),
            ("Thu, 01 Jan 1970 24:00:00 GMT", None),
            ("Thu, 01 Jan 1970 00:00:00 +2400", None),
            ("", None),
            (" \x1c ", None),
            (",", None),
        ] {
            assert_eq!(unix(text), seconds, "{text}");
        }
    }

    #[test]
    fn fails_where_python_overflows() {
        for text in [
            "Thu, 01 Jan 19700000000 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00:99999999999 GMT",
            "Thu, 01 Jan 1970 00:00:00 +99999999999999999999",
            "Fri, 31 Dec 9999 23:59:59 -0100",
        ] {
            assert_eq!(parse_http_date(text), Err(OutOfRange), "{text}");
        }
    }
}
