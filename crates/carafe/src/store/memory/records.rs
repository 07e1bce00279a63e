//! The calls of each request, none of which waits.

use super::MemoryStore;
use super::entry::{Entry, Key};
use super::shard::Shard;
use crate::UnixSeconds;
use crate::id::SessionIdHash;
use crate::record::Record;
use crate::store::{StoreError, Stored, Updated, Version};

/// The result of replacing an entry.
enum Replaced {
    Done(Updated),
    /// The new entry does not fit: it has this many more bytes than the old one.
    Grows(Entry, usize),
}

impl MemoryStore {
    pub(crate) fn create_now(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        self.has_begun(now);
        let entry = Entry::new(id, Version::FIRST, record, now);
        let cost = entry.cost();
        // The check runs before the shard is locked, since making room may lock any shard.
        if let Some(user) = &record.user {
            self.check_new_of(user, cost)?;
        }
        self.reserve(Key::of(id), cost, now)?;
        let mut shard = self.shard(Key::of(id));
        let Some(key) = shard.insert(id, entry) else {
            self.room.give_back(1, cost);
            return Ok(false);
        };
        if let Some(user) = &record.user {
            self.users.link(user, key);
        }
        Ok(true)
    }

    pub(crate) fn load_now(&self, id: &SessionIdHash) -> Result<Option<Stored>, StoreError> {
        self.shard(Key::of(id)).get(id).map(Entry::read).transpose()
    }

    pub(crate) fn update_now(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> Result<Updated, StoreError> {
        let version = Version(expected.0.saturating_add(1));
        let (mut new, mut reserved) = (Entry::new(id, version, record, now), 0);
        loop {
            let growth = match self.replace(id, expected, record, new, reserved) {
                Replaced::Done(updated) => return Ok(updated),
                Replaced::Grows(entry, growth) => {
                    new = entry;
                    growth
                }
            };
            // The shard is unlocked, since making room may lock any shard.
            let more = growth - reserved;
            let share =
                record.user.as_ref().map_or(Ok(()), |user| self.check_growth_of(user, more));
            let room = share.and_then(|()| self.reserve_growth(Key::of(id), more, now));
            if let Err(error) = room {
                self.room.give_back(0, reserved);
                return Err(error);
            }
            reserved = growth;
        }
    }

    /// Replaces an entry that has the expected version, if the growth is within the reserved bytes,
    /// or if the store has plenty of room.
    fn replace(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        new: Entry,
        reserved: usize,
    ) -> Replaced {
        let mut shard = self.shard(Key::of(id));
        let key = shard.key(id);
        let Shard { records, evictable, .. } = &mut *shard;
        let place = key.and_then(|key| Some((key, records.get_mut(&key)?)));
        let Some((key, entry)) = place.filter(|(_, entry)| entry.version() == expected) else {
            self.room.give_back(0, reserved);
            let missing = key.is_none();
            return Replaced::Done(if missing { Updated::Gone } else { Updated::Conflict });
        };
        let growth = new.cost().saturating_sub(entry.cost());
        if growth > reserved {
            if self.room.is_past_half() {
                return Replaced::Grows(new, growth);
            }
            self.room.grow(growth - reserved);
        }
        let shrinkage = entry.cost().saturating_sub(new.cost());
        self.room.give_back(0, shrinkage + reserved.saturating_sub(growth));
        let (version, ends) = (new.version(), new.evictable());
        let old = std::mem::replace(entry, new);
        evictable.moved(key, old.evictable(), ends, records);
        let (user, old_user) = (record.user.as_deref(), old.user());
        if user != old_user {
            // A simultaneous search of the user's records must find this one.
            if let Some(user) = user {
                self.users.link(user, key);
            }
            if let Some(user) = old_user {
                self.users.unlink(user, key);
            }
        }
        Replaced::Done(Updated::Written(version))
    }
}
