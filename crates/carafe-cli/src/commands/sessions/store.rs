//! The store that the arguments name.

use std::ops::ControlFlow;

use carafe::UnixSeconds;
use carafe::id::SessionIdHash;
use carafe::store::{
    Deleted, RevocationStore as _, SessionStore as _, StoreError, Stored, UserRevocation, Version,
};

/// A store of any kind.
pub(super) enum Store {
    #[cfg(feature = "sqlite")]
    Sqlite(carafe_sqlite::SqliteStore),
    #[cfg(feature = "redis")]
    Redis(carafe_redis::RedisStore),
    #[cfg(feature = "postgres")]
    Postgres(Box<carafe_postgres::PostgresStore>),
}

/// Calls the same method on a store of any kind.
macro_rules! with {
    ($self:expr, $store:ident => $do:expr) => {
        match $self {
            #[cfg(feature = "sqlite")]
            Store::Sqlite($store) => $do,
            #[cfg(feature = "redis")]
            Store::Redis($store) => $do,
            #[cfg(feature = "postgres")]
            Store::Postgres($store) => $do,
        }
    };
}

impl Store {
    /// Whether the store removes expired records by itself.
    pub(super) fn expires_by_itself(&self) -> bool {
        match self {
            #[cfg(feature = "redis")]
            Self::Redis(_) => true,
            #[allow(unreachable_patterns, reason = "without the others it is the only one")]
            _ => false,
        }
    }

    /// Whether a scan goes along the ids, which are spread evenly.
    pub(super) fn scans_in_order(&self) -> bool {
        !self.expires_by_itself()
    }

    pub(super) async fn scan(
        &self,
        visit: impl FnMut(SessionIdHash, Result<Stored, StoreError>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        with!(self, store => store.scan(visit).await)
    }

    pub(super) async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        with!(self, store => store.list_for_user(user, now).await)
    }

    pub(super) async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Version,
    ) -> Result<Deleted, StoreError> {
        with!(self, store => store.delete(id, Some(expected)).await)
    }

    pub(super) async fn delete_for_user(&self, user: &str) -> Result<u64, StoreError> {
        with!(self, store => store.delete_for_user(user, None).await)
    }

    pub(super) async fn delete_expired(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        with!(self, store => store.delete_expired(now, limit).await)
    }

    pub(super) async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        with!(self, store => store.delete_expired_revocations(now, limit).await)
    }

    pub(super) async fn revoke_user(
        &self,
        user: &str,
        now: UnixSeconds,
        until: UnixSeconds,
    ) -> Result<(), StoreError> {
        with!(self, store => store.revoke_user(user, UserRevocation { logins_up_to: now, until }, now).await)
    }
}
