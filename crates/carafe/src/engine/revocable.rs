//! Sessions in cookies, and a store that remembers which of them count no more.

use std::sync::Arc;
use std::time::Duration;

use super::cookie::{Refused, without_session};
use super::slot::FromCookie;
use super::stored::sweep::{self, Sweeping};
use super::stored::{ended as ended_error, failed};
use super::theft::{self, Reaction, SignOfTheft, TheftKind};
use super::{Engine, Found, Look, Looking, Outcome, Slot, Watch};
use crate::content::{LOGIN, View, id_of};
use crate::id::{SessionId, SessionIdHash};
use crate::signing::CLOCK_SKEW;
use crate::store::{Notices, RevocationCalls, RevocationStore, UserHash, UserRevocation};
use crate::value::{Text, Value};
use crate::{Clock, Config, Error, UnixSeconds, event};

/// A store of revocations, and what its sweeper needs.
#[derive(Clone, Debug)]
pub(crate) struct RevocationBackend(Arc<Revoking>);

#[derive(Debug)]
pub(crate) struct Revoking {
    store: RevocationCalls,
    clock: Clock,
    /// Begins with the first request, since layers are built where there may be no runtime yet.
    sweeping: Sweeping,
    sweep_interval: Duration,
    watch: Watch<Self>,
}

impl RevocationBackend {
    pub(crate) fn new(store: impl RevocationStore, config: &Config, clock: Clock) -> Self {
        Self::of(RevocationCalls::new(store, config.store_timeout), config, clock)
    }

    fn of(store: RevocationCalls, config: &Config, clock: Clock) -> Self {
        let (sweeping, sweep_interval) = (Sweeping::default(), config.sweep_interval);
        let watch = Watch::new(config.watch_interval);
        Self(Arc::new(Revoking { store, clock, sweeping, sweep_interval, watch }))
    }

    /// The same store under other settings or another clock.
    pub(super) fn with(&self, config: &Config, clock: Clock) -> Self {
        Self::of(self.0.store.with_timeout(config.store_timeout), config, clock)
    }

    fn start_sweeping(&self) {
        self.0.sweeping.start(&self.0, self.0.sweep_interval, |of| {
            let now = of.clock.now() - sweep::KEPT;
            of.store.delete_expired_revocations(now, sweep::BATCH)
        });
    }

    pub(crate) fn store(&self) -> &RevocationCalls {
        &self.0.store
    }

    /// What tells of the end of sessions.
    pub(super) fn watch(&self) -> (&Watch<Revoking>, &Arc<Revoking>) {
        (&self.0.watch, &self.0)
    }
}

impl Revoking {
    async fn is_revoked(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        login: Option<UnixSeconds>,
    ) -> Result<bool, Error> {
        let revoked = self.store.revocations(id, user, self.clock.now()).await.map_err(failed)?;
        // Compared with the login, not with the last signature, which every request may renew.
        let too_old = |limit: UnixSeconds| login.is_none_or(|login| login <= limit);
        Ok(revoked.session || revoked.not_before.is_some_and(too_old))
    }
}

/// What has to be known of a session in a cookie to tell whether it has ended.
#[derive(Debug)]
pub(crate) struct CookieMark {
    user: Option<(Box<str>, UserHash)>,
    login: Option<UnixSeconds>,
    /// The last second in which its cookie is accepted.
    ends: UnixSeconds,
}

impl CookieMark {
    pub(super) fn new(user: Option<String>, login: Option<UnixSeconds>, ends: UnixSeconds) -> Self {
        let user = user.map(|user| {
            let hash = UserHash::of(&user);
            (user.into_boxed_str(), hash)
        });
        Self { user, login, ends }
    }
}

impl Look for Revoking {
    type Mark = Arc<CookieMark>;

    fn notices(&self) -> Option<Notices> {
        self.store.watch_revocations()
    }

    fn look<'a>(&'a self, sessions: &'a [(SessionIdHash, &'a Arc<CookieMark>)]) -> Looking<'a> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(sessions.len());
            for (id, mark) in sessions {
                let user = mark.user.as_ref().map(|(name, _)| &**name);
                let now = self.clock.now();
                let ended = now > mark.ends || self.is_revoked(id, user, mark.login).await?;
                let left = mark.ends.since(now) + 1;
                found.push(if ended { Found::Ended } else { Found::Here { id: *id, left } });
            }
            Ok(found)
        })
    }

    fn is_of(mark: &Arc<CookieMark>, user: &UserHash) -> bool {
        mark.user.as_ref().is_some_and(|(_, hash)| hash == user)
    }

    /// The cookie that is accepted for longer counts.
    fn merge(mark: &mut Arc<CookieMark>, other: Arc<CookieMark>) {
        if other.ends > mark.ends {
            *mark = other;
        }
    }
}

/// For how many seconds after a session got a new cookie its old one is left alone: requests that carry
/// it may be under way, and their responses must not remove the new one.
const UNDER_WAY: u64 = 60;

/// For how many seconds a revocation outlives the cookies of this machine: the difference to other
/// machines' clocks, and a day by which a machine that removes what has expired may be ahead.
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
        let read = self.read_unrevoked(slot, backend).await?;
        slot.state().open(read);
        Ok(())
    }

    /// What the first of the request's cookies holds that opens a session which wasn't ended.
    async fn read_unrevoked(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
    ) -> Result<FromCookie, Error> {
        let mut refused = None;
        for value in self.candidates(slot.cookies()) {
            let reason = match self.read_value(&value) {
                Ok(read) => match self.revocation_of(backend, &read).await? {
                    Some(revoked) => revoked,
                    None => {
                        event::loaded(read.outdated);
                        return Ok(read);
                    }
                },
                Err(reason) => reason,
            };
            refused.get_or_insert(reason);
        }
        Ok(without_session(refused))
    }

    /// That the session of a cookie was ended, if it was.
    async fn revocation_of(
        &self,
        backend: &RevocationBackend,
        read: &FromCookie,
    ) -> Result<Option<Refused>, Error> {
        let Some(view) = &read.view else { return Ok(None) };
        let Some(id) = id_of(view) else { return Ok(None) };
        let (user, login) = (view.user(), view.logged_in_at());
        if !self.is_revoked(backend, &id, user.as_deref(), login).await? {
            return Ok(None);
        }
        if self.on_theft.is_some() {
            self.tell_of_ended(backend, &id, user).await?;
        }
        let removes = !self.is_replaced(backend, &id).await?;
        Ok(Some(Refused::Revoked { removes }))
    }

    /// Tells of a session in a cookie that came back after it had been ended, unless that was so lately that
    /// the request may have been under way. Of all sessions of a user at once that isn't known: then it is
    /// no sign.
    async fn tell_of_ended(
        &self,
        backend: &RevocationBackend,
        id: &SessionId,
        user: Option<String>,
    ) -> Result<(), Error> {
        let (store, now) = (backend.store(), self.clock.now());
        let ended = store.revocations(&id.hash(), None, now).await.map_err(failed)?;
        let lately = store.revocations(&id.hash().of_ending(), None, now).await.map_err(failed)?;
        if !ended.session || lately.session {
            return Ok(());
        }
        let sign = SignOfTheft::new(TheftKind::EndedSession, user, None);
        if self.tell_of_theft(&sign) == Reaction::EndAllSessions
            && let Some(user) = sign.user()
        {
            let logins_up_to = self.revoked_logins(backend, (None, user, None), now).await?;
            let revocation = UserRevocation { logins_up_to, until: self.revoked_until(now) };
            store.revoke_user(user, revocation, now).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Until when what is revoked now has to be remembered: for longer than any machine would accept a
    /// copy of the cookie, or one that a request under way signs anew.
    pub(crate) fn revoked_until(&self, now: UnixSeconds) -> UnixSeconds {
        let longest = self.config().max_age().max(self.config().absolute_timeout.as_secs());
        now + longest + REVOKED_LONGER
    }

    /// Up to when logins of a user count no more who ends all sessions now: also those of now on a
    /// machine whose clock is ahead, and those that were dated after a revocation of before.
    pub(crate) async fn revoked_logins(
        &self,
        backend: &RevocationBackend,
        view: (Option<SessionId>, &str, Option<UnixSeconds>),
        now: UnixSeconds,
    ) -> Result<UnixSeconds, Error> {
        let (id, user, login) = view;
        let time = (now + CLOCK_SKEW).max(login.unwrap_or(now));
        let Some(id) = id else { return Ok(time) };
        let store = backend.store();
        let revoked = store.revocations(&id.hash(), Some(user), now).await.map_err(failed)?;
        Ok(revoked.not_before.map_or(time, |limit| time.max(limit + 1)))
    }

    async fn is_revoked(
        &self,
        backend: &RevocationBackend,
        id: &SessionId,
        user: Option<&str>,
        login: Option<UnixSeconds>,
    ) -> Result<bool, Error> {
        backend.0.is_revoked(&id.hash(), user, login).await
    }

    /// Whether a response has given the visitor a new cookie in place of this session's, a moment ago.
    /// To remove the cookie would remove the new one.
    async fn is_replaced(
        &self,
        backend: &RevocationBackend,
        id: &SessionId,
    ) -> Result<bool, Error> {
        let (id, now) = (id.hash().of_replacement(), self.clock.now());
        let replaced = backend.store().revocations(&id, None, now).await.map_err(failed)?;
        Ok(replaced.session)
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
        let (ended, leaves_cookie) = {
            let mut state = slot.state();
            state.closed = true;
            let leaves_cookie = state.view.as_ref().is_some_and(|view| !view.is_empty());
            (state.ended.clone(), leaves_cookie)
        };
        opened?;
        self.finish_login(slot);
        if self.ended_meanwhile(slot, backend).await? {
            let mut state = slot.state();
            return match state.view.as_ref().is_some_and(View::modified) {
                true => Err(ended_error()),
                false => {
                    let (vary, error) = (state.accessed, state.failed.take());
                    Ok(Outcome { vary, error, ..Outcome::default() })
                }
            };
        }
        let now = self.clock.now();
        let until = self.revoked_until(now);
        for id in ended {
            let (id, store) = (id.hash(), backend.store());
            store.revoke(&id, until, now).await.map_err(failed)?;
            if self.on_theft.is_some() {
                let until = now + theft::UNDER_WAY + 1;
                store.revoke(&id.of_ending(), until, now).await.map_err(failed)?;
            }
            if leaves_cookie {
                let until = now + UNDER_WAY;
                store.revoke(&id.of_replacement(), until, now).await.map_err(failed)?;
            }
        }
        self.date_login(slot, backend, now).await?;
        self.commit_cookie(slot)
    }

    /// Whether another request has ended the session that this one is about to sign anew, after this one
    /// had opened it. Its new cookie would outlive the revocation.
    async fn ended_meanwhile(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
    ) -> Result<bool, Error> {
        let (ids, user, login) = {
            let state = slot.state();
            let Some(view) = &state.view else { return Ok(false) };
            // What a login or a logout leaves is another session.
            if state.logged_in || state.logged_out || !self.signs(&state, view) {
                return Ok(false);
            }
            let ids = match state.ended.is_empty() {
                true => id_of(view).into_iter().collect(),
                false => state.ended.clone(),
            };
            (ids, view.user(), view.logged_in_at())
        };
        for id in &ids {
            if self.is_revoked(backend, id, user.as_deref(), login).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Dates a login after the revocations of before, so that a user who ended all sessions and logs in
    /// again at once isn't logged out by that.
    async fn date_login(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
        now: UnixSeconds,
    ) -> Result<(), Error> {
        let login = {
            let state = slot.state();
            let view = state.view.as_ref().filter(|_| state.logged_in);
            view.and_then(|view| Some((id_of(view)?, view.user()?, view.logged_in_at()?)))
        };
        let Some((id, user, time)) = login else { return Ok(()) };
        let store = backend.store();
        let revoked = store.revocations(&id.hash(), Some(&user), now).await.map_err(failed)?;
        if let Some(limit) = revoked.not_before.filter(|limit| *limit >= time)
            && let Some(view) = &mut slot.state().view
        {
            view.insert(Text::from(LOGIN), Value::from((limit + 1).0));
        }
        Ok(())
    }
}
