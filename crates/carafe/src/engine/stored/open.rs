use std::sync::Arc;

use super::commit::{SetId, set_id_of};
use super::{StoreBackend, failed};
use crate::content::View;
use crate::engine::{Engine, Slot};
use crate::id::{SessionId, SessionIdHash};
use crate::record::{Record, State};
use crate::store::Stored;
use crate::value::json::Payload;
use crate::{Error, ErrorKind, event};

/// Where a request's session came from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The id in the cookie. After a renewal elsewhere it is the old one.
    pub(crate) id: SessionId,
    /// The hash of the id that the session has now.
    pub(crate) session: SessionIdHash,
    /// The record, as the request last saw it.
    pub(crate) stored: Arc<Stored>,
}

impl Engine {
    /// Loads the session of a request, once.
    pub(in crate::engine) async fn open_stored(
        &self,
        slot: &Slot,
        backend: &StoreBackend,
    ) -> Result<(), Error> {
        backend.start_sweeping();
        // Whoever opens at the same time waits here, and finds it open.
        let _opening = slot.busy.lock().await;
        if slot.state().view.is_some() {
            return Ok(());
        }
        let mut set_id = SetId::Keep;
        let origin = match self.id_of(slot) {
            Some((id, outdated)) => {
                let origin = self.load(backend, id).await?;
                if let Some(origin) = &origin {
                    event::loaded(outdated);
                    // An id that was replaced is left alone: another response has the new one.
                    let is_current = origin.id.hash() == origin.session;
                    if outdated && is_current && self.config().rewrite_outdated {
                        set_id = set_id_of(origin);
                    }
                }
                origin
            }
            None => None,
        };
        let view = view(origin.as_deref())?;
        let mut state = slot.state();
        state.view = Some(view);
        state.set_id = set_id;
        state.origin = origin;
        Ok(())
    }

    /// The id that the request's cookie carries, if it is one that this service signed, and whether
    /// an older key did.
    fn id_of(&self, slot: &Slot) -> Option<(SessionId, bool)> {
        let found = self.cookie.find(slot.cookies());
        if found.as_ref().is_some_and(|found| found.duplicate) {
            event::duplicate_cookie(&self.config().cookie_name);
        }
        let Some(found) = found.filter(|found| !found.value.is_empty()) else {
            event::none();
            return None;
        };
        match self.keys.unsign_id(&found.value) {
            Ok(Some(id)) => Some(id),
            Ok(None) => {
                event::unknown();
                None
            }
            Err(error) => {
                event::refused(&error);
                None
            }
        }
    }

    /// The session of an id. Pointer records of renewals lead to it: at most as many as the settings
    /// allow within one grace period.
    async fn load(
        &self,
        backend: &StoreBackend,
        id: SessionId,
    ) -> Result<Option<Box<Origin>>, Error> {
        // A tick of the clock more or less is within what its seconds leave open.
        let now = self.clock.just_now();
        let mut session = id.hash();
        for _ in 0..=backend.rules.longest_chain {
            let Some(stored) = backend.store().load(&session, now).await.map_err(failed)? else {
                event::unknown();
                return Ok(None);
            };
            if stored.record.is_expired(now) {
                event::expired();
                return Ok(None);
            }
            match stored.record.state {
                State::Live => {
                    let stored = Arc::new(stored);
                    return Ok(Some(Box::new(Origin { id, session, stored })));
                }
                State::Moved { to, .. } => session = to,
                State::Rotated { .. } | State::Ended { .. } => return Ok(None),
            }
        }
        // It is there, so that an empty session in its place would be wrong.
        Err(Error::new(
            ErrorKind::Store,
            "the session's id was renewed more often within one grace period than the settings allow: \
             give `Config::renew_after` and `Config::renewal_grace` the same values in all processes",
        ))
    }
}

/// The view of a session that was loaded, or of a new one.
pub(super) fn view(origin: Option<&Origin>) -> Result<View, Error> {
    match origin {
        Some(Origin { stored, .. }) => {
            Ok(View::recording(payload(&stored.record)?, stored.record.user.clone()))
        }
        None => Ok(View::of_new_session()),
    }
}

/// The content of a record. One that can't be read is an error, and never an empty session that
/// would be written over it.
pub(super) fn payload(record: &Record) -> Result<Payload, Error> {
    let mut json = Vec::with_capacity(record.data.len() + Payload::ROOM);
    json.extend_from_slice(&record.data);
    Payload::parse(json).map_err(|error| {
        Error::new(ErrorKind::Store, "the store holds a session that can't be read")
            .with_source(error)
    })
}
