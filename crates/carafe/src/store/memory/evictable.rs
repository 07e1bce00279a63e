use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;

use super::entry::{Entry, Key, KeyHasher};

/// How many of the oldest are compared, to find one that would end first.
const SOME: usize = 4;

/// How many places may be out of date before they are looked through.
const SLACK: usize = 32;

pub(super) type Records = HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>;

/// The records that may be dropped, about in the order in which they would end.
///
/// They are put at the end of a queue, and stay there when they are removed or changed: what a place
/// says of a record that ends at another time is out of date. Appending is what every visitor's new
/// session takes, and finding the right place in an ordered tree took longer than all else here.
#[derive(Debug, Default)]
pub(super) struct Evictable {
    /// When a record ends, and its key.
    queue: VecDeque<(u64, Key)>,
    /// How many records may be dropped.
    len: usize,
}

impl Evictable {
    /// Notes when a record ended that could be dropped, if it was there, and when it ends now, if it is
    /// there and can be.
    pub(super) fn moved(
        &mut self,
        key: Key,
        before: Option<u64>,
        now: Option<u64>,
        records: &Records,
    ) {
        self.len = self.len + usize::from(now.is_some()) - usize::from(before.is_some());
        if let Some(ends) = now
            && before != now
        {
            self.queue.push_back((ends, key));
        }
        if self.queue.len() > 2 * self.len + SLACK {
            let mut seen = HashSet::<Key, BuildHasherDefault<KeyHasher>>::default();
            self.queue.retain(|place| is_current(records, *place) && seen.insert(place.1));
            self.queue.shrink_to(2 * self.len + SLACK);
        }
    }

    /// The one that would end first among the oldest, which is the caller's to remove.
    pub(super) fn pop(&mut self, records: &Records) -> Option<Key> {
        loop {
            let oldest = self.queue.iter().take(SOME).enumerate();
            let (first, _) = oldest.min_by_key(|(_, (ends, _))| *ends)?;
            let place = self.queue.remove(first)?;
            if is_current(records, place) {
                return Some(place.1);
            }
        }
    }
}

fn is_current(records: &Records, (ends, key): (u64, Key)) -> bool {
    records.get(&key).and_then(Entry::evictable) == Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixSeconds;
    use crate::id::{PublicId, SessionIdHash};
    use crate::record::Record;
    use crate::store::Version;

    /// Puts an anonymous record there, or another in its place.
    fn put(records: &mut Records, evictable: &mut Evictable, byte: u8, now: u64) -> Key {
        let id = SessionIdHash::from_bytes([byte; 32]);
        let record = Record::new(PublicId::from_bytes([0; 16]), UnixSeconds(now), 60, 600);
        let entry = Entry::new(&id, Version(1), &record, UnixSeconds(now));
        let (key, ends) = (Key::of(&id), entry.evictable());
        let before = records.insert(key, entry).and_then(|old| old.evictable());
        evictable.moved(key, before, ends, records);
        key
    }

    #[test]
    fn those_that_end_first_go_first() {
        let (mut records, mut evictable) = (Records::default(), Evictable::default());
        let keys: Vec<Key> =
            (0..10).map(|n| put(&mut records, &mut evictable, n, 100 + u64::from(n))).collect();
        // Used again, the first is the last.
        put(&mut records, &mut evictable, 0, 200);
        // One that came late and ends early is among the oldest in time.
        let early = put(&mut records, &mut evictable, 10, 50);
        let mut popped = Vec::new();
        while let Some(key) = evictable.pop(&records) {
            let before = records.remove(&key).and_then(|entry| entry.evictable());
            evictable.moved(key, before, None, &records);
            popped.push(key);
        }
        assert_eq!(popped.len(), 11);
        assert_eq!(popped[..6], keys[1..7]);
        assert!(popped.iter().position(|key| *key == early) < Some(10));
        assert_eq!(popped[10], keys[0]);
        assert_eq!((evictable.len, evictable.queue.len()), (0, 0));
    }

    #[test]
    fn places_that_are_out_of_date_dont_pile_up() {
        let (mut records, mut evictable) = (Records::default(), Evictable::default());
        for now in 0..10_000 {
            // Also where a clock goes back and forth.
            put(&mut records, &mut evictable, (now % 3) as u8, 100 + now % 7);
            assert!(evictable.queue.len() <= 2 * 3 + SLACK + 1);
        }
        assert_eq!(evictable.len, 3);
    }
}
