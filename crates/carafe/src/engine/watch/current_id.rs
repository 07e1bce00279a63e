use std::sync::{Mutex, PoisonError};

use crate::id::SessionIdHash;

/// The hash of a session's present id, shared by everything that follows the session through
/// renewals.
#[derive(Debug)]
pub(crate) struct CurrentId(Mutex<SessionIdHash>);

impl CurrentId {
    pub(crate) fn new(id: SessionIdHash) -> Self {
        Self(Mutex::new(id))
    }

    pub(crate) fn get(&self) -> SessionIdHash {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, id: SessionIdHash) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }
}
