use std::sync::Arc;

use super::{
    Created, Deleted, Notices, RevocationStore, Revocations, SessionStore, StoreError, Stored,
    Updated, UserRevocation, Version, Within,
};
use crate::UnixSeconds;
use crate::id::{PublicId, SessionIdHash};
use crate::record::Record;

/// Implements a trait for a pointer, by calling the same method of its target.
macro_rules! forward {
    ($trait:ident, $watch:ident: $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        /// Lets several layers share a store, also with the application's own tasks.
        impl<S: $trait> $trait for Arc<S> {
            $(fn $name(&self, $($arg: $type),*)
                -> impl Future<Output = Result<$answer, StoreError>> + Send
            {
                S::$name(self, $($arg),*)
            })*

            fn $watch(&self) -> Option<Notices> {
                S::$watch(self)
            }
        }
    };
}

forward! { SessionStore, watch:
    create(id: &SessionIdHash, record: &Record, now: UnixSeconds) -> bool;
    create_within(id: &SessionIdHash, record: &Record, within: &Within, now: UnixSeconds) -> Created;
    load(id: &SessionIdHash, now: UnixSeconds) -> Option<Stored>;
    load_many(ids: &[SessionIdHash], now: UnixSeconds) -> Vec<Option<Stored>>;
    update(id: &SessionIdHash, expected: Version, record: &Record, now: UnixSeconds) -> Updated;
    delete(id: &SessionIdHash, expected: Option<Version>) -> Deleted;
    list_for_user(user: &str, now: UnixSeconds) -> Vec<(SessionIdHash, Stored)>;
    delete_for_user(user: &str, keep: Option<PublicId>) -> u64;
    delete_expired(now: UnixSeconds, limit: u32) -> u64;
}

forward! { RevocationStore, watch_revocations:
    revoke(id: &SessionIdHash, until: UnixSeconds, now: UnixSeconds) -> ();
    revoke_user(user: &str, revocation: UserRevocation, now: UnixSeconds) -> ();
    revocations(id: &SessionIdHash, user: Option<&str>, now: UnixSeconds) -> Revocations;
    delete_expired_revocations(now: UnixSeconds, limit: u32) -> u64;
}
