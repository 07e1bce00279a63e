use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use carafe::SessionStore;
use carafe::store::Version;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::Fixture;
use crate::support::{NOW, create, is_there, record_with, written};

/// How many calls go on in one runtime while another one ends.
const CALLS: u64 = 200;

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What a thread does, without holding up the runtime that waits for it.
async fn in_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(work);
    while !thread.is_finished() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A store may be used in one runtime after the other, as a static one is by tests with a runtime
/// each: not even the first call in a later runtime fails.
pub async fn a_store_outlives_its_runtimes(fixture: impl Fixture) {
    let store = Arc::new(fixture.open().await);
    for several_threads in [false, true, false, true] {
        let store = Arc::clone(&store);
        in_a_thread(move || {
            let runtime = match several_threads {
                true => Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
                false => one_thread(),
            };
            runtime.block_on(async {
                let id = create(&store, &record_with("0")).await;
                let next = record_with("1");
                written(store.update(&id, Version(1), &next, NOW).await.unwrap());
                assert!(is_there(&store, &id).await);
            });
        })
        .await;
    }
}

/// The end of one runtime fails no call in another one, as when one of several workers ends first.
pub async fn the_end_of_a_runtime_fails_no_call_in_another(fixture: impl Fixture) {
    let store = Arc::new(fixture.open().await);
    for _ in 0..10 {
        let (first, second) = (Arc::clone(&store), Arc::clone(&store));
        let (tell, told) = channel();
        let (go_on, may_end) = oneshot::channel::<()>();
        let worker = thread::spawn(move || {
            one_thread().block_on(async {
                // Whatever the store keeps open is opened here.
                create(&first, &record_with("0")).await;
                tell.send(()).unwrap();
                // Until the other one is in the midst of its calls.
                may_end.await.unwrap();
            });
        });
        in_a_thread(move || {
            told.recv().unwrap();
            one_thread().block_on(async {
                let id = create(&second, &record_with("0")).await;
                let (mut version, mut go_on) = (Version(1), Some(go_on));
                for number in 0..CALLS {
                    if number == CALLS / 4 {
                        go_on.take().unwrap().send(()).unwrap();
                    }
                    let next = record_with(format!("{number}"));
                    version = written(second.update(&id, version, &next, NOW).await.unwrap());
                }
                assert_eq!(version, Version(CALLS + 1));
            });
        })
        .await;
        worker.join().unwrap();
    }
}

/// A test that pauses tokio's clock can use the store: no call is late before its time.
pub async fn a_paused_clock_refuses_nothing(fixture: impl Fixture) {
    let store = Arc::new(fixture.open().await);
    in_a_thread(move || {
        let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        paused.block_on(async {
            let id = create(&store, &record_with("0")).await;
            let mut version = Version(1);
            for number in 0..20 {
                let next = record_with(format!("{number}"));
                version = written(store.update(&id, version, &next, NOW).await.unwrap());
                assert!(is_there(&store, &id).await);
                store.delete_expired(NOW, 10).await.unwrap();
            }
        });
    })
    .await;
}
