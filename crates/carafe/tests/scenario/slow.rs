//! A store that has to be waited for, as one on another machine, and that can be switched off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, MemoryStore, Record, RevocationStore, Revocations, SessionStore, StoreError,
    StoreErrorKind, Stored, Updated, UserRevocation, Version,
};

#[derive(Clone, Default)]
pub(crate) struct Slow {
    store: Arc<MemoryStore>,
    is_down: Arc<AtomicBool>,
}

impl Slow {
    pub(crate) fn switch_off(&self, off: bool) {
        self.is_down.store(off, Ordering::Relaxed);
    }

    async fn store(&self) -> Result<&MemoryStore, StoreError> {
        tokio::task::yield_now().await;
        match self.is_down.load(Ordering::Relaxed) {
            true => Err(StoreError::new(StoreErrorKind::Unavailable, "the store is switched off")),
            false => Ok(&self.store),
        }
    }
}

impl SessionStore for Slow {
    async fn create(
        &self,
        id: &SessionIdHash,
        r: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.store().await?.create(id, r, now).await
    }
    async fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        self.store().await?.load(id, now).await
    }
    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        self.store().await?.update(id, expected, record, now).await
    }
    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        self.store().await?.delete(id, expected).await
    }
    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        self.store().await?.list_for_user(user, now).await
    }
    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        self.store().await?.delete_for_user(user, keep).await
    }
    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        self.store().await?.delete_expired(now, limit).await
    }
}

impl RevocationStore for Slow {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.store().await?.revoke(id, until, now).await
    }
    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.store().await?.revoke_user(user, revocation, now).await
    }
    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        self.store().await?.revocations(id, user, now).await
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.store().await?.delete_expired_revocations(now, limit).await
    }
}
