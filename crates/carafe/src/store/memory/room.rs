use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes of room a session has by default, on average.
const PER_SESSION: usize = 512;

/// How many bytes a store has at least by default.
const LEAST: usize = 64 << 20;

/// A user may have so many sessions in any case.
const FEW: usize = 4;

/// Into how many parts the store is divided, of which a user has one at most when it fills up.
const SHARES: usize = 16;

/// What a store may hold, and how much of that is taken: records and revocations, and their bytes.
#[derive(Debug)]
pub(super) struct Room {
    entries: AtomicUsize,
    bytes: AtomicUsize,
    pub(super) max_entries: usize,
    pub(super) max_bytes: usize,
}

impl Room {
    pub(super) fn new(max_entries: usize) -> Self {
        let max_bytes = max_entries.saturating_mul(PER_SESSION).max(LEAST);
        Self { entries: AtomicUsize::new(0), bytes: AtomicUsize::new(0), max_entries, max_bytes }
    }

    /// How many entries there are.
    pub(super) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes room for an entry of so many bytes, whether or not it is there: returns whether there
    /// were too many entries already.
    pub(super) fn take(&self, bytes: usize) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.entries.fetch_add(1, Ordering::Relaxed) >= self.max_entries
    }

    /// Gives back the room of some entries.
    pub(super) fn give_back(&self, entries: usize, bytes: usize) {
        self.entries.fetch_sub(entries, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes bytes for an entry that grows, whether or not they are there.
    pub(super) fn grow(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether more bytes are taken than there are.
    pub(super) fn is_over(&self) -> bool {
        self.bytes() > self.max_bytes
    }

    /// Whether it fills up: then no user gets more than a share.
    pub(super) fn is_past_half(&self) -> bool {
        self.entries() > self.max_entries / 2 || self.bytes() > self.max_bytes / 2
    }

    /// How many sessions a user may have when the store fills up, and of how many bytes.
    pub(super) fn share(&self) -> (usize, usize) {
        ((self.max_entries / SHARES).max(FEW), self.max_bytes / SHARES)
    }
}
