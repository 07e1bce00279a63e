use crate::{UnixSeconds, event};

/// A day, in seconds: how far a clock may be ahead of earlier times, and how long a clock further
/// ahead is doubted.
const DAY: u64 = 86_400;

/// The time by which a store without a clock of its own removes expired records.
///
/// A single wrong clock must not delete sessions that are alive for every other process. So a store
/// remembers the times of sweeps and, if possible, of writes:
///
/// 1. A time that is at most a day ahead of earlier times is trusted.
/// 2. A time further ahead is doubted. It is trusted after a day in which all times agreed with it.
/// 3. If two clocks disagree by more than a day, the one that is behind counts.
///
/// As a consequence, a service that was down for more than a day removes nothing for a day.
///
/// ```
/// use carafe::UnixSeconds;
/// use carafe::store::SweepClock;
///
/// const DAY: u64 = 86_400;
/// let now = UnixSeconds(1_700_000_000);
/// let mut clock = SweepClock::default();
/// assert_eq!(clock.read(now), now);
/// // Another process is 400 days ahead: what has expired by this clock alone stays.
/// assert_eq!(clock.read(now + 400 * DAY), now);
/// assert_eq!(clock.read(now + 60), now + 60);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepClock {
    trusted: Option<UnixSeconds>,
    doubted: Option<UnixSeconds>,
}

impl SweepClock {
    /// Restores a clock from the values of [`trusted`](Self::trusted) and
    /// [`doubted`](Self::doubted) that a store kept.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::store::SweepClock;
    ///
    /// let now = UnixSeconds(1_700_000_000);
    /// let mut clock = SweepClock::default();
    /// clock.read(now);
    /// // What a store writes down, and reads again:
    /// let (trusted, doubted) = (clock.trusted(), clock.doubted());
    /// assert_eq!(SweepClock::restore(trusted, doubted), clock);
    /// ```
    #[must_use]
    pub fn restore(trusted: Option<UnixSeconds>, doubted: Option<UnixSeconds>) -> Self {
        Self { trusted, doubted }
    }

    /// Returns the latest trusted time; `None` before the first one.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::store::SweepClock;
    ///
    /// const DAY: u64 = 86_400;
    /// let now = UnixSeconds(1_700_000_000);
    /// let mut clock = SweepClock::default();
    /// clock.read(now);
    /// clock.read(now + 400 * DAY);
    /// assert_eq!(clock.trusted(), Some(now));
    /// ```
    #[must_use]
    pub fn trusted(&self) -> Option<UnixSeconds> {
        self.trusted
    }

    /// Returns since when a time far ahead is doubted, by the clock that shows it; `None` if no
    /// time is doubted.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::store::SweepClock;
    ///
    /// const DAY: u64 = 86_400;
    /// let now = UnixSeconds(1_700_000_000);
    /// let mut clock = SweepClock::default();
    /// clock.read(now);
    /// clock.read(now + 400 * DAY);
    /// assert_eq!(clock.doubted(), Some(now + 400 * DAY));
    /// ```
    #[must_use]
    pub fn doubted(&self) -> Option<UnixSeconds> {
        self.doubted
    }

    /// Takes a caller's time, and returns the time by which the store may remove expired records:
    /// never later than `now`.
    ///
    /// ```
    /// use carafe::UnixSeconds;
    /// use carafe::store::SweepClock;
    ///
    /// const DAY: u64 = 86_400;
    /// let now = UnixSeconds(1_700_000_000);
    /// let mut clock = SweepClock::default();
    /// assert_eq!(clock.read(now), now);
    /// assert_eq!(clock.read(now + 400 * DAY), now);
    /// ```
    pub fn read(&mut self, now: UnixSeconds) -> UnixSeconds {
        let trusted = self.trusted.unwrap_or(now);
        if now <= trusted + DAY {
            let is_behind = now + DAY < trusted;
            self.trust(if is_behind { now } else { trusted.max(now) });
        } else {
            match self.doubted {
                Some(since) if now >= since + DAY => self.trust(now),
                Some(since) if now >= since => {}
                _ => {
                    event::clock_doubted(now.since(trusted));
                    self.doubted = Some(now);
                }
            }
        }
        now.min(self.trusted.unwrap_or(now))
    }

    fn trust(&mut self, time: UnixSeconds) {
        *self = Self { trusted: Some(time), doubted: None };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

    fn clock() -> SweepClock {
        let mut clock = SweepClock::default();
        assert_eq!(clock.read(NOW), NOW);
        clock
    }

    #[test]
    fn a_clock_that_goes_on_is_trusted() {
        let mut clock = clock();
        for now in [NOW, NOW + 60, NOW + 60 + DAY, NOW + 61 + DAY] {
            assert_eq!(clock.read(now), now);
        }
        // A clock that is a little behind the others gets its own time, and delays none of them.
        assert_eq!(clock.read(NOW + DAY), NOW + DAY);
        assert_eq!(clock.read(NOW + 62 + DAY), NOW + 62 + DAY);
    }

    #[test]
    fn a_clock_far_ahead_is_never_trusted_beside_another() {
        let mut clock = clock();
        for minute in 0..3 * 24 * 60 {
            let now = NOW + 60 * minute;
            assert_eq!(clock.read(now), now);
            assert_eq!(clock.read(now + 400 * DAY), now);
        }
    }

    /// This happens after the service was down, or a clock was set.
    #[test]
    fn a_jump_that_nothing_contradicts_is_trusted_after_a_day() {
        let (mut clock, later) = (clock(), NOW + 400 * DAY);
        for seconds in [0, 60, DAY - 1] {
            assert_eq!(clock.read(later + seconds), NOW);
        }
        assert_eq!(clock.read(later + DAY), later + DAY);
        // The day is counted from the earliest of the doubted times.
        let mut clock = self::clock();
        assert_eq!([later + 5 * DAY, later, later + DAY - 1].map(|now| clock.read(now)), [NOW; 3]);
        assert_eq!(clock.read(later + DAY), later + DAY);
    }

    #[test]
    fn a_clock_that_was_ahead_first_is_corrected() {
        let mut clock = SweepClock::default();
        clock.read(NOW + 400 * DAY);
        assert_eq!(clock.read(NOW), NOW);
        assert_eq!(clock.read(NOW + 400 * DAY), NOW);
    }

    #[test]
    fn distant_times_overflow_nothing() {
        let mut clock = SweepClock::default();
        for now in [0, u64::MAX, 1, u64::MAX - 1].map(UnixSeconds) {
            assert!(clock.read(now) <= UnixSeconds(1));
        }
        assert_eq!(clock, SweepClock::restore(clock.trusted(), clock.doubted()));
    }
}
