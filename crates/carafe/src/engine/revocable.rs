//! Sessions in cookies, with revocation marks in a store.

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

/// A store of revocation marks, and its sweeper.
#[derive(Clone, Debug)]
pub(crate) struct RevocationBackend(Arc<Revoking>);

#[derive(Debug)]
pub(crate) struct Revoking {
    store: RevocationCalls,
    clock: Clock,
    /// The sweep begins with the first request, since layers may be built outside of a runtime.
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

    /// Returns the same store with other settings or another clock.
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

    /// Returns the watch of sessions in cookies, with the store that it asks.
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
        // The time of the login is compared, since every request may renew the signature.
        let too_old = |limit: UnixSeconds| login.is_none_or(|login| login <= limit);
        Ok(revoked.session || revoked.not_before.is_some_and(too_old))
    }
}

/// The data of a session in a cookie that decide whether it has ended.
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

    /// Keeps the mark of the cookie that is accepted for longer.
    fn merge(mark: &mut Arc<CookieMark>, other: Arc<CookieMark>) {
        if other.ends > mark.ends {
            *mark = other;
        }
    }
}

/// The time, in seconds, for which an old cookie is left alone after the session got a new one.
/// Requests under way may carry the old cookie, and their responses must not remove the new one.
const UNDER_WAY: u64 = 60;

/// The time, in seconds, by which a revocation mark outlives the cookies: the difference between
/// the machines' clocks, and a day by which a sweeping machine may be ahead.
const REVOKED_LONGER: u64 = CLOCK_SKEW + 86_400 + 1;

impl Engine {
    /// Opens a session in a cookie; an ended session is empty.
    ///
    /// Only a session with a login or an id can have been ended: for other sessions the store isn't
    /// asked.
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

    /// Reads the first of the request's cookies that opens a session which wasn't ended.
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

    /// Returns the refusal of a cookie whose session was ended.
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
            self.report_ended(backend, &id, user).await?;
        }
        let removes = !self.is_replaced(backend, &id).await?;
        Ok(Some(Refused::Revoked { removes }))
    }

    /// Reports an ended session whose cookie came back, unless the request may have been under way
    /// when it ended. Ends of all of a user's sessions at once have no exact time, and are not
    /// reported.
    async fn report_ended(
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
        if self.report_theft(&sign) == Reaction::EndAllSessions
            && let Some(user) = sign.user()
        {
            let logins_up_to = self.revoked_logins(backend, (None, user, None), now).await?;
            let revocation = UserRevocation { logins_up_to, until: self.revoked_until(now) };
            store.revoke_user(user, revocation, now).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Returns how long a new revocation mark is kept: longer than any machine accepts a copy of
    /// the cookie, or a cookie that a request under way signs anew.
    pub(crate) fn revoked_until(&self, now: UnixSeconds) -> UnixSeconds {
        let longest = self.config().max_age().max(self.config().absolute_timeout.as_secs());
        now + longest + REVOKED_LONGER
    }

    /// Returns the time up to which a user's logins become invalid when all sessions end now. It
    /// covers present logins at a machine whose clock is ahead, and logins that were dated after an
    /// earlier revocation.
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

    /// Returns whether a response has replaced this session's cookie a moment ago. Removing the
    /// cookie would then remove the new one.
    async fn is_replaced(
        &self,
        backend: &RevocationBackend,
        id: &SessionId,
    ) -> Result<bool, Error> {
        let (id, now) = (id.hash().of_replacement(), self.clock.now());
        let replaced = backend.store().revocations(&id, None, now).await.map_err(failed)?;
        Ok(replaced.session)
    }

    /// Stores revocation marks for the sessions that this request ended, then commits the cookie.
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

    /// Returns whether another request has ended the session since this one opened it. A cookie
    /// that is signed now would outlive the revocation mark.
    async fn ended_meanwhile(
        &self,
        slot: &Slot,
        backend: &RevocationBackend,
    ) -> Result<bool, Error> {
        let (ids, user, login) = {
            let state = slot.state();
            let Some(view) = &state.view else { return Ok(false) };
            // A login or a logout leaves another session.
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

    /// Dates a login after earlier revocation marks, so that a user who ends all sessions and logs
    /// in again at once stays logged in.
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
