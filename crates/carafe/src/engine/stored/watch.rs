//! Looking whether sessions in a store have ended, and opening them outside of their requests.

use std::sync::Arc;

use super::open::view;
use super::{Origin, Sessions, StoreBackend, failed, too_long};
use crate::Error;
use crate::engine::watch::{Found, Look, Looking, Place, Watch};
use crate::engine::{Engine, Slot};
use crate::flask_login::{Client, Logins};
use crate::id::{SessionId, SessionIdHash};
use crate::record::State;
use crate::store::{Notices, Stored, UserHash};

/// How many pointer records are followed. No cookie is at the beginning of the chain, so that the settings
/// don't bound it: a look comes late if the store could not be reached.
const LONGEST: usize = 64;

impl Look for Sessions {
    type Mark = ();

    fn notices(&self) -> Option<Notices> {
        self.store.watch()
    }

    fn look<'a>(&'a self, sessions: &'a [(SessionIdHash, &'a ())]) -> Looking<'a> {
        Box::pin(async move {
            let ids: Vec<SessionIdHash> = sessions.iter().map(|(id, ())| *id).collect();
            let loaded = self.store.load_many(&ids, self.clock.now()).await.map_err(failed)?;
            let mut found = Vec::with_capacity(ids.len());
            for (id, stored) in ids.into_iter().zip(loaded) {
                let there = self.follow(id, stored).await?;
                found.push(there.map_or(Found::Ended, |(id, stored)| Found::Here {
                    id,
                    left: stored.record.ends().since(self.clock.now()),
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
    /// Follows a session through its renewals; `None` if it has ended. A login and a rotation end it too: a
    /// connection that was made with the old id has no part in what comes after them.
    async fn follow(
        &self,
        mut id: SessionIdHash,
        mut stored: Option<Stored>,
    ) -> Result<Option<(SessionIdHash, Stored)>, Error> {
        for _ in 0..LONGEST {
            let Some(found) = stored else { return Ok(None) };
            match found.record.state {
                State::Live if found.record.is_expired(self.clock.now()) => return Ok(None),
                State::Live => return Ok(Some((id, found))),
                State::Moved { to, .. } => id = to,
                State::Rotated { .. } | State::Ended { .. } | State::Series { .. } => {
                    return Ok(None);
                }
            }
            stored = self.store.load(&id, self.clock.now()).await.map_err(failed)?;
        }
        Err(too_long())
    }
}

impl StoreBackend {
    /// What tells of the end of sessions.
    pub(in crate::engine) fn watch(&self) -> (&Watch<Sessions>, &Arc<Sessions>) {
        (&self.0.watch, &self.0)
    }

    /// Opens a session outside of its request, as it is now; `None` if it has ended. `cookie` is the id with
    /// which it came.
    pub(crate) async fn reopen(
        &self,
        engine: &Arc<Engine>,
        cookie: &SessionId,
        place: &Place,
    ) -> Result<Option<Arc<Slot>>, Error> {
        let id = place.get();
        let stored = self.store.load(&id, self.clock.now()).await.map_err(failed)?;
        let Some((session, stored)) = self.follow(id, stored).await? else { return Ok(None) };
        place.set(session);
        let (id, stored) = (cookie.clone(), Arc::new(stored));
        let origin = Box::new(Origin { id, session, stored });
        let client = |_: &Logins| Client::default();
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
