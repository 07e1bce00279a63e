//! Revocation marks: ended sessions in cookies, and users whose earlier logins are invalid.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::entry::Key;
use super::shard::Shard;
use super::{MemoryStore, lock};
use crate::UnixSeconds;
use crate::id::SessionIdHash;
use crate::store::{Revocations, StoreError, UserRevocation};

/// About how many bytes a revocation mark takes: its place in a table, which may be half empty.
const OVERHEAD: usize = 96;

/// The users whose logins up to a time are invalid.
pub(super) type RevokedUsers = HashMap<String, NotBefore>;

#[derive(Clone, Copy, Debug)]
pub(super) struct NotBefore {
    time: UnixSeconds,
    until: UnixSeconds,
}

impl MemoryStore {
    pub(super) fn revoke_now(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.has_begun(now);
        let extend = |ends: &mut UnixSeconds| *ends = until.max(*ends);
        if let Some(ends) = self.shard(Key::of(id)).revoked.get_mut(id) {
            extend(ends);
            return Ok(());
        }
        self.reserve(Key::of(id), OVERHEAD, now)?;
        match self.shard(Key::of(id)).revoked.entry(*id) {
            Entry::Vacant(place) => drop(place.insert(until)),
            // Another call has revoked the same session meanwhile.
            Entry::Occupied(mut place) => {
                extend(place.get_mut());
                self.room.give_back(1, OVERHEAD);
            }
        }
        Ok(())
    }

    pub(super) fn revoke_user_now(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let UserRevocation { logins_up_to: time, until } = revocation;
        self.has_begun(now);
        let extend = |held: &mut NotBefore| {
            *held = NotBefore { time: time.max(held.time), until: until.max(held.until) };
        };
        if let Some(held) = lock(&self.revoked_users).get_mut(user) {
            extend(held);
            return Ok(());
        }
        self.reserve(Key::ANY, cost_of(user), now)?;
        match lock(&self.revoked_users).entry(user.to_owned()) {
            Entry::Vacant(place) => drop(place.insert(NotBefore { time, until })),
            Entry::Occupied(mut place) => {
                extend(place.get_mut());
                self.room.give_back(1, cost_of(user));
            }
        }
        Ok(())
    }

    pub(super) fn revocations_now(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Revocations {
        let session = self.shard(Key::of(id)).revoked.get(id).is_some_and(|until| *until > now);
        let users = lock(&self.revoked_users);
        let not_before = user.and_then(|user| users.get(user)).filter(|entry| entry.until > now);
        Revocations { session, not_before: not_before.map(|entry| entry.time) }
    }

    /// Removes the expired marks of users. Returns the number removed.
    pub(super) fn forget_revoked_users(&self, now: UnixSeconds) -> usize {
        let (mut forgotten, mut bytes) = (0, 0);
        lock(&self.revoked_users).retain(|user, not_before| {
            let stays = not_before.until > now;
            if !stays {
                (forgotten, bytes) = (forgotten + 1, bytes + cost_of(user));
            }
            stays
        });
        self.room.give_back(forgotten, bytes);
        forgotten
    }

    /// Removes the expired marks of sessions. Returns the number removed.
    pub(super) fn forget_revoked(&self, shard: &mut Shard, now: UnixSeconds) -> usize {
        let before = shard.revoked.len();
        shard.revoked.retain(|_, until| *until > now);
        let forgotten = before - shard.revoked.len();
        self.room.give_back(forgotten, forgotten * OVERHEAD);
        forgotten
    }
}

fn cost_of(user: &str) -> usize {
    OVERHEAD + user.len()
}
