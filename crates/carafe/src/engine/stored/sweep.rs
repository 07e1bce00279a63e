//! The removal of what has expired, in the background.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Sessions;
use crate::event;

/// How many records are removed in one call of the store.
const BATCH: u32 = 500;

/// Starts to remove expired records from time to time, for as long as a layer uses the store.
pub(super) fn start(sessions: &Arc<Sessions>, interval: Duration) {
    if !interval.is_zero() {
        tokio::spawn(sweep(Arc::downgrade(sessions), interval));
    }
}

async fn sweep(sessions: Weak<Sessions>, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(sessions) = sessions.upgrade() else { return };
        loop {
            match sessions.store.delete_expired(sessions.clock.now(), BATCH).await {
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
