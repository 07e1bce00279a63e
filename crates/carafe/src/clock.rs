use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::UnixSeconds;

/// The clock by which sessions are signed and expire, in whole Unix seconds.
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
    /// Returns the system's clock.
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

    /// Returns a clock that stands still, for tests and for replaying recorded cookies. Its clones
    /// show the same time.
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

    /// Returns the present time.
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

    /// Returns the present time, or the time a few milliseconds ago if the system has a clock that
    /// is quicker to read, as Linux does. The result is never in the future.
    #[inline]
    pub(crate) fn just_now(&self) -> UnixSeconds {
        match &self.0 {
            Time::System => coarse().unwrap_or_else(|| self.now()),
            Time::Fixed(_) => self.now(),
        }
    }

    /// Returns whether this is the system's clock.
    pub(crate) fn is_system(&self) -> bool {
        matches!(self.0, Time::System)
    }

    /// Moves a fixed clock, and all its clones, forward. It has no effect on the system's clock.
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

/// Returns the time of the kernel's last tick, which is ten times as fast to read.
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
