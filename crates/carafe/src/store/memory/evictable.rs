use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasherDefault;

use super::entry::{Entry, Key, KeyHasher};

/// The number of the oldest entries that are compared, to find one that ends early.
const SOME: usize = 4;

/// The number of outdated entries in the queue that are tolerated before a clean-up.
const SLACK: usize = 32;

pub(super) type Records = HashMap<Key, Entry, BuildHasherDefault<KeyHasher>>;

/// The records that may be dropped, roughly in the order in which they end.
///
/// A record is appended to a queue, and its entry stays there when the record is removed or
/// changed: an entry with another end time than its record's is outdated. Every visitor's new
/// session is appended here, and finding the exact position in an ordered tree took longer than all
/// other steps.
#[derive(Debug, Default)]
pub(super) struct Evictable {
    /// The end times of records, and their keys.
    queue: VecDeque<(u64, Key)>,
    /// The number of records that may be dropped.
    len: usize,
}

impl Evictable {
    /// Records a change of a droppable record's end time, from `before` to `now`; `None` stands for
    /// a record that is missing or may not be dropped.
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

    /// Takes the entry that ends first among the oldest; the caller removes its record.
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

    /// Puts an anonymous record into the store, or replaces it.
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
        // After another use, the first record is the last.
        put(&mut records, &mut evictable, 0, 200);
        // A record that comes late and ends early is dropped early.
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
            // The clock may go back and forth.
            put(&mut records, &mut evictable, (now % 3) as u8, 100 + now % 7);
            assert!(evictable.queue.len() <= 2 * 3 + SLACK + 1);
        }
        assert_eq!(evictable.len, 3);
    }
}
