use std::any::Any;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::{
    Deleted, MemoryStore, Revocations, SessionStore, StoreError, StoreErrorKind, Stored, TimeLimit,
    Updated, Version,
};
use crate::event::{self, Started};
use crate::id::{PublicId, SessionIdHash};
use crate::prompt::Prompt;
use crate::record::Record;

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store of any type, whose every call ends within a time.
#[derive(Clone)]
pub(crate) struct Store {
    store: Arc<dyn Erased>,
    /// The same store, if it is the one in memory: its calls wait for nothing, and are quicker than
    /// what it takes to wait for others.
    memory: Option<Arc<MemoryStore>>,
    limit: TimeLimit,
}

impl Store {
    pub(crate) fn new<S: SessionStore>(store: S, timeout: Duration) -> Self {
        let store = Arc::new(store);
        let any: Arc<dyn Any + Send + Sync> = Arc::<S>::clone(&store);
        let memory = match any.downcast::<MemoryStore>() {
            Ok(memory) => Some(memory),
            Err(other) => other.downcast_ref::<Arc<MemoryStore>>().cloned(),
        };
        Self { store, memory, limit: TimeLimit::new(timeout) }
    }

    /// Whether no call waits for anything.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// The same store with another time limit.
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { limit: TimeLimit::new(timeout), ..self }
    }

    /// A call that waits for nothing.
    fn at_once<T>(&self, operation: &'static str, call: impl FnOnce() -> T) -> T {
        let span = event::span!("store", operation);
        let started = Started::now();
        let answer = span.in_scope(call);
        event::store_called(operation, started);
        answer
    }
}

/// Waits for a call. The error is of this kind if its time is over: of a call that may have had its
/// effect then another than of one that has none.
async fn wait<T>(
    limit: &TimeLimit,
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
/// for every store, and the methods of [`Store`] that call it; some of them are done at once in memory.
macro_rules! erase {
    (
        $($frequent_late:ident $frequent:ident($($frequent_arg:ident: $frequent_type:ty),*)
            -> $frequent_answer:ty, $at_once:ident($($at_once_arg:ident),*);)*
        --
        $($late:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*
    ) => {
        erase! { @ $($frequent_late $frequent($($frequent_arg: $frequent_type),*)
                       -> $frequent_answer;)*
                   $($late $name($($arg: $type),*) -> $answer;)* }

        impl Store {
            $(pub(crate) fn $frequent<'a>(
                &'a self,
                $($frequent_arg: $frequent_type),*
            ) -> Prompt<Answer<'a, $frequent_answer>> {
                match &self.memory {
                    Some(memory) => {
                        let call = || memory.$at_once($($at_once_arg),*);
                        Prompt::done(self.at_once(stringify!($frequent), call))
                    }
                    None => Prompt::Waiting(self.store.$frequent(&self.limit, $($frequent_arg),*)),
                }
            })*

            $(pub(crate) fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $answer> {
                self.store.$name(&self.limit, $($arg),*)
            })*
        }
    };
    (@ $($late:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        trait Erased: Send + Sync {
            $(fn $name<'a>(&'a self, limit: &'a TimeLimit, $($arg: $type),*)
                -> Answer<'a, $answer>;)*
        }

        impl<S: SessionStore> Erased for S {
            $(fn $name<'a>(&'a self, limit: &'a TimeLimit, $($arg: $type),*)
                -> Answer<'a, $answer>
            {
                // All of it in one box, and the call in one place there.
                Box::pin(async move {
                    let call = pin!(SessionStore::$name(self, $($arg),*));
                    wait(limit, stringify!($name), StoreErrorKind::$late, call).await
                })
            })*
        }
    };
}

erase! {
    Uncertain create(id: &'a SessionIdHash, record: &'a Record, now: u64) -> bool,
        create_now(id, record, now);
    Unavailable load(id: &'a SessionIdHash, now: u64) -> Option<Stored>, load_now(id);
    Uncertain update(id: &'a SessionIdHash, expected: Version, record: &'a Record, now: u64)
        -> Updated, update_now(id, expected, record, now);
    --
    Uncertain delete(id: &'a SessionIdHash, expected: Option<Version>) -> Deleted;
    Unavailable list_for_user(user: &'a str, now: u64) -> Vec<(SessionIdHash, Stored)>;
    Uncertain delete_for_user(user: &'a str, keep: Option<PublicId>) -> u64;
    Uncertain delete_expired(now: u64, count: u32) -> u64;
    Uncertain revoke(id: &'a SessionIdHash, until: u64, now: u64) -> ();
    Uncertain revoke_user(user: &'a str, time: u64, until: u64, now: u64) -> ();
    Unavailable revocations(id: &'a SessionIdHash, user: Option<&'a str>, now: u64) -> Revocations;
}
