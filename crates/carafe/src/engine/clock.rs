use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock that sessions are signed and judged by, in whole Unix seconds.
///
/// ```
/// use carafe::Clock;
///
/// let clock = Clock::fixed(1_700_000_000);
/// clock.advance(60);
/// assert_eq!(clock.now(), 1_700_000_060);
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
    #[must_use]
    pub fn system() -> Self {
        Self(Time::System)
    }

    /// A clock that stands still, for tests and for replaying recorded cookies. Its clones show the
    /// same time.
    #[must_use]
    pub fn fixed(unix_seconds: u64) -> Self {
        Self(Time::Fixed(Arc::new(AtomicU64::new(unix_seconds))))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> u64 {
        match &self.0 {
            // Before 1970 there were no sessions.
            Time::System => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
            }
            Time::Fixed(seconds) => seconds.load(Ordering::Relaxed),
        }
    }

    /// Moves a fixed clock, and all its clones, forward. The system's clock takes no notice.
    pub fn advance(&self, seconds: u64) {
        if let Time::Fixed(now) = &self.0 {
            now.fetch_add(seconds, Ordering::Relaxed);
        }
    }
}
