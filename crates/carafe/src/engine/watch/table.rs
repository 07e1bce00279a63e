//! The table of watched sessions, with the time of each session's next check.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{CurrentId, Found, Look, Watched};
use crate::id::SessionIdHash;
use crate::store::Notice;

/// The longest duration of a timer, in seconds.
const LONGEST: u64 = 86_400;

pub(super) struct Table<L: Look> {
    interval: Duration,
    /// The earliest time, which sessions get that have to be checked first.
    began: Instant,
    sessions: HashMap<SessionIdHash, Entry<L::Mark>>,
    /// All sessions, by the time of the next check.
    due: BTreeSet<(Instant, SessionIdHash)>,
}

struct Entry<M> {
    mark: M,
    due: Instant,
    waiting: SmallVec<[(Arc<CurrentId>, oneshot::Sender<()>); 1]>,
}

impl<L: Look> Table<L> {
    pub(super) fn new(interval: Duration) -> Self {
        let (sessions, due) = (HashMap::new(), BTreeSet::new());
        Self { interval, began: Instant::now(), sessions, due }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Adds a session, which is checked first. A session that is watched already needs no check.
    pub(super) fn add(&mut self, new: Watched<L::Mark>) {
        let Watched { current, mark, waiting } = new;
        self.join(current.get(), mark, [(current, waiting)]);
    }

    fn join(
        &mut self,
        id: SessionIdHash,
        mark: L::Mark,
        waiting: impl IntoIterator<Item = (Arc<CurrentId>, oneshot::Sender<()>)>,
    ) {
        match self.sessions.get_mut(&id) {
            Some(entry) => {
                L::merge(&mut entry.mark, mark);
                entry.waiting.extend(waiting);
            }
            None => {
                let waiting = waiting.into_iter().collect();
                self.due.insert((self.began, id));
                self.sessions.insert(id, Entry { mark, due: self.began, waiting });
            }
        }
    }

    /// Applies a notice of the store.
    pub(super) fn note(&mut self, notice: Notice) {
        match notice {
            Notice::Session(id) => self.set_due(id, self.began),
            Notice::User(user) => self.all_due(|mark| L::is_of(mark, &user)),
            Notice::Begun => self.all_due(|_| true),
            Notice::Interrupted => {}
        }
    }

    fn all_due(&mut self, concerns: impl Fn(&L::Mark) -> bool) {
        let concerned = self.sessions.iter().filter(|(_, entry)| concerns(&entry.mark));
        let ids: Vec<SessionIdHash> = concerned.map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.set_due(id, self.began));
    }

    fn set_due(&mut self, id: SessionIdHash, due: Instant) {
        if let Some(entry) = self.sessions.get_mut(&id) {
            self.due.remove(&(entry.due, id));
            self.due.insert((due, id));
            entry.due = due;
        }
    }

    /// Returns the time of the next check.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Takes at most `limit` sessions that are due for a check. Sessions whose end is no longer
    /// awaited are dropped.
    pub(super) fn take_due(&mut self, now: Instant, limit: usize) -> Vec<SessionIdHash> {
        let mut ids = Vec::new();
        let mut dropped = Vec::new();
        for (_, id) in self.due.iter().take_while(|(due, _)| *due <= now) {
            let Some(entry) = self.sessions.get_mut(id) else { continue };
            entry.waiting.retain(|(_, waiting)| !waiting.is_closed());
            match entry.waiting.is_empty() {
                true => dropped.push(*id),
                false => ids.push(*id),
            }
            if ids.len() == limit {
                break;
            }
        }
        dropped.iter().for_each(|id| drop(self.remove(id)));
        ids
    }

    /// Returns some sessions with their marks.
    pub(super) fn marks(&self, ids: &[SessionIdHash]) -> Vec<(SessionIdHash, &L::Mark)> {
        let mark = |id| self.sessions.get_key_value(id).map(|(id, entry)| (*id, &entry.mark));
        ids.iter().filter_map(mark).collect()
    }

    /// Applies the result of a check.
    pub(super) fn settle(&mut self, id: SessionIdHash, found: Found, now: Instant) {
        match found {
            Found::Ended => {
                let ended = self.remove(&id).into_iter().flat_map(|entry| entry.waiting);
                for (_, waiting) in ended {
                    // The waiting future may have been dropped.
                    let _ = waiting.send(());
                }
            }
            Found::Here { id: to, left } => {
                if to != id
                    && let Some(Entry { mark, waiting, .. }) = self.remove(&id)
                {
                    waiting.iter().for_each(|(current, _)| current.set(to));
                    self.join(to, mark, waiting);
                }
                let left = Duration::from_secs(left.clamp(1, LONGEST));
                self.set_due(to, now + self.interval.min(left));
            }
        }
    }

    fn remove(&mut self, id: &SessionIdHash) -> Option<Entry<L::Mark>> {
        let entry = self.sessions.remove(id)?;
        self.due.remove(&(entry.due, *id));
        Some(entry)
    }
}
