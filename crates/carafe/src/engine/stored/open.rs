use std::sync::Arc;

use super::commit::{SetId, set_id_of};
use super::remember::Redeemed;
use super::{StoreBackend, failed, too_long};
use crate::content::{LoginState, View};
use crate::engine::theft::{SignOfTheft, TheftKind, UNDER_WAY};
use crate::engine::{Engine, Slot};
use crate::id::{PublicId, SessionId, SessionIdHash};
use crate::record::{Record, State};
use crate::store::Stored;
use crate::value::json::Payload;
use crate::{Error, ErrorKind, UnixSeconds, event};

/// The record that a request's session was loaded from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The id in the cookie. After a renewal by another request it is the old one.
    pub(crate) id: SessionId,
    /// The hash of the session's present id.
    pub(crate) session: SessionIdHash,
    /// The record, as the request last saw it.
    pub(crate) stored: Arc<Stored>,
}

/// The greatest number of pointer records that are followed from an old id, to find the user.
const FOLLOWED: usize = 64;

/// The position of a session in a store, kept after its request, with the id of the cookie.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) id: SessionId,
    /// The hash of the session's present id.
    pub(crate) session: SessionIdHash,
    pub(crate) public_id: PublicId,
}

impl Seat {
    pub(crate) fn of(origin: &Origin) -> Self {
        let public_id = origin.stored.record.public_id;
        Self { id: origin.id.clone(), session: origin.session, public_id }
    }
}

/// The reason why a cookie leads to no session in the store.
enum Unknown {
    /// The cookie holds no id that this service signed.
    Signature(Error),
    /// No session has the id.
    Id,
    /// The session has ended.
    Expired,
    /// The session continues under another id, and requests with this id can't be under way any
    /// more.
    Replaced(SessionIdHash),
}

impl Engine {
    /// Loads the session of a request, once.
    pub(in crate::engine) async fn open_stored(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
    ) -> Result<(), Error> {
        backend.start_sweeping();
        // A handle that opens the session at the same time waits here, and finds it open.
        let _opening = slot.busy.lock().await;
        if slot.state().view.is_some() {
            return Ok(());
        }
        let mut set_id = SetId::Keep;
        let mut unknown = None;
        let mut origin = None;
        for value in self.candidates(slot.cookies()) {
            let (id, outdated) = match self.keys.unsign_id(&value) {
                Ok(Some(id)) => id,
                Ok(None) => {
                    unknown.get_or_insert(Unknown::Id);
                    continue;
                }
                Err(error) => {
                    unknown.get_or_insert(Unknown::Signature(error));
                    continue;
                }
            };
            match self.load(backend, id).await? {
                Ok(found) => {
                    event::loaded(outdated);
                    // A cookie with a replaced id is left alone: another response brings the new
                    // id.
                    let is_current = found.id.hash() == found.session;
                    if outdated && is_current && self.config().rewrite_outdated {
                        set_id = set_id_of(&backend.rules, &found);
                    }
                    origin = Some(found);
                    break;
                }
                Err(Unknown::Replaced(by)) => {
                    Box::pin(self.report_replaced(backend, by)).await?;
                    unknown.get_or_insert(Unknown::Expired);
                }
                Err(reason) => drop(unknown.get_or_insert(reason)),
            }
        }
        if origin.is_none() {
            tell(unknown);
        }
        let has_login = origin.as_ref().is_some_and(|origin| {
            let record = &origin.stored.record;
            let details = record.details.as_ref();
            record.user.is_some() || details.is_some_and(|details| details.pending.is_some())
        });
        let mut remember_cookie = None;
        if self.remember.is_some() && !has_login {
            let redeemed = Box::pin(self.redeem(slot, backend)).await?;
            if let Some(Redeemed { session, cookie }) = redeemed {
                remember_cookie = cookie;
                if let Some((found, set)) = session {
                    (origin, set_id) = (Some(found), set);
                }
            }
        }
        let view = view(origin.as_deref())?;
        let mut state = slot.state();
        state.remember_cookies.extend(remember_cookie);
        state.view = Some(view);
        state.set_id = set_id;
        state.seat = origin.as_deref().map(Seat::of);
        state.origin = origin;
        Ok(())
    }

    /// Reports an id that came back after it was replaced, and carries the application's decision
    /// out.
    async fn report_replaced(
        &self,
        backend: &StoreBackend,
        mut by: SessionIdHash,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let (mut user, mut public_id) = (None, None);
        for _ in 0..FOLLOWED {
            let Some(Stored { record, .. }) =
                backend.store().load(&by, now).await.map_err(failed)?
            else {
                break;
            };
            match record.state {
                State::Moved { to, .. } | State::Rotated { to } | State::Ended { by: to } => {
                    by = to;
                }
                State::Live if !record.is_expired(now) => {
                    (user, public_id) = (record.user, Some(record.public_id));
                    break;
                }
                State::Live | State::Series { .. } => break,
            }
        }
        let sign = SignOfTheft::new(TheftKind::ReplacedId, user, public_id);
        self.react_to_theft(backend, &sign).await
    }

    /// Loads the session of an id. Pointer records of renewals lead to it, at most as many as the
    /// settings allow within one grace period.
    async fn load(
        &self,
        backend: &StoreBackend,
        id: SessionId,
    ) -> Result<Result<Box<Origin>, Unknown>, Error> {
        // The quick clock is precise enough, since times are in whole seconds.
        let now = self.clock.just_now();
        let mut session = id.hash();
        for _ in 0..=backend.rules.longest_chain {
            let Some(stored) = backend.store().load(&session, now).await.map_err(failed)? else {
                return Ok(Err(Unknown::Id));
            };
            if stored.record.is_expired(now) {
                return Ok(Err(why_ended(&stored.record, now)));
            }
            match stored.record.state {
                State::Live => {
                    let stored = Arc::new(stored);
                    return Ok(Ok(Box::new(Origin { id, session, stored })));
                }
                State::Moved { to, .. } => session = to,
                State::Rotated { .. } | State::Ended { .. } | State::Series { .. } => {
                    return Ok(Err(Unknown::Expired));
                }
            }
        }
        Err(too_long())
    }
}

/// Returns why a session has ended under an id. A replaced id that comes back is suspicious once
/// requests with it can't be under way any more.
fn why_ended(record: &Record, now: UnixSeconds) -> Unknown {
    let is_late = now.since(record.last_seen) > UNDER_WAY && now < record.ends();
    match record.state {
        State::Moved { to: by, .. } | State::Rotated { to: by } | State::Ended { by }
            if is_late =>
        {
            Unknown::Replaced(by)
        }
        _ => Unknown::Expired,
    }
}

/// Logs why a request has no session, from its first cookie's refusal.
fn tell(unknown: Option<Unknown>) {
    match unknown {
        None => event::none(),
        Some(Unknown::Signature(error)) => event::refused(&error),
        Some(Unknown::Id) => event::unknown(),
        Some(Unknown::Expired | Unknown::Replaced(_)) => event::expired(),
    }
}

/// Returns the view of a loaded session, or of a new one.
pub(super) fn view(origin: Option<&Origin>) -> Result<View, Error> {
    match origin {
        Some(Origin { stored, .. }) => {
            Ok(View::recording(payload(&stored.record)?, LoginState::of(&stored.record)))
        }
        None => Ok(View::of_new_session()),
    }
}

/// Returns the content of a record. Unreadable content is an error, since an empty session in its
/// place would be written over it.
pub(super) fn payload(record: &Record) -> Result<Payload, Error> {
    let mut json = Vec::with_capacity(record.data.len() + Payload::ROOM);
    json.extend_from_slice(&record.data);
    Payload::parse(json).map_err(|error| {
        Error::new(ErrorKind::Store, "the store holds a session that can't be read")
            .with_source(error)
    })
}
