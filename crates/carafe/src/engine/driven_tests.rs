use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::driven::Driven;

#[tokio::test]
async fn work_that_waits_for_nothing_is_done_at_once() {
    assert!(matches!(Driven::start(async { 1 }), Driven::Done(Some(1))));
}

#[tokio::test]
async fn dropping_it_does_not_cancel_the_work() {
    let done = Arc::new(AtomicBool::new(false));
    let (send, receive) = oneshot::channel::<()>();
    let flag = Arc::clone(&done);
    drop(Driven::start(async move {
        receive.await.unwrap();
        flag.store(true, Ordering::SeqCst);
    }));
    send.send(()).unwrap();
    yield_now().await;
    assert!(done.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_panic_gives_no_output() {
    assert_eq!(Driven::<()>::start(async { panic!("in the first poll") }).await, None);
    let later = Driven::<()>::start(async {
        yield_now().await;
        panic!("in the task")
    });
    assert_eq!(later.await, None);
}

#[test]
fn without_a_runtime_it_ends_without_output() {
    let driven = Driven::<()>::start(std::future::pending());
    assert!(matches!(driven, Driven::Done(None)));
}
