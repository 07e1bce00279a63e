use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::UnixSeconds;

/// The clock that sessions are signed and judged by, in whole Unix seconds.
///
/// ```
/// use carafe::{Clock, UnixSeconds};
///
/// let clock = Clock::fixed(1_700_000_000);
/// clock.advance(60);
/// assert_eq!(clock.now(), UnixSeconds(1_700_000_060));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Time);

#[derive(Clone, Debug, Default)]
enum Time {
    #[default]
    System,
    Fixed(Arc<AtomicU64>),
}

impl Clock {
    /// The system's clock.
    ///
    /// ```
    /// use carafe::{Clock, UnixSeconds};
    ///
    /// assert!(Clock::system().now() > UnixSeconds(1_700_000_000));
    /// ```
    #[must_use]
    pub fn system() -> Self {
        Self(Time::System)
    }

    /// A clock that stands still, for tests and for replaying recorded cookies. Its clones show the
    /// same time.
    ///
    /// ```
    /// use carafe::{Clock, UnixSeconds};
    ///
    /// let clock = Clock::fixed(1_700_000_000);
    /// assert_eq!(clock.now(), UnixSeconds(1_700_000_000));
    /// ```
    #[must_use]
    pub fn fixed(time: impl Into<UnixSeconds>) -> Self {
        Self(Time::Fixed(Arc::new(AtomicU64::new(time.into().0))))
    }

    /// The time now.
    ///
    /// ```
    /// use carafe::{Clock, UnixSeconds};
    ///
    /// let time: UnixSeconds = Clock::system().now();
    /// ```
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        match &self.0 {
            Time::System => SystemTime::now().into(),
            Time::Fixed(seconds) => UnixSeconds(seconds.load(Ordering::Relaxed)),
        }
    }

    /// The time now or a few milliseconds ago: where there is a clock that is quick to read, as on
    /// Linux, that one's, which is never ahead.
    #[inline]
    pub(crate) fn just_now(&self) -> UnixSeconds {
        match &self.0 {
            Time::System => coarse().unwrap_or_else(|| self.now()),
            Time::Fixed(_) => self.now(),
        }
    }

    /// Whether this is the system's clock, which goes on by itself.
    pub(crate) fn is_system(&self) -> bool {
        matches!(self.0, Time::System)
    }

    /// Moves a fixed clock, and all its clones, forward. The system's clock takes no notice.
    ///
    /// ```
    /// use carafe::{Clock, UnixSeconds};
    ///
    /// let clock = Clock::fixed(1_700_000_000);
    /// let clone = clock.clone();
    /// clock.advance(60);
    /// assert_eq!(clone.now(), UnixSeconds(1_700_000_060));
    /// ```
    pub fn advance(&self, seconds: u64) {
        if let Time::Fixed(now) = &self.0 {
            now.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}

/// The time of the kernel's last tick, which takes a tenth of the time to read.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn coarse() -> Option<UnixSeconds> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    u64::try_from(time.tv_sec).ok().map(UnixSeconds)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn coarse() -> Option<UnixSeconds> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn just_now_is_now_or_a_moment_ago() {
        let clock = Clock::system();
        let (before, just_now, after) = (clock.now(), clock.just_now(), clock.now());
        assert!((before - 1..=after).contains(&just_now), "{just_now}, {after}");
        let fixed = Clock::fixed(7);
        fixed.advance(1);
        assert_eq!(fixed.just_now(), UnixSeconds(8));
    }
}
