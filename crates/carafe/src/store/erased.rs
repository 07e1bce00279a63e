use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::{
    Deleted, Revocations, SessionStore, StoreError, StoreErrorKind, Stored, TimeLimit, Updated,
    Version,
};
use crate::event::{self, Started};
use crate::id::SessionIdHash;
use crate::record::Record;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store of any type, whose every call ends within a time.
#[derive(Clone)]
pub(crate) struct Store {
    store: Arc<dyn Erased>,
    limit: TimeLimit,
}

impl Store {
    pub(crate) fn new(store: impl SessionStore, timeout: Duration) -> Self {
        Self { store: Arc::new(store), limit: TimeLimit::new(timeout) }
    }

    /// The same store with another time limit.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { limit: TimeLimit::new(timeout), ..self }
    }
}

/// Waits for a call. An error of this kind says that its time is over: for a call that may have had its
/// effect it is another kind than for one that has none.
async fn wait<T>(
    limit: TimeLimit,
    operation: &'static str,
    kind: StoreErrorKind,
    call: Pin<&mut impl Future<Output = Result<T, StoreError>>>,
) -> Result<T, StoreError> {
    let span = event::span!("store", operation);
    let started = Started::now();
    let answer = limit.run(call).instrument(span).await;
    event::store_called(operation, started);
    let late = || {
        let text = format!("the session store did not answer within {:?}", limit.duration());
        Err(StoreError::new(kind, text))
    };
    answer.unwrap_or_else(late)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Declares the object-safe twin of [`SessionStore`], whose calls end within a time, its implementation
/// for every store, and the methods of [`Store`] that call it.
macro_rules! erase {
    ($($late:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        trait Erased: Send + Sync {
            $(fn $name<'a>(&'a self, limit: TimeLimit, $($arg: $type),*) -> Answer<'a, $answer>;)*
        }

        impl<S: SessionStore> Erased for S {
            $(fn $name<'a>(&'a self, limit: TimeLimit, $($arg: $type),*) -> Answer<'a, $answer> {
                // All of it is in one box, and the call is in one place there.
                Box::pin(async move {
                    let call = pin!(SessionStore::$name(self, $($arg),*));
                    wait(limit, stringify!($name), StoreErrorKind::$late, call).await
                })
            })*
        }

        impl Store {
            $(pub(crate) fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $answer> {
                self.store.$name(self.limit, $($arg),*)
            })*
        }
    };
}

erase! {
    Uncertain create(id: &'a SessionIdHash, record: &'a Record, now: u64) -> bool;
    Unavailable load(id: &'a SessionIdHash, now: u64) -> Option<Stored>;
    Uncertain update(id: &'a SessionIdHash, expected: Version, record: &'a Record, now: u64)
        -> Updated;
    Uncertain delete(id: &'a SessionIdHash, expected: Option<Version>) -> Deleted;
    Unavailable list_for_user(user: &'a str, now: u64) -> Vec<(SessionIdHash, Stored)>;
    Uncertain delete_for_user(user: &'a str, keep: Option<&'a SessionIdHash>) -> u64;
    Uncertain delete_expired(now: u64, count: u32) -> u64;
    Uncertain revoke(id: &'a SessionIdHash, until: u64, now: u64) -> ();
    Uncertain revoke_user(user: &'a str, time: u64, until: u64, now: u64) -> ();
    Unavailable revocations(id: &'a SessionIdHash, user: Option<&'a str>, now: u64) -> Revocations;
}
