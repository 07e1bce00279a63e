//! The removal of what has expired, in the background.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::event;
use crate::store::Answer;

/// How many records are removed in one call of the store.
pub(in crate::engine) const BATCH: u32 = 500;

/// Removes up to [`BATCH`] expired records, and returns how many.
type Delete<T> = for<'a> fn(&'a T) -> Answer<'a, u64>;

/// Starts to remove expired records from time to time, for as long as a layer uses the store.
pub(in crate::engine) fn start<T>(of: &Arc<T>, interval: Duration, delete: Delete<T>)
where
    T: Send + Sync + 'static,
{
    if !interval.is_zero() {
        tokio::spawn(sweep(Arc::downgrade(of), interval, delete));
    }
}

async fn sweep<T>(of: Weak<T>, interval: Duration, delete: Delete<T>) {
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
