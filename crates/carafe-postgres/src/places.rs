//! The limit on a pool's connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use carafe::store::{StoreError, StoreErrorKind, TimeLimit};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The time for which the pool stays smaller after the server had no room for another connection.
const CLOSED: Duration = Duration::from_secs(5);

/// The places for a pool's connections.
///
/// If the server or a limit of the role has room for fewer connections than the pool would open,
/// places are closed, so that statements wait for the open connections. From time to time one place
/// is opened again.
pub(crate) struct Places {
    size: usize,
    permits: Semaphore,
    /// The number of open places.
    open: AtomicUsize,
    /// The time when a place was last closed or opened.
    changed: Mutex<Option<Instant>>,
}

/// A place for one connection.
pub(crate) struct Place<'a> {
    places: &'a Places,
    permit: SemaphorePermit<'a>,
}

impl Places {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            permits: Semaphore::new(size),
            open: AtomicUsize::new(size),
            changed: Mutex::default(),
        }
    }

    /// Waits for a place, from `began` on and within the time limit for an answer.
    pub(crate) async fn take(
        &self,
        limit: TimeLimit,
        began: Instant,
    ) -> Result<Place<'_>, StoreError> {
        self.reopen();
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(Place { places: self, permit });
        }
        let left = limit.duration().saturating_sub(began.elapsed());
        match Box::pin(TimeLimit::new(left).run(self.permits.acquire())).await {
            Some(Ok(permit)) => Ok(Place { places: self, permit }),
            _ => Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "all connections to PostgreSQL are in use: it is slow, or the pool is too small",
            )),
        }
    }

    /// Opens a place again if it was closed for long enough.
    fn reopen(&self) {
        if self.open.load(Ordering::Relaxed) == self.size {
            return;
        }
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if changed.is_none_or(|at| at.elapsed() > CLOSED) {
            *changed = Some(Instant::now());
            self.open.fetch_add(1, Ordering::SeqCst);
            self.permits.add_permits(1);
        }
    }
}

impl Place<'_> {
    /// Whether other places are taken as well.
    pub(crate) fn others(&self) -> bool {
        let free = self.places.permits.available_permits();
        self.places.open.load(Ordering::SeqCst).saturating_sub(free) > 1
    }

    /// Closes this place, since the server has no room for its connection.
    pub(crate) fn close(self) {
        let mut changed = self.places.changed.lock().unwrap_or_else(PoisonError::into_inner);
        *changed = Some(Instant::now());
        self.places.open.fetch_sub(1, Ordering::SeqCst);
        self.permit.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit() -> TimeLimit {
        TimeLimit::new(Duration::from_millis(20))
    }

    #[tokio::test]
    async fn a_closed_place_is_had_no_more() {
        let (places, limit) = (Places::new(3), limit());
        let one = places.take(limit, Instant::now()).await.unwrap();
        assert!(!one.others());
        let two = places.take(limit, Instant::now()).await.unwrap();
        assert!(one.others() && two.others());
        two.close();
        assert!(!one.others());
        let _two = places.take(limit, Instant::now()).await.unwrap();
        assert!(places.take(limit, Instant::now()).await.is_err());
    }

    #[tokio::test]
    async fn a_closed_place_is_opened_again_after_a_while() {
        let (places, limit) = (Places::new(2), limit());
        let _one = places.take(limit, Instant::now()).await.unwrap();
        places.take(limit, Instant::now()).await.unwrap().close();
        assert!(places.take(limit, Instant::now()).await.is_err());
        let before = Instant::now().checked_sub(CLOSED + CLOSED);
        *places.changed.lock().unwrap() = before;
        let _two = places.take(limit, Instant::now()).await.unwrap();
        *places.changed.lock().unwrap() = before;
        assert!(places.take(limit, Instant::now()).await.is_err());
    }
}
