//! The removal of what has expired, in the background.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::queue::Queue;
use crate::event;

/// How many records are removed in one call of the store.
const BATCH: u32 = 500;

/// Starts to remove expired records from time to time, for as long as the queue is in use.
pub(super) fn start(queue: &Arc<Queue>, interval: Duration) {
    if !interval.is_zero() {
        tokio::spawn(sweep(Arc::downgrade(queue), interval));
    }
}

async fn sweep(queue: Weak<Queue>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(queue) = queue.upgrade() else { return };
        loop {
            match queue.store.delete_expired(queue.clock.now(), BATCH).await {
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
