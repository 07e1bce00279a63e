use carafe::store::RevocationStore;
use std::future::Future;
use std::time::Duration;

use carafe::store::SessionStore;
use tokio::runtime::Builder;

/// An empty place for sessions: a database, a file, a server.
///
/// ```
/// use std::sync::Arc;
///
/// use carafe::store::MemoryStore;
/// use carafe_store_tests::Fixture;
///
/// /// The memory of this process.
/// struct Memory(Arc<MemoryStore>);
///
/// impl Fixture for Memory {
///     type Store = Arc<MemoryStore>;
///
///     async fn open(&self) -> Self::Store {
///         Arc::clone(&self.0)
///     }
/// }
/// ```
pub trait Fixture: Send + Sync + 'static {
    /// The store under test.
    type Store: SessionStore + RevocationStore;

    /// Opens the place. Every call gives a store of its own, with connections of its own, as two
    /// processes on one database would have them.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Whether the store removes expired records by itself, in real time, as Redis does. The tests
    /// can't tell then which records [`SessionStore::delete_expired`] finds under a test's clock.
    fn expires_by_itself(&self) -> bool {
        false
    }

    /// Whether a store tells what has ended through another one, as in another process. If its
    /// [`watch`](SessionStore::watch) returns nothing, nothing is asked of it in any case.
    fn tells_other_processes(&self) -> bool {
        true
    }
}

/// The time limit of a case. One that hangs fails.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs one case: what the tests that [`suite!`](crate::suite) makes do.
///
/// # Panics
/// If the case panics, or takes more than five minutes.
pub fn run(case: impl Future<Output = ()>) {
    run_in(Builder::new_multi_thread().worker_threads(4), case);
}

/// Runs one case of [`interleavings`](crate::interleavings), which needs a runtime of one thread.
///
/// # Panics
/// The panics of [`run`].
pub fn run_on_one_thread(case: impl Future<Output = ()>) {
    run_in(&mut Builder::new_current_thread(), case);
}

fn run_in(runtime: &mut Builder, case: impl Future<Output = ()>) {
    let runtime = runtime.enable_all().build().expect("a runtime for the case");
    runtime.block_on(async {
        tokio::time::timeout(LIMIT, case).await.expect("the case to end within five minutes");
    });
    // A store's own threads may still wait for something that never comes.
    runtime.shutdown_background();
}
