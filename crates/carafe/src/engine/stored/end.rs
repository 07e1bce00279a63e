//! The end of a session.

use std::sync::Arc;

use super::write::raise;
use super::{Patience, Sessions, failed, users};
use crate::id::{PublicId, SessionIdHash};
use crate::record::State;
use crate::store::{Deleted, Stored};
use crate::{Error, event};

impl Sessions {
    /// Ends a session of a user by its public id, under its present id.
    pub(in crate::engine) async fn end_by_name(
        &self,
        user: &str,
        public_id: PublicId,
    ) -> Result<bool, Error> {
        let found = users::end(&self.store, &self.clock, user, public_id).await?;
        if found {
            event::logged_out(1);
        }
        Ok(found)
    }

    /// Ends a session under its present id.
    ///
    /// Pointer records are left to expire: if they were deleted first and a later step failed, the
    /// session could not be found any more.
    pub(super) async fn end(&self, session: SessionIdHash, seen: Arc<Stored>) -> Result<(), Error> {
        // Declared before the lock's guard, so that the guard is dropped first.
        let waiter = self.locks.waiter(session);
        let mut newest = waiter.lock().await?;
        raise(&mut newest, Some(&seen));
        let (mut known, mut session, patience) = (newest.take(), session, Patience::new());
        loop {
            let stored = match known.take() {
                Some(known) => Some(known),
                None => {
                    self.store.load(&session, self.clock.now()).await.map_err(failed)?.map(Arc::new)
                }
            };
            let Some(stored) = stored else { return self.end_by_public_id(&seen).await };
            match stored.record.state {
                // The user's session is a different one.
                State::Ended { .. } | State::Series { .. } => return Ok(()),
                State::Moved { to, .. } | State::Rotated { to } => session = to,
                State::Live => {
                    let deleted = self.store.delete(&session, Some(stored.version)).await;
                    match deleted.map_err(failed)? {
                        // The session was changed, moved or ended meanwhile: look again.
                        Deleted::Conflict | Deleted::Gone => {}
                        Deleted::Deleted => return Ok(()),
                    }
                }
            }
            patience.check()?;
        }
    }

    /// Ends a session without a record under its id: it has ended already, or its renewal is so old
    /// that no pointer record leads to it.
    async fn end_by_public_id(&self, seen: &Stored) -> Result<(), Error> {
        if let Some(user) = &seen.record.user {
            users::end(&self.store, &self.clock, user, seen.record.public_id).await?;
        }
        Ok(())
    }
}
