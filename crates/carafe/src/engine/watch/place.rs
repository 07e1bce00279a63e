use std::sync::{Mutex, PoisonError};

use crate::id::SessionIdHash;

/// Where a session is: the hash of its id, which a renewal changes.
#[derive(Debug)]
pub(crate) struct Place(Mutex<SessionIdHash>);

impl Place {
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
