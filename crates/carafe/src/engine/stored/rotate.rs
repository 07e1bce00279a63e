//! New ids for sessions, by a renewal, a rotation or a login.
//!
//! First the new record is created, then one compare-and-swap turns the old record into a pointer
//! record. In any other order another request could lose an acknowledged write, or revive an ended
//! session.

use std::sync::Arc;
use std::time::Duration;

use super::admit::{NewRecord, too_many};
use super::lock::Newest;
use super::write::{Changes, Found, raise, view_of};
use super::{Patience, Sessions, apply, ended, failed};
use crate::content::Operation;
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State};
use crate::store::{StoreErrorKind, Stored, Updated, Version};
use crate::{Error, UnixSeconds, event};

/// The pause before asking a store again that could not answer.
const PAUSE: Duration = Duration::from_millis(20);

/// A move of a session to a new id.
#[derive(Debug)]
pub(super) struct Rotation {
    /// The changes that are saved together with the move.
    pub(super) operations: Vec<Operation>,
    pub(super) to: SessionIdHash,
    /// The public id of the session that a login begins.
    pub(super) public_id: PublicId,
    /// The grace period of a renewal, in seconds, in which the old id leads to the new one; `None`
    /// for a login or an explicit rotation, after which the old id is dead.
    pub(super) grace: Option<u64>,
}

/// The result of an attempt to move a session.
enum Moved {
    Done(Arc<Stored>),
    /// The session continues under another id.
    Elsewhere(SessionIdHash),
    /// The store has no room for a new record.
    NoRoom(Arc<Stored>),
}

/// The state of the old record, after the answer to its update was lost.
enum Old {
    Pointer(Version),
    /// Another write came first.
    Changed,
    Gone,
}

impl Sessions {
    /// Moves a session to a new id. Returns the session's present id, and its record.
    pub(super) async fn rotate(
        &self,
        mut session: SessionIdHash,
        mut seen: Option<Arc<Stored>>,
        rotation: Rotation,
    ) -> Result<(SessionIdHash, Arc<Stored>), Error> {
        let patience = Patience::new();
        loop {
            match self.rotate_here(session, seen.take(), &rotation, patience).await? {
                Moved::Done(stored) => return Ok((rotation.to, stored)),
                // Another request has renewed it.
                Moved::Elsewhere(to) if rotation.grace.is_some() => {
                    return self.write(to, Changes::of(rotation.operations)).await;
                }
                Moved::Elsewhere(to) => session = to,
                // A renewal can wait until the store has room.
                Moved::NoRoom(stored) if rotation.operations.is_empty() => {
                    return Ok((session, stored));
                }
                Moved::NoRoom(_) => {
                    return self.write(session, Changes::of(rotation.operations)).await;
                }
            }
            patience.check()?;
        }
    }

    async fn rotate_here(
        &self,
        session: SessionIdHash,
        seen: Option<Arc<Stored>>,
        rotation: &Rotation,
        patience: Patience,
    ) -> Result<Moved, Error> {
        // Declared before the lock's guard, so that the guard is dropped first.
        let waiter = self.locks.waiter(session);
        let mut newest = waiter.lock().await?;
        raise(&mut newest, seen.as_ref());
        let mut created = None;
        let moved = self.try_to_move(session, &mut newest, rotation, &mut created, patience).await;
        if created.is_some() && !matches!(moved, Ok(Moved::Done(_))) {
            self.discard(&rotation.to).await;
        }
        moved
    }

    /// Tries to move the session until no other write interferes. `created` is the version of the
    /// new record, once the record may exist.
    async fn try_to_move(
        &self,
        session: SessionIdHash,
        newest: &mut Newest<'_>,
        rotation: &Rotation,
        created: &mut Option<Version>,
        patience: Patience,
    ) -> Result<Moved, Error> {
        loop {
            let stored = match self.find(&session, newest).await? {
                Found::Here(stored) => stored,
                Found::Moved(to) => return Ok(Moved::Elsewhere(to)),
            };
            let now = self.clock.now();
            let record = self.renewed_record(&stored, rotation, now)?;
            let replaces = stored.record.public_id;
            let Some(version) = self.put_new(rotation, (&record, replaces), created, now).await?
            else {
                return Ok(Moved::NoRoom(stored));
            };
            let pointer = self.pointer_to(rotation, &stored.record, now);
            if self.put_pointer(session, newest, &stored, pointer, created, patience).await? {
                return Ok(Moved::Done(Arc::new(Stored { record, version })));
            }
            patience.check()?;
        }
    }

    /// Returns the record for the new id.
    fn renewed_record(
        &self,
        stored: &Stored,
        rotation: &Rotation,
        now: UnixSeconds,
    ) -> Result<Record, Error> {
        let mut view = view_of(&stored.record)?;
        apply::to_view(&mut view, &rotation.operations, &self.rules)?;
        let mut record = match apply::login(&rotation.operations) {
            Some(login) => login.record(self.rules.new_record(rotation.public_id, now), now),
            None => stored.record.without_data(),
        };
        apply::to_login(&mut record, &rotation.operations);
        self.rules.fill(&mut record, view.to_json()?, now)?;
        record.renewed = now;
        Ok(record)
    }

    /// Writes the new record; `None` if the store is full and it is a renewal.
    async fn put_new(
        &self,
        rotation: &Rotation,
        (record, replaces): (&Record, PublicId),
        created: &mut Option<Version>,
        now: UnixSeconds,
    ) -> Result<Option<Version>, Error> {
        let added = async {
            if apply::login(&rotation.operations).is_some() {
                return Box::pin(self.add(&rotation.to, record, Some(replaces), now)).await;
            }
            Ok(match self.store.create(&rotation.to, record, now).await? {
                true => NewRecord::Added,
                false => NewRecord::Exists,
            })
        };
        let version = match *created {
            None => match added.await {
                Ok(NewRecord::Added) => Version::FIRST,
                Ok(NewRecord::Exists) => return Err(ended()),
                Ok(NewRecord::TooMany) => return Err(too_many()),
                Err(error) if rotation.grace.is_some() && error.kind() == StoreErrorKind::Full => {
                    event::store_failed(&error);
                    return Ok(None);
                }
                Err(error) => {
                    // The record may exist.
                    *created =
                        (error.kind() == StoreErrorKind::Uncertain).then_some(Version::FIRST);
                    return Err(failed(error));
                }
            },
            Some(version) => {
                match self.store.update(&rotation.to, version, record, now).await.map_err(failed)? {
                    Updated::Written(version) => version,
                    Updated::Conflict | Updated::Gone => return Err(ended()),
                }
            }
        };
        *created = Some(version);
        Ok(Some(version))
    }

    fn pointer_to(&self, rotation: &Rotation, old: &Record, now: UnixSeconds) -> Record {
        let to = rotation.to;
        let state = match rotation.grace {
            Some(grace) => State::Moved { to, until: now + grace },
            // A request with the id from before a login has no part in the user's session, and
            // can't end it.
            None if apply::login(&rotation.operations).is_some() => State::Ended { by: to },
            None => State::Rotated { to },
        };
        self.rules.pointer(old, state, now)
    }

    /// Turns the old record into a pointer record; `false` if another write came first.
    async fn put_pointer(
        &self,
        session: SessionIdHash,
        newest: &mut Newest<'_>,
        stored: &Stored,
        pointer: Record,
        created: &mut Option<Version>,
        patience: Patience,
    ) -> Result<bool, Error> {
        newest.take();
        let now = self.clock.now();
        let version = match self.store.update(&session, stored.version, &pointer, now).await {
            Ok(Updated::Written(version)) => version,
            Ok(Updated::Conflict) => return Ok(false),
            Ok(Updated::Gone) => return Err(ended()),
            Err(error) if error.kind() == StoreErrorKind::Uncertain => {
                match self.look_at_old(&session, stored.version, &pointer, patience).await {
                    Ok(Old::Pointer(version)) => version,
                    Ok(Old::Changed) => return Ok(false),
                    // The session ended, and the store no longer shows whether it had moved before.
                    Ok(Old::Gone) => return Err(failed(error)),
                    Err(error) => {
                        // The session may have moved to the new record: an orphaned record is
                        // better than a lost session.
                        *created = None;
                        return Err(error);
                    }
                }
            }
            Err(error) => return Err(failed(error)),
        };
        **newest = Some(Arc::new(Stored { record: pointer, version }));
        Ok(true)
    }

    /// Finds out whether the old record has become a pointer record, after the answer was lost. The
    /// lost call has no effect once the record has another version. The new id, which no other
    /// request knows, tells whose pointer record it is.
    async fn look_at_old(
        &self,
        session: &SessionIdHash,
        version: Version,
        pointer: &Record,
        patience: Patience,
    ) -> Result<Old, Error> {
        loop {
            let now = self.clock.now();
            let error = match self.store.load(session, now).await {
                Ok(Some(found)) if found.record.state == pointer.state => {
                    return Ok(Old::Pointer(found.version));
                }
                Ok(Some(found)) if found.version == version => {
                    match self.store.update(session, version, pointer, now).await {
                        Ok(Updated::Written(version)) => return Ok(Old::Pointer(version)),
                        // The lost call has come through, or another write: look again.
                        Ok(Updated::Conflict | Updated::Gone) => continue,
                        Err(error) => error,
                    }
                }
                Ok(Some(_)) => return Ok(Old::Changed),
                Ok(None) => return Ok(Old::Gone),
                Err(error) => error,
            };
            if patience.check().is_err() {
                return Err(failed(error));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Deletes the record under a new id that no client will get.
    async fn discard(&self, id: &SessionIdHash) {
        if let Err(error) = self.store.delete(id, None).await {
            // The record expires, since no client has its id.
            event::store_failed(&error);
        }
    }
}
