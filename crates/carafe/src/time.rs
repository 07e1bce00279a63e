use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time in whole seconds since 1970 (UTC), as stores keep it.
///
/// Adding and subtracting seconds saturates at the first and the last representable time. The
/// conversions from and to [`SystemTime`] connect it with other crates' types.
///
/// ```
/// use carafe::UnixSeconds;
///
/// let login = UnixSeconds(1_700_000_000);
/// assert_eq!((login + 60).since(login), 60);
/// assert_eq!(login.since(login + 60), 0);
/// assert_eq!(UnixSeconds::MAX + 1, UnixSeconds::MAX);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// The last representable time.
    pub const MAX: Self = Self(u64::MAX);

    /// Returns the number of seconds that have passed since an earlier time; 0 if that time is
    /// later.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    ///
    /// let login = UnixSeconds(1_700_000_000);
    /// assert_eq!(UnixSeconds(1_700_000_060).since(login), 60);
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<u64> for UnixSeconds {
    type Output = Self;

    /// Returns the time so many seconds later.
    fn add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl Sub<u64> for UnixSeconds {
    type Output = Self;

    /// Returns the time so many seconds earlier.
    fn sub(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }
}

impl From<u64> for UnixSeconds {
    fn from(seconds: u64) -> Self {
        Self(seconds)
    }
}

impl From<SystemTime> for UnixSeconds {
    /// Converts a time, without its fraction of a second. Times before 1970 become 1970.
    fn from(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl TryFrom<UnixSeconds> for SystemTime {
    type Error = crate::Error;

    /// # Errors
    /// [`ErrorKind::Value`](crate::ErrorKind::Value) if the system can't represent the time.
    fn try_from(time: UnixSeconds) -> Result<Self, Self::Error> {
        UNIX_EPOCH.checked_add(Duration::from_secs(time.0)).ok_or_else(|| {
            crate::Error::new(crate::ErrorKind::Value, "the system's clock has no time so late")
        })
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
