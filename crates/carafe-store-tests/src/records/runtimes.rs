//! Stores that outlive the runtime in which they were used first, as a `static` does in tests, and
//! those that several runtimes share, as actix-web's workers do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use carafe::store::SessionStore;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use crate::Fixture;
use crate::support::{NOW, create, is_there, load, record_of, record_with, written};

/// Runs something in a runtime of its own, which has ended when this is done.
pub(crate) async fn in_a_runtime<W: Future<Output = ()>>(
    builder: impl FnOnce() -> Builder + Send + 'static,
    work: impl FnOnce() -> W + Send + 'static,
) {
    let run = move || builder().enable_all().build().unwrap().block_on(work());
    spawn_blocking(run).await.unwrap();
}

/// A runtime whose clock is paused.
pub(crate) fn paused() -> Builder {
    let mut builder = Builder::new_current_thread();
    builder.start_paused(true);
    builder
}

async fn use_store(store: &impl SessionStore) {
    let id = create(store, &record_of("ada")).await;
    let stored = load(store, &id).await;
    written(store.update(&id, stored.version, &record_of("ada"), NOW).await.unwrap());
    assert_eq!(store.list_for_user("ada", NOW).await.unwrap().len(), 1);
    assert_eq!(store.delete_for_user("ada", None).await.unwrap(), 1);
    assert!(!is_there(store, &id).await);
}

/// A store is used by one runtime after the other, and the first call of each is as good as any.
pub async fn one_runtime_may_follow_another(fixture: impl Fixture) {
    let store = Arc::new(fixture.open().await);
    for number in 0..6 {
        let store = Arc::clone(&store);
        let builder = move || match number % 2 {
            0 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        in_a_runtime(builder, move || async move { use_store(&*store).await }).await;
    }
    use_store(&*store).await;
}

/// Two runtimes share a store, and the one that has used it first ends. The other notices nothing.
pub async fn a_runtime_that_ends_harms_no_other(fixture: impl Fixture) {
    let store = Arc::new(fixture.open().await);
    for _ in 0..5 {
        let (begins, begun) = oneshot::channel();
        let (ends, end) = oneshot::channel::<()>();
        let first = Arc::clone(&store);
        let first = in_a_runtime(Builder::new_current_thread, move || async move {
            let id = create(&*first, &record_with("first")).await;
            assert!(is_there(&*first, &id).await);
            begins.send(()).unwrap();
            end.await.unwrap();
        });
        let (has_ended, shared) = (Arc::new(AtomicBool::new(false)), Arc::clone(&store));
        let is_over = Arc::clone(&has_ended);
        let second = in_a_runtime(Builder::new_current_thread, move || async move {
            begun.await.unwrap();
            let id = create(&*shared, &record_with("second")).await;
            let (mut ends, mut rounds) = (Some(ends), 0);
            while rounds < 20 || !is_over.load(Ordering::SeqCst) {
                let stored = load(&*shared, &id).await;
                let next = record_with(format!("{rounds}"));
                written(shared.update(&id, stored.version, &next, NOW).await.unwrap());
                rounds += 1;
                if rounds == 10 {
                    ends.take().unwrap().send(()).unwrap();
                }
            }
        });
        let first = async {
            first.await;
            has_ended.store(true, Ordering::SeqCst);
        };
        tokio::join!(first, second);
    }
}

/// Tests pause tokio's clock, which then jumps to the next timer whenever nothing else is to be done: a
/// server's answer, which takes real time, must not be late by that.
pub async fn a_paused_clock_refuses_no_call(fixture: impl Fixture) {
    let store = Arc::new(fixture.open().await);
    in_a_runtime(paused, move || async move {
        for _ in 0..10 {
            use_store(&*store).await;
        }
    })
    .await;
}

/// A store is dropped outside of any runtime.
pub async fn a_store_may_be_dropped_anywhere(fixture: impl Fixture) {
    let store = fixture.open().await;
    use_store(&store).await;
    thread::spawn(move || drop(store)).join().unwrap();
}
