use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;

use super::{
    Created, Deleted, Notices, RevocationStore, Revocations, SessionStore, StoreError,
    StoreErrorKind, Stored, TimeLimit, Updated, UserRevocation, Version, Within,
};
use crate::UnixSeconds;
use crate::event::{self, Started};
use crate::id::{PublicId, SessionIdHash};
use crate::record::Record;

pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store of any type, with a time limit for each call.
pub(crate) struct Calls<E: ?Sized> {
    store: Arc<E>,
    limit: TimeLimit,
}

/// The calls of a [`SessionStore`].
pub(crate) type RecordCalls = Calls<dyn Records>;
/// The calls of a [`RevocationStore`].
pub(crate) type RevocationCalls = Calls<dyn Revoking>;

impl<E: ?Sized> Calls<E> {
    /// Returns the same store with another time limit.
    pub(crate) fn with_timeout(&self, timeout: Duration) -> Self {
        Self { store: Arc::clone(&self.store), limit: TimeLimit::new(timeout) }
    }
}

/// Waits for a call. `kind` is the error's kind if the limit is exceeded, which tells whether the
/// call may have had an effect.
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

impl<E: ?Sized> std::fmt::Debug for Calls<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Declares the object-safe twin of a store's trait, its implementation for every store, and the
/// methods of [`Calls`] that call it with a time limit.
macro_rules! erase {
    ($trait:ident as $erased:ident, $watch:ident:
     $($late:ident $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        pub(crate) trait $erased: Send + Sync {
            $(fn $name<'a>(&'a self, limit: TimeLimit, $($arg: $type),*) -> Answer<'a, $answer>;)*
            fn $watch(&self) -> Option<Notices>;
        }

        impl<S: $trait> $erased for S {
            $(fn $name<'a>(&'a self, limit: TimeLimit, $($arg: $type),*) -> Answer<'a, $answer> {
                // The whole call is in one box.
                Box::pin(async move {
                    let call = pin!($trait::$name(self, $($arg),*));
                    wait(limit, stringify!($name), StoreErrorKind::$late, call).await
                })
            })*

            fn $watch(&self) -> Option<Notices> {
                $trait::$watch(self)
            }
        }

        impl Calls<dyn $erased> {
            pub(crate) fn new(store: impl $trait, timeout: Duration) -> Self {
                Self { store: Arc::new(store), limit: TimeLimit::new(timeout) }
            }

            $(pub(crate) fn $name<'a>(&'a self, $($arg: $type),*) -> Answer<'a, $answer> {
                self.store.$name(self.limit, $($arg),*)
            })*

            pub(crate) fn $watch(&self) -> Option<Notices> {
                self.store.$watch()
            }
        }
    };
}

erase! { SessionStore as Records, watch:
    Uncertain create(id: &'a SessionIdHash, record: &'a Record, now: UnixSeconds) -> bool;
    Uncertain create_within(
        id: &'a SessionIdHash,
        record: &'a Record,
        within: &'a Within,
        now: UnixSeconds
    ) -> Created;
    Unavailable load(id: &'a SessionIdHash, now: UnixSeconds) -> Option<Stored>;
    Unavailable load_many(ids: &'a [SessionIdHash], now: UnixSeconds) -> Vec<Option<Stored>>;
    Uncertain update(id: &'a SessionIdHash, expected: Version, record: &'a Record, now: UnixSeconds)
        -> Updated;
    Uncertain delete(id: &'a SessionIdHash, expected: Option<Version>) -> Deleted;
    Unavailable list_for_user(user: &'a str, now: UnixSeconds) -> Vec<(SessionIdHash, Stored)>;
    Uncertain delete_for_user(user: &'a str, keep: Option<PublicId>) -> u64;
    Uncertain delete_expired(now: UnixSeconds, count: u32) -> u64;
}

erase! { RevocationStore as Revoking, watch_revocations:
    Uncertain revoke(id: &'a SessionIdHash, until: UnixSeconds, now: UnixSeconds) -> ();
    Uncertain revoke_user(user: &'a str, revocation: UserRevocation, now: UnixSeconds) -> ();
    Unavailable revocations(id: &'a SessionIdHash, user: Option<&'a str>, now: UnixSeconds) -> Revocations;
    Uncertain delete_expired_revocations(now: UnixSeconds, count: u32) -> u64;
}
