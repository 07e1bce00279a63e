//! Sessions in cookies, and a store that remembers which of them count no more.

use std::sync::Arc;
use std::time::Duration;

use super::stored::failed;
use super::stored::sweep::{self, Sweeping};
use super::{Engine, Outcome, Slot};
use crate::content::{LOGIN, View, id_of};
use crate::signing::CLOCK_SKEW;
use crate::store::{RevocationCalls, RevocationStore};
use crate::{Clock, Config, Error, Text, Value, event};

/// A store of revocations, and what its sweeper needs.
#[derive(Clone, Debug)]
pub(crate) struct RevocationBackend(Arc<Revoking>);

#[derive(Debug)]
struct Revoking {
    store: RevocationCalls,
    clock: Clock,
    /// Begins with the first request, since layers are built where there may be no runtime yet.
    sweeping: Sweeping,
    sweep_interval: Duration,
}

impl RevocationBackend {
    pub(crate) fn new(store: impl RevocationStore, config: &Config, clock: Clock) -> Self {
        Self::of(RevocationCalls::new(store, config.store_timeout), config, clock)
    }

    fn of(store: RevocationCalls, config: &Config, clock: Clock) -> Self {
        let (sweeping, sweep_interval) = (Sweeping::default(), config.sweep_interval);
        Self(Arc::new(Revoking { store, clock, sweeping, sweep_interval }))
    }

    /// The same store under other settings or another clock.
    pub(super) fn with(&self, config: &Config, clock: Clock) -> Self {
        Self::of(self.0.store.with_timeout(config.store_timeout), config, clock)
    }

    fn start_sweeping(&self) {
        self.0.sweeping.start(&self.0, self.0.sweep_interval, |of| {
            let now = of.clock.now().saturating_sub(sweep::KEPT);
            of.store.delete_expired_revocations(now, sweep::BATCH)
        });
    }

    pub(crate) fn store(&self) -> &RevocationCalls {
        &self.0.store
    }
}

/// For how many seconds a revocation outlives the cookies of this machine: the difference to other
/// machines' clocks, and the day by which a store's [`SweepClock`](crate::store::SweepClock) may be
/// ahead.
const REVOKED_LONGER: u64 = CLOCK_SKEW + 86_400 + 1;

impl Engine {
    /// Opens a session that is in its cookie. One that was ended is empty.
    ///
    /// Only sessions that somebody logged in to, or that have an id, can have been ended: about
    /// others the store isn't asked.
    pub(super) async fn open_revocable(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
    ) -> Result<(), Error> {
        backend.start_sweeping();
        let _opening = slot.busy.lock().await;
        if slot.state().view.is_some() {
            return Ok(());
        }
        let mut read = self.read_cookie(slot);
        if let Some(view) = &read.view {
            if self.is_revoked(backend, view).await? {
                event::revoked();
                read.view = None;
            } else {
                event::loaded(read.outdated);
            }
        }
        slot.state().open(read);
        Ok(())
    }

    /// Until when what is revoked now has to be remembered: for longer than any machine would accept a
    /// copy of the cookie.
    pub(crate) fn revoked_until(&self, now: u64) -> u64 {
        now.saturating_add(self.config().max_age()).saturating_add(REVOKED_LONGER)
    }

    async fn is_revoked(&self, backend: &RevocationBackend, view: &View) -> Result<bool, Error> {
        let Some(id) = id_of(view) else { return Ok(false) };
        let user = view.user();
        let now = self.clock.now();
        let store = backend.store();
        let revoked = store.revocations(&id.hash(), user.as_deref(), now).await.map_err(failed)?;
        // Compared with the login, not with the last signature, which every request may renew.
        let too_old = |limit: u64| view.logged_in_at().is_none_or(|login| login <= limit);
        Ok(revoked.session || revoked.not_before.is_some_and(too_old))
    }

    /// Remembers the sessions that this request ended, then commits as for every cookie.
    pub(super) async fn commit_revocable(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
    ) -> Result<Outcome, Error> {
        let opened = match !slot.state().is_open() && self.opens_unasked(slot) {
            true => self.open_revocable(slot, backend).await,
            false => Ok(()),
        };
        let ended = {
            let mut state = slot.state();
            state.closed = true;
            state.ended.clone()
        };
        opened?;
        let now = self.clock.now();
        let until = self.revoked_until(now);
        for id in ended {
            backend.store().revoke(&id.hash(), until, now).await.map_err(failed)?;
        }
        self.date_login(slot, backend, now).await?;
        self.commit_cookie(slot)
    }

    /// Dates a login of this second after a revocation of this second, so that a user who ended all
    /// sessions and logs in again at once isn't logged out by that.
    async fn date_login(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
        now: u64,
    ) -> Result<(), Error> {
        let login = slot.state().view.as_ref().and_then(|view| {
            let is_new = view.modified() && view.logged_in_at() == Some(now);
            Some((id_of(view)?, view.user()?)).filter(|_| is_new)
        });
        let Some((id, user)) = login else { return Ok(()) };
        let store = backend.store();
        let revoked = store.revocations(&id.hash(), Some(&user), now).await.map_err(failed)?;
        if let Some(limit) = revoked.not_before.filter(|limit| *limit >= now)
            && let Some(view) = &mut slot.state().view
        {
            view.insert(Text::from(LOGIN), Value::from(limit.saturating_add(1)));
        }
        Ok(())
    }
}
