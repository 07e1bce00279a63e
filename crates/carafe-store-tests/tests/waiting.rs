//! The cost of waiting for the end of many sessions.
//!
//! A program of its own, since it replaces the allocator by one that counts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{Future as _, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use carafe::engine::Sessions;
use carafe::store::MemoryStore;
use carafe::{Config, SecretKey, Session, SessionEnded};
use carafe_store_tests::{Call, Fate, Intercepted};
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

const SESSIONS: usize = 10_000;

/// The most bytes that one of them may take, the future itself included. `docs/live.md` says so.
const MOST: usize = 450;

/// Sessions in memory, and how many calls reach the store.
fn sessions() -> (Sessions, Arc<AtomicU64>) {
    let calls = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&calls);
    let store = Intercepted::new(MemoryStore::new(), move |call| {
        if call != Call::DeleteExpired {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(ready(Fate::Done))
    });
    let config = Config::hardened().watch_interval(Duration::from_secs(600));
    (Sessions::new(SecretKey::random().unwrap(), config).unwrap().in_store(store), calls)
}

async fn begin(sessions: &Sessions, user: String) -> Session {
    let request = sessions.request([] as [&str; 0]);
    let session = Session::open(&request).await.unwrap();
    session.login(user).unwrap();
    session.save().await.unwrap();
    session
}

/// Waits until the store is left alone.
async fn settled(calls: &AtomicU64) -> u64 {
    loop {
        let before = calls.load(Ordering::SeqCst);
        sleep(Duration::from_millis(100)).await;
        if calls.load(Ordering::SeqCst) == before {
            return before;
        }
    }
}

#[test]
fn ten_thousand_that_wait_cost_a_load_each_and_few_bytes() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (sessions, calls) = sessions();
    let begun: Vec<Session> = runtime.block_on(async {
        let mut begun = Vec::new();
        for number in 0..SESSIONS {
            begun.push(begin(&sessions, number.to_string()).await);
        }
        begun
    });
    let mut waiting: Vec<SessionEnded> = begun.iter().map(Session::ended).collect();
    calls.store(0, Ordering::SeqCst);

    let taken = allocation_counter::measure(|| {
        runtime.block_on(async {
            let mut context = Context::from_waker(Waker::noop());
            for one in &mut waiting {
                assert!(Pin::new(one).poll(&mut context).is_pending());
            }
            // Each is looked at once, 32 of them in one call where the store can do that.
            assert_eq!(settled(&calls).await, SESSIONS as u64);
        });
    });
    let each = size_of::<SessionEnded>() + usize::try_from(taken.bytes_current).unwrap() / SESSIONS;
    println!("{each} bytes each");
    assert!(each <= MOST, "{each} bytes each");

    runtime.block_on(async {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(
            calls.load(Ordering::SeqCst),
            SESSIONS as u64,
            "nothing is asked before its time"
        );
        // The end of one of them is noticed at once, and costs a look at that one.
        let users = sessions.users().unwrap();
        assert_eq!(users.logout("7000").await.unwrap(), 1);
        let ended = waiting.remove(7000);
        timeout(Duration::from_secs(5), ended).await.unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), SESSIONS as u64 + 2);
    });
}
