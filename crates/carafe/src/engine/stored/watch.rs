//! Checks whether sessions in a store have ended, and opens them outside of their requests.

use std::sync::Arc;

use super::open::view;
use super::{Origin, Sessions, StoreBackend, failed, too_long};
use crate::engine::watch::{CurrentId, Found, Look, Looking, Watch};
use crate::engine::{Engine, Slot};
use crate::flask_login::Logins;
use crate::id::{SessionId, SessionIdHash};
use crate::record::State;
use crate::store::{Notices, Stored, UserHash};
use crate::{Error, UnixSeconds};

/// The greatest number of pointer records that are followed. The settings don't bound the chain,
/// since a check may come late, after the store could not be reached.
const LONGEST: usize = 64;

impl Look for Sessions {
    type Mark = ();

    fn notices(&self) -> Option<Notices> {
        self.store.watch()
    }

    fn look<'a>(&'a self, sessions: &'a [(SessionIdHash, &'a ())]) -> Looking<'a> {
        Box::pin(async move {
            let ids: Vec<SessionIdHash> = sessions.iter().map(|(id, ())| *id).collect();
            let now = self.clock.now();
            let loaded = self.store.load_many(&ids, now).await.map_err(failed)?;
            let mut found = Vec::with_capacity(ids.len());
            for (id, stored) in ids.into_iter().zip(loaded) {
                let there = self.follow(id, stored, now).await?;
                found.push(there.map_or(Found::Ended, |(id, stored)| Found::Here {
                    id,
                    left: stored.record.ends().since(now),
                }));
            }
            Ok(found)
        })
    }

    fn is_of(_mark: &(), _user: &UserHash) -> bool {
        false
    }

    fn merge(_mark: &mut (), _other: ()) {}
}

impl Sessions {
    /// Follows a session through its renewals; `None` if it has ended. A login and a rotation also
    /// end it for a connection that was made with the old id.
    ///
    /// `now` is the time before the record was loaded: at a later time it may have expired, and another
    /// request may have prolonged it meanwhile.
    async fn follow(
        &self,
        mut id: SessionIdHash,
        mut stored: Option<Stored>,
        mut now: UnixSeconds,
    ) -> Result<Option<(SessionIdHash, Stored)>, Error> {
        for _ in 0..LONGEST {
            let Some(found) = stored else { return Ok(None) };
            match found.record.state {
                State::Live if found.record.is_expired(now) => return Ok(None),
                State::Live => return Ok(Some((id, found))),
                State::Moved { to, .. } => id = to,
                State::Rotated { .. } | State::Ended { .. } | State::Series { .. } => {
                    return Ok(None);
                }
            }
            now = self.clock.now();
            stored = self.store.load(&id, now).await.map_err(failed)?;
        }
        Err(too_long())
    }
}

impl StoreBackend {
    /// Returns the watch of sessions in this store.
    pub(in crate::engine) fn watch(&self) -> (&Watch<Sessions>, &Arc<Sessions>) {
        (&self.0.watch, &self.0)
    }

    /// Opens a session outside of its request, in its present state; `None` if it has ended.
    /// `cookie` is the id of the original request.
    pub(crate) async fn reopen(
        &self,
        engine: &Arc<Engine>,
        cookie: &SessionId,
        current: &CurrentId,
    ) -> Result<Option<Arc<Slot>>, Error> {
        let id = current.get();
        let now = self.clock.now();
        let stored = self.store.load(&id, now).await.map_err(failed)?;
        let Some((session, stored)) = self.follow(id, stored, now).await? else { return Ok(None) };
        current.set(session);
        let (id, stored) = (cookie.clone(), Arc::new(stored));
        let origin = Box::new(Origin { id, session, stored });
        // Outside of a request there is no client to compare a login with.
        let client = |_: &Logins| None;
        let slot = Slot::with_cookies(engine, smallvec::SmallVec::new(), false, || None, client);
        {
            let mut state = slot.state();
            state.view = Some(view(Some(&origin))?);
            state.seat = Some(super::Seat::of(&origin));
            state.origin = Some(origin);
        }
        Ok(Some(slot))
    }
}
