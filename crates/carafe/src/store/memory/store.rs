use super::MemoryStore;
use super::entry::{Entry, Key};
use crate::UnixSeconds;
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State};
use crate::store::{
    Created, Deleted, Notice, Notices, RevocationStore, Revocations, SessionStore, StoreError,
    Stored, Updated, UserHash, UserRevocation, Version, Within,
};

impl SessionStore for MemoryStore {
    async fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.create_now(id, record, now)
    }

    async fn create_within(
        &self,
        id: &SessionIdHash,
        record: &Record,
        within: &Within,
        now: UnixSeconds,
    ) -> Result<Created, StoreError> {
        self.create_within_now(id, record, within, now)
    }

    async fn load(
        &self,
        id: &SessionIdHash,
        _now: UnixSeconds,
    ) -> Result<Option<Stored>, StoreError> {
        self.load_now(id)
    }

    async fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        let updated = self.update_now(id, expected, record, now)?;
        if matches!(updated, Updated::Written(_)) && record.state != State::Live {
            self.board.tell(Notice::Session(*id));
        }
        Ok(updated)
    }

    async fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> Result<Deleted, StoreError> {
        let mut shard = self.shard(Key::of(id));
        let Some(key) = shard.key(id) else { return Ok(Deleted::Gone) };
        let version = shard.records.get(&key).map(Entry::version);
        if expected.is_some() && version != expected {
            return Ok(Deleted::Conflict);
        }
        self.remove(&mut shard, key);
        drop(shard);
        self.board.tell(Notice::Session(*id));
        Ok(Deleted::Deleted)
    }

    async fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> Result<Vec<(SessionIdHash, Stored)>, StoreError> {
        self.list_now(user, now)
    }

    async fn delete_for_user(&self, user: &str, keep: Option<PublicId>) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let (before, keys) = (deleted, self.users.keys_of(user));
            for key in &keys {
                let mut shard = self.shard(*key);
                let entry = shard.records.get(key);
                // The key may have become another user's record in the meantime.
                let is_users = |entry: &&Entry| {
                    entry.user() == Some(user) && !keep.is_some_and(|keep| entry.is_session(keep))
                };
                if entry.filter(is_users).is_some() {
                    let removed = self.remove(&mut shard, *key);
                    drop(shard);
                    if let Some(entry) = removed {
                        self.board.tell(Notice::Session(entry.id()));
                    }
                    deleted += 1;
                }
            }
            // A session that moves to a new id meanwhile is listed under the new id before the old
            // one.
            if deleted == before && self.users.keys_of(user) == keys {
                return Ok(deleted);
            }
        }
    }

    async fn delete_expired(&self, now: UnixSeconds, limit: u32) -> Result<u64, StoreError> {
        Ok(self.sweep(now, limit as usize) as u64)
    }

    fn watch(&self) -> Option<Notices> {
        Some(self.board.watch())
    }
}

impl RevocationStore for MemoryStore {
    async fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.revoke_now(id, until, now)?;
        self.board.tell(Notice::Session(*id));
        Ok(())
    }

    async fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        self.revoke_user_now(user, revocation, now)?;
        self.board.tell(Notice::User(UserHash::of(user)));
        Ok(())
    }

    async fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> Result<Revocations, StoreError> {
        Ok(self.revocations_now(id, user, now))
    }

    async fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        _limit: u32,
    ) -> Result<u64, StoreError> {
        Ok(self.sweep_revocations(now) as u64)
    }

    fn watch_revocations(&self) -> Option<Notices> {
        Some(self.board.watch())
    }
}
