//! Python's `datetime`.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use carafe::value::DateTime;

const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// An aware `datetime.datetime` in UTC.
pub(super) struct DateTimeObject(pub(super) DateTime);

impl DateTimeObject {
    pub(super) fn push_repr(&self, out: &mut String) {
        let ([year, month, day], [hour, minute, second]) = self.0.civil();
        out.push_str(&format!("datetime.datetime({year}, {month}, {day}, {hour}, {minute}"));
        if second != 0 {
            out.push_str(&format!(", {second}"));
        }
        out.push_str(", tzinfo=datetime.timezone.utc)");
    }

    fn isoformat(&self, separator: &str) -> String {
        let ([year, month, day], [hour, minute, second]) = self.0.civil();
        format!("{year:04}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}+00:00")
    }

    /// Python's `strftime` in the C locale. As with glibc, `%-d` and the like leave out the zeros.
    fn strftime(&self, format: &str) -> Result<String, Error> {
        let mut out = String::new();
        let mut rest = format.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let (directive, padded) = match rest.next() {
                Some('-') => (rest.next(), false),
                directive => (directive, true),
            };
            let text =
                directive.and_then(|directive| self.directive(directive)).ok_or_else(|| {
                    Error::new(
                        ErrorKind::InvalidOperation,
                        "strftime: a directive that is not known",
                    )
                })?;
            match text.trim_start_matches(['0', ' ']) {
                "" if !padded => out.push('0'),
                bare if !padded => out.push_str(bare),
                _ => out.push_str(&text),
            }
        }
        Ok(out)
    }

    fn directive(&self, directive: char) -> Option<String> {
        let ([year, month, day], [hour, minute, second]) = self.0.civil();
        let (weekday, month_name) =
            (DAYS[self.0.weekday()], usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m))?);
        let hour12 = (hour + 11) % 12 + 1;
        Some(match directive {
            'a' => weekday[..3].to_owned(),
            'A' => weekday.to_owned(),
            'b' | 'h' => month_name[..3].to_owned(),
            'B' => (*month_name).to_owned(),
            'c' => self.strftime("%a %b %e %H:%M:%S %Y").ok()?,
            'd' => format!("{day:02}"),
            'D' | 'x' => self.strftime("%m/%d/%y").ok()?,
            'e' => format!("{day:2}"),
            'f' => "000000".to_owned(),
            'F' => self.strftime("%Y-%m-%d").ok()?,
            'H' => format!("{hour:02}"),
            'I' => format!("{hour12:02}"),
            'j' => {
                let new_year = DateTime::from_civil([year, 1, 1], [0; 3])?;
                format!("{:03}", (self.0.unix() - new_year.unix()) / 86_400 + 1)
            }
            'm' => format!("{month:02}"),
            'M' => format!("{minute:02}"),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            'R' => self.strftime("%H:%M").ok()?,
            's' => self.0.unix().to_string(),
            'S' => format!("{second:02}"),
            'T' | 'X' => self.strftime("%H:%M:%S").ok()?,
            'u' => (self.0.weekday() + 1).to_string(),
            'w' => ((self.0.weekday() + 1) % 7).to_string(),
            'y' => format!("{:02}", year % 100),
            'Y' => year.to_string(),
            'z' => "+0000".to_owned(),
            'Z' => "UTC".to_owned(),
            '%' => "%".to_owned(),
            _ => return None,
        })
    }
}

impl fmt::Debug for DateTimeObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("datetime")
    }
}

impl Object for DateTimeObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let ([year, month, day], [hour, minute, second]) = self.0.civil();
        let number = match key {
            "year" => year,
            "month" => month,
            "day" => day,
            "hour" => hour,
            "minute" => minute,
            "second" => second,
            "microsecond" => 0,
            _ => return None,
        };
        Some(Value::from(number))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "strftime" => {
                let (format,): (&str,) = from_args(args)?;
                self.strftime(format).map(Value::from)
            }
            "isoformat" => {
                let (separator,): (Option<&str>,) = from_args(args)?;
                Ok(Value::from(self.isoformat(separator.unwrap_or("T"))))
            }
            "timestamp" => {
                let () = from_args(args)?;
                Ok(Value::from(self.0.unix() as f64))
            }
            "weekday" => {
                let () = from_args(args)?;
                Ok(Value::from(self.0.weekday()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.isoformat(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(unix: i64) -> DateTimeObject {
        DateTimeObject(DateTime::from_unix(unix).unwrap())
    }

    #[test]
    fn prints_as_in_python() {
        let leap_day = at(1_709_210_096);
        assert_eq!(Value::from_object(at(1_709_210_096)).to_string(), "2024-02-29 12:34:56+00:00");
        let mut repr = String::new();
        leap_day.push_repr(&mut repr);
        let full = "datetime.datetime(2024, 2, 29, 12, 34, 56, tzinfo=datetime.timezone.utc)";
        assert_eq!(repr, full);
        repr.clear();
        at(0).push_repr(&mut repr);
        assert_eq!(repr, "datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)");
    }

    #[test]
    fn formats_by_strftime() {
        let leap_day = at(1_709_210_096);
        for (format, expected) in [
            ("%Y-%m-%d %H:%M:%S", "2024-02-29 12:34:56"),
            ("%A, %-d. %B %y", "Thursday, 29. February 24"),
            ("%a %b %I:%M %p %j %w %Z %z %%", "Thu Feb 12:34 PM 060 4 UTC +0000 %"),
            ("%c|%x|%X", "Thu Feb 29 12:34:56 2024|02/29/24|12:34:56"),
        ] {
            assert_eq!(leap_day.strftime(format).unwrap(), expected);
        }
        assert_eq!(at(0).strftime("%-d %-H %e %I").unwrap(), "1 0  1 12");
        for bad in ["%", "%-", "%Q"] {
            assert!(leap_day.strftime(bad).is_err());
        }
    }
}
