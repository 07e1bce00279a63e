use std::sync::Arc;

use super::{
    Created, Deleted, RevocationStore, Revocations, SessionStore, StoreError, Stored, Updated,
    UserRevocation, Version, Within,
};
use crate::id::{PublicId, SessionIdHash};
use crate::record::Record;

/// Implements a trait by calling the same method of what the pointer points to.
macro_rules! forward {
    ($trait:ident: $($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        /// A store can be shared: between layers, and with whoever sweeps it.
        impl<S: $trait> $trait for Arc<S> {
            $(fn $name(&self, $($arg: $type),*)
                -> impl Future<Output = Result<$answer, StoreError>> + Send
            {
                S::$name(self, $($arg),*)
            })*
        }
    };
}

forward! { SessionStore:
    create(id: &SessionIdHash, record: &Record, now: u64) -> bool;
    create_within(id: &SessionIdHash, record: &Record, within: &Within, now: u64) -> Created;
    load(id: &SessionIdHash, now: u64) -> Option<Stored>;
    update(id: &SessionIdHash, expected: Version, record: &Record, now: u64) -> Updated;
    delete(id: &SessionIdHash, expected: Option<Version>) -> Deleted;
    list_for_user(user: &str, now: u64) -> Vec<(SessionIdHash, Stored)>;
    delete_for_user(user: &str, keep: Option<PublicId>) -> u64;
    delete_expired(now: u64, limit: u32) -> u64;
}

forward! { RevocationStore:
    revoke(id: &SessionIdHash, until: u64, now: u64) -> ();
    revoke_user(user: &str, revocation: UserRevocation, now: u64) -> ();
    revocations(id: &SessionIdHash, user: Option<&str>, now: u64) -> Revocations;
    delete_expired_revocations(now: u64, limit: u32) -> u64;
}
