//! The times when users' indexes were last used, on a server that drops unused keys.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::value::Owner;
use carafe::UnixSeconds;

/// The number of users that are remembered at a time.
const PLACES: usize = 4096;

/// The interval, in seconds, at which an index is touched while its user's sessions are read.
const INTERVAL: u64 = 60;

/// The users whose index was touched within the last minute, or nearly all of them.
pub(crate) struct Touched(Box<[AtomicU64]>);

impl Touched {
    pub(crate) fn new() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::default()).collect())
    }

    /// Whether a user's index is due to be touched. It then counts as touched.
    pub(crate) fn is_due(&self, owner: &Owner, now: UnixSeconds) -> bool {
        let owner = u64::from_be_bytes(*owner.as_bytes());
        let place = &self.0[owner as usize % PLACES];
        // Another user of the same place takes it: then one is touched too often.
        let mark = (owner ^ (now.0 / INTERVAL)).max(1);
        place.swap(mark, Ordering::Relaxed) != mark
    }
}

impl fmt::Debug for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Touched").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_touched_once_in_a_minute() {
        let touched = Touched::new();
        let (ann, bob) = (Owner::of("ann"), Owner::of("bob"));
        assert!(touched.is_due(&ann, UnixSeconds(600)) && touched.is_due(&bob, UnixSeconds(600)));
        assert!(!touched.is_due(&ann, UnixSeconds(659)) && !touched.is_due(&bob, UnixSeconds(601)));
        assert!(touched.is_due(&ann, UnixSeconds(660)));
    }
}
