//! The limit on a user's sessions, in the memory store.

use super::entry::{Entry, Key};
use super::{MemoryStore, lock};
use crate::UnixSeconds;
use crate::id::{PublicId, SessionIdHash};
use crate::record::Record;
use crate::store::{Admission, Created, Notice, StoreError, Stored, Within};

impl MemoryStore {
    pub(super) fn list_now(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let mut keys = self.users.keys_of(user);
        loop {
            let list = self.list_of(user, &keys, now)?;
            // A session that moves to a new id meanwhile is listed under the new id before the old
            // one.
            let again = self.users.keys_of(user);
            if again == keys {
                return Ok(list);
            }
            keys = again;
        }
    }

    fn list_of(
        &self,
        user: &str,
        keys: &[Key],
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        let mut list = Vec::new();
        for key in keys {
            let shard = self.shard(*key);
            let entry = shard.records.get(key).filter(|entry| entry.user() == Some(user));
            let Some(entry) = entry else { continue };
            let stored = entry.read()?;
            if !stored.record.is_expired(now) {
                list.push((entry.id(), stored));
            }
        }
        Ok(list)
    }

    pub(super) fn create_within_now(
        &self,
        id: &SessionIdHash,
        record: &Record,
        within: &Within,
        now: UnixSeconds,
    ) -> Result<Created, StoreError> {
        let Some(user) = record.user.as_deref() else {
            return Ok(match self.create_now(id, record, now)? {
                true => Created::Created { ended: 0 },
                false => Created::Exists,
            });
        };
        let _counting = lock(&self.counting);
        let list = self.list_now(user, now)?;
        let Admission::Admitted(end) =
            within.decide(list.iter().map(|(_, stored)| &stored.record), now)
        else {
            return Ok(Created::TooMany);
        };
        if !self.create_now(id, record, now)? {
            return Ok(Created::Exists);
        }
        for public_id in &end {
            self.end_session(user, *public_id);
        }
        Ok(Created::Created { ended: u32::try_from(end.len()).unwrap_or(u32::MAX) })
    }

    /// Removes the records of one session of a user, under all its ids.
    fn end_session(&self, user: &str, public_id: PublicId) {
        loop {
            let keys = self.users.keys_of(user);
            for key in &keys {
                let mut shard = self.shard(*key);
                let entry = shard.records.get(key);
                let is_its =
                    |entry: &&Entry| entry.user() == Some(user) && entry.is_session(public_id);
                if entry.filter(is_its).is_some() {
                    let removed = self.remove(&mut shard, *key);
                    drop(shard);
                    if let Some(entry) = removed {
                        self.board.tell(Notice::Session(entry.id()));
                    }
                }
            }
            let has_moved = |key: &Key| !keys.contains(key);
            if !self.users.keys_of(user).iter().any(has_moved) {
                return;
            }
        }
    }
}
