//! The sweep: the removal of expired records in the background.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::event;
use crate::store::Answer;

/// The number of records that are removed in one call of the store.
pub(in crate::engine) const BATCH: u32 = 500;

/// The longest time for which an expired record is kept, in seconds, so that a clock that is a
/// little ahead removes no live session.
pub(in crate::engine) const KEPT: u64 = 86_400;

/// A function that removes up to [`BATCH`] expired records, and returns their number.
type Delete<T> = for<'a> fn(&'a T) -> Answer<'a, u64>;

/// Whether a task removes expired records.
///
/// The task ends with its runtime. The next request starts it again in the request's runtime, since
/// a layer may be used in several runtimes, one after the other.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Sweeping(Arc<AtomicBool>);

/// A guard that the task holds; dropping it records the end of the task.
struct Running(Sweeping);

impl Sweeping {
    /// Starts the sweep, unless it runs already. It goes on for as long as a layer uses the store.
    pub(in crate::engine) fn start<T>(&self, of: &Arc<T>, interval: Duration, delete: Delete<T>)
    where
        T: Send + Sync + 'static,
    {
        if interval.is_zero() || self.0.load(Ordering::Relaxed) {
            return;
        }
        if !self.0.swap(true, Ordering::Relaxed) {
            let running = Running(self.clone());
            tokio::spawn(sweep(running, Arc::downgrade(of), interval, delete));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self(Sweeping(running)) = self;
        running.store(false, Ordering::Relaxed);
    }
}

async fn sweep<T>(_running: Running, of: Weak<T>, interval: Duration, delete: Delete<T>) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(of) = of.upgrade() else { return };
        loop {
            match delete(&of).await {
                Ok(removed) => {
                    event::swept(removed);
                    if removed < u64::from(BATCH) {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                Err(error) => {
                    // The next round tries again.
                    event::store_failed(&error);
                    break;
                }
            }
        }
    }
}
