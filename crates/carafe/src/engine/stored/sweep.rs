//! The removal of expired records, in the background.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Sessions;
use crate::event;

/// How many records are removed in one call of the store.
const BATCH: u32 = 500;

/// The longest time for which an expired record is kept, in seconds.
const KEPT: u64 = 86_400;

/// Whether a task removes expired records.
///
/// The task ends with the runtime that it was spawned in. It is then started again by the next
/// request, in that request's runtime: one layer may be used in several runtimes, one after the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Sweeping(Arc<AtomicBool>);

/// Held by the task; says that it has ended when it is dropped.
struct Running(Sweeping);

impl Sweeping {
    /// Starts to remove expired records from time to time, for as long as a layer uses the store, unless
    /// a task does so already.
    pub(super) fn start(&self, sessions: &Arc<Sessions>, interval: Duration) {
        if interval.is_zero() || self.0.load(Ordering::Relaxed) {
            return;
        }
        if !self.0.swap(true, Ordering::Relaxed) {
            let running = Running(self.clone());
            tokio::spawn(sweep(running, Arc::downgrade(sessions), interval));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Self(Sweeping(running)) = self;
        running.store(false, Ordering::Relaxed);
    }
}

async fn sweep(_running: Running, sessions: Weak<Sessions>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(sessions) = sessions.upgrade() else { return };
        // Well past the end: what a clock that is a little ahead takes for expired is still there when
        // the clock is right again. Sessions that end soon after their last use are not kept for long.
        let kept = sessions.rules.idle.min(KEPT);
        let now = sessions.clock.now().saturating_sub(kept);
        loop {
            match sessions.store.delete_expired(now, BATCH).await {
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
