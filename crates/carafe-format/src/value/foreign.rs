//! Conversions from and into the types of other crates, each behind the feature of its name.

#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
use super::DateTime;

#[cfg(feature = "uuid")]
mod with_uuid {
    use crate::Uuid;

    impl From<uuid::Uuid> for Uuid {
        fn from(id: uuid::Uuid) -> Self {
            Self::from_bytes(id.into_bytes())
        }
    }

    impl From<Uuid> for uuid::Uuid {
        fn from(id: Uuid) -> Self {
            Self::from_bytes(id.into_bytes())
        }
    }
}

#[cfg(feature = "jiff")]
mod with_jiff {
    use super::*;
    use jiff::Timestamp;

    impl From<Timestamp> for DateTime {
        fn from(time: Timestamp) -> Self {
            // Before 1970 jiff's fraction is negative.
            Self::saturating(time.as_second() - i64::from(time.subsec_nanosecond() < 0))
        }
    }

    impl From<DateTime> for Timestamp {
        fn from(time: DateTime) -> Self {
            // A timestamp has all the years that a `DateTime` has.
            Self::from_second(time.unix()).unwrap_or(Self::MAX)
        }
    }
}

#[cfg(feature = "chrono")]
mod with_chrono {
    use super::*;
    use chrono::{TimeZone, Utc};

    impl<Tz: TimeZone> From<chrono::DateTime<Tz>> for DateTime {
        fn from(time: chrono::DateTime<Tz>) -> Self {
            Self::saturating(time.timestamp())
        }
    }

    impl From<DateTime> for chrono::DateTime<Utc> {
        fn from(time: DateTime) -> Self {
            // chrono has all the years that a `DateTime` has.
            Self::from_timestamp(time.unix(), 0).unwrap_or(Self::MAX_UTC)
        }
    }
}

#[cfg(feature = "time")]
mod with_time {
    use super::*;
    use time::OffsetDateTime;

    impl From<OffsetDateTime> for DateTime {
        fn from(time: OffsetDateTime) -> Self {
            Self::saturating(time.unix_timestamp())
        }
    }

    impl From<DateTime> for OffsetDateTime {
        fn from(time: DateTime) -> Self {
            // `time` has all the years that a `DateTime` has.
            Self::from_unix_timestamp(time.unix()).unwrap_or(Self::UNIX_EPOCH)
        }
    }
}

#[cfg(test)]
mod tests {
    #[allow(unused_imports, reason = "each feature has tests of its own")]
    use super::*;

    #[cfg(feature = "uuid")]
    #[test]
    fn uuids_convert() {
        let id = uuid::uuid!("67e55044-10b1-426f-9247-bb680e5fe0c8");
        let ours = crate::Uuid::from(id);
        assert_eq!((ours.to_string(), uuid::Uuid::from(ours)), (id.to_string(), id));
    }

    #[cfg(feature = "jiff")]
    #[test]
    fn jiff_converts() {
        use jiff::Timestamp;

        let before = Timestamp::from_millisecond(-1500).unwrap();
        assert_eq!(DateTime::from(before).unix(), -2);
        let year_0 = DateTime::from(Timestamp::MIN);
        assert_eq!(year_0.to_string(), "Mon, 01 Jan 0001 00:00:00 GMT");
        let whole = Timestamp::from_second(1_709_210_096).unwrap();
        assert_eq!(Timestamp::from(DateTime::from(whole)), whole);
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn chrono_converts() {
        use chrono::{DateTime as Chrono, FixedOffset, Utc};

        let before = Chrono::from_timestamp_millis(-1500).unwrap();
        assert_eq!(DateTime::from(before).unix(), -2);
        let last = DateTime::from(Chrono::<Utc>::MAX_UTC);
        assert_eq!(last.to_string(), "Fri, 31 Dec 9999 23:59:59 GMT");
        let east = before.with_timezone(&FixedOffset::east_opt(3600).unwrap());
        assert_eq!(DateTime::from(east), DateTime::from(before));
        let whole = Chrono::from_timestamp(1_709_210_096, 0).unwrap();
        assert_eq!(Chrono::<Utc>::from(DateTime::from(whole)), whole);
    }

    #[cfg(feature = "time")]
    #[test]
    fn time_converts() {
        use time::{Duration, OffsetDateTime};

        let before = OffsetDateTime::UNIX_EPOCH - Duration::milliseconds(1500);
        assert_eq!(DateTime::from(before).unix(), -2);
        let whole = OffsetDateTime::from_unix_timestamp(1_709_210_096).unwrap();
        assert_eq!(OffsetDateTime::from(DateTime::from(whole)), whole);
    }
}
