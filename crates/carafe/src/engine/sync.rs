//! The synchronisation primitives of the commit path. A test replaces them, to try every order in
//! which threads can reach the session lock.

use std::future::Future;

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
pub(super) use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, oneshot};
pub(super) use tokio::task::JoinHandle;
pub(super) use tokio::time::timeout;
use tracing::Instrument as _;

/// Spawns a task within the current span; `None` outside of a runtime.
pub(super) fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Option<JoinHandle<T>> {
    Handle::try_current().ok().map(|runtime| runtime.spawn(work.in_current_span()))
}
