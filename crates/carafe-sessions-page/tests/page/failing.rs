//! The page while its store fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use carafe::id::{PublicId, SessionIdHash};
use carafe::store::{
    Deleted, MemoryStore, Record, RevocationStore, Revocations, SessionStore, StoreError,
    StoreErrorKind, Stored, Updated, UserRevocation, Version,
};
use carafe::{Clock, ErrorKind, UnixSeconds};
use carafe_sessions_page::SessionsPage;

use crate::app::{Buttons, PAGE, browser, routes, sessions, who};
use crate::support::NOW;

/// A store that can be switched off: all of it, or what concerns all of a user's sessions.
#[derive(Clone, Default)]
struct Fragile {
    store: Arc<MemoryStore>,
    is_down: Arc<AtomicBool>,
    has_no_lists: Arc<AtomicBool>,
}

impl Fragile {
    fn up(&self) -> Result<&MemoryStore, StoreError> {
        if self.is_down.load(Ordering::Relaxed) { Err(down()) } else { Ok(&self.store) }
    }

    fn lists(&self) -> Result<&MemoryStore, StoreError> {
        if self.has_no_lists.load(Ordering::Relaxed) { Err(down()) } else { self.up() }
    }
}

fn down() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store is switched off")
}

impl SessionStore for Fragile {
    async fn create(
        &self,
        id: &SessionIdHash,
        r: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.up()?.create(id, r, now).await
    }
    async fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        self.up()?.load(id, now).await
    }
    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        self.up()?.update(id, expected, record, now).await
    }
    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        self.up()?.delete(id, expected).await
    }
    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        self.lists()?.list_for_user(user, now).await
    }
    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        self.lists()?.delete_for_user(user, keep).await
    }
    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        self.up()?.delete_expired(now, limit).await
    }
}

impl RevocationStore for Fragile {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.up()?.revoke(id, until, now).await
    }
    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.up()?.revoke_user(user, revocation, now).await
    }
    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        self.up()?.revocations(id, user, now).await
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.up()?.delete_expired_revocations(now, limit).await
    }
}

#[tokio::test]
async fn a_store_that_fails_is_503() {
    let store = Fragile::default();
    let layer = sessions(store.clone(), &Clock::fixed(NOW));
    let app = routes(SessionsPage::new()).layer(layer);
    let mut client = browser(&app, "ann", "Phone").await;
    let buttons = Buttons::of(&mut client).await;
    for switch in [&store.is_down, &store.has_no_lists] {
        switch.store(true, Ordering::Relaxed);
        let answer = client.get(PAGE).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, "Service Unavailable"));
        assert_eq!(answer.one("cache-control"), Some("no-store"));
        let answer = client.post(PAGE, &buttons.form("Sign out everywhere")).await;
        assert_eq!(answer.status, 503);
        switch.store(false, Ordering::Relaxed);
        assert_eq!(who(&mut client).await, "ann", "what failed had half of its effect");
    }
}

#[tokio::test]
async fn the_applications_page_is_shown_then() {
    let store = Fragile::default();
    let layer = sessions(store.clone(), &Clock::fixed(NOW)).on_error(|error| {
        assert_eq!(error.kind(), ErrorKind::Store);
        (error.status(), "back in a moment")
    });
    let mut client = browser(&routes(SessionsPage::new()).layer(layer), "ann", "Phone").await;
    store.is_down.store(true, Ordering::Relaxed);
    let answer = client.get(PAGE).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (503, "back in a moment"));
    store.is_down.store(false, Ordering::Relaxed);
    assert_eq!(who(&mut client).await, "ann");
}
