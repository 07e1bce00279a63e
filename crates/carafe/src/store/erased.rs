use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::{
    Deleted, MemoryStore, Revocations, SessionStore, StoreError, StoreErrorKind, Stored, TimeLimit,
    Updated, Version,
};
use crate::event::{self, Started};
use crate::id::SessionIdHash;
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

    /// Waits for a call that has no effect.
    async fn read<T>(&self, name: &'static str, call: Answer<'_, T>) -> Result<T, StoreError> {
        self.wait(name, call, StoreErrorKind::Unavailable).await
    }

    /// Waits for a call that may have had its effect when its time is over.
    async fn write<T>(&self, name: &'static str, call: Answer<'_, T>) -> Result<T, StoreError> {
        self.wait(name, call, StoreErrorKind::Uncertain).await
    }

    /// A call that waits for nothing.
    fn at_once<T>(&self, operation: &'static str, call: impl FnOnce() -> T) -> T {
        let span = event::span!("store", operation);
        let started = Started::now();
        let answer = span.in_scope(call);
        event::store_called(operation, started);
        answer
    }

    async fn wait<T>(
        &self,
        operation: &'static str,
        call: Answer<'_, T>,
        kind: StoreErrorKind,
    ) -> Result<T, StoreError> {
        let span = event::span!("store", operation);
        let started = Started::now();
        let answer = self.limit.run(call).instrument(span).await;
        event::store_called(operation, started);
        match answer {
            Some(answer) => answer,
            None => Err(StoreError::new(
                kind,
                format!("the session store did not answer within {:?}", self.limit.duration()),
            )),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Declares the object-safe twin of [`SessionStore`], its implementation for every store, and the
/// methods of [`Store`] that call it under the time limit; some of them at once, in memory.
macro_rules! erase {
    (
        $($frequent_limit:ident $frequent:ident($($frequent_arg:ident: $frequent_type:ty),*)
            -> $frequent_answer:ty, $at_once:ident($($at_once_arg:ident),*);)*
        --
        $($limit:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*
    ) => {
        erase! { @ $($frequent($($frequent_arg: $frequent_type),*) -> $frequent_answer;)*
                   $($name($($arg: $type),*) -> $answer;)* }

        impl Store {
            $(pub(crate) async fn $frequent<'a>(
                &'a self,
                $($frequent_arg: $frequent_type),*
            ) -> Result<$frequent_answer, StoreError> {
                let name = stringify!($frequent);
                match &self.memory {
                    Some(memory) => self.at_once(name, || memory.$at_once($($at_once_arg),*)),
                    None => {
                        let call = self.store.$frequent($($frequent_arg),*);
                        self.$frequent_limit(name, call).await
                    }
                }
            })*

            $(pub(crate) fn $name<'a>(
                &'a self,
                $($arg: $type),*
            ) -> impl Future<Output = Result<$answer, StoreError>> + Send + 'a {
                self.$limit(stringify!($name), self.store.$name($($arg),*))
            })*
        }
    };
    (@ $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        trait Erased: Send + Sync {
            $(fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $answer>;)*
        }

        impl<S: SessionStore> Erased for S {
            $(fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $answer> {
                Box::pin(SessionStore::$name(self, $($arg),*))
            })*
        }
    };
}

erase! {
    write create(id: &'a SessionIdHash, record: &'a Record, now: u64) -> bool,
        create_now(id, record, now);
    read load(id: &'a SessionIdHash, now: u64) -> Option<Stored>, load_now(id);
    write update(id: &'a SessionIdHash, expected: Version, record: &'a Record, now: u64) -> Updated,
        update_now(id, expected, record, now);
    --
    write delete(id: &'a SessionIdHash, expected: Option<Version>) -> Deleted;
    read list_for_user(user: &'a str, now: u64) -> Vec<(SessionIdHash, Stored)>;
    write delete_for_user(user: &'a str, keep: Option<&'a SessionIdHash>) -> u64;
    write delete_expired(now: u64, limit: u32) -> u64;
    write revoke(id: &'a SessionIdHash, until: u64, now: u64) -> ();
    write revoke_user(user: &'a str, time: u64, until: u64, now: u64) -> ();
    read revocations(id: &'a SessionIdHash, user: Option<&'a str>, now: u64) -> Revocations;
}
