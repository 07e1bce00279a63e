//! Time limits by the real clock.
//!
//! A test can pause tokio's clock, which then jumps to the next timer as soon as nothing else is to
//! be done. A server's answer takes real time, and would always be late by that clock.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Waits for a future; `None` if it takes longer than the limit.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    if !is_paused() {
        return timeout(limit, future).await.ok();
    }
    let (stop, stopped) = channel::<()>();
    // As long as such a task runs, the paused clock stands still.
    let timer = spawn_blocking(move || {
        // Either the time is over, or the future is done.
        let _ = stopped.recv_timeout(limit);
    });
    let done = match select(pin!(future), timer).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    };
    drop(stop);
    done
}

/// Whether the runtime's clock stands still. It can do so in runtimes of one thread only.
pub(crate) fn is_paused() -> bool {
    let is_alone = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread);
    if !is_alone {
        return false;
    }
    let (shown, began) = (tokio::time::Instant::now(), Instant::now());
    // Until the system's clock has gone on, which is at once unless it is a coarse one.
    while began.elapsed() == Duration::ZERO {
        std::hint::spin_loop();
    }
    tokio::time::Instant::now() == shown
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_known_and_stands_still() {
        assert!(is_paused());
        let (began, shown) = (Instant::now(), tokio::time::Instant::now());
        let limit = Duration::from_millis(50);
        assert_eq!(within(limit, pending::<()>()).await, None);
        assert!(began.elapsed() >= limit);
        assert_eq!(tokio::time::Instant::now(), shown);
        assert_eq!(within(limit, async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn a_clock_that_goes_on_is_no_paused_one() {
        for _ in 0..1_000 {
            assert!(!is_paused());
        }
        let limit = Duration::from_millis(20);
        assert_eq!(within(limit, sleep(Duration::from_secs(9))).await, None);
        assert_eq!(within(limit, sleep(Duration::from_millis(1))).await, Some(()));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_runtime_of_several_threads_has_no_paused_clock() {
        assert!(!is_paused());
    }
}
