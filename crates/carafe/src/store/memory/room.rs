use std::sync::atomic::{AtomicUsize, Ordering};

/// The default room of a session, on average, in bytes.
const PER_SESSION: usize = 512;

/// The smallest default room of a store, in bytes.
const LEAST: usize = 64 << 20;

/// The number of sessions that a user may have in any case.
const FEW: usize = 4;

/// The number of shares of the store. A user has at most one share when the store fills up.
const SHARES: usize = 16;

/// The capacity of a store, and how much of it is taken: records and revocation marks, and their
/// bytes.
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

    /// Returns the number of entries.
    pub(super) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes taken.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes room for an entry of this size, even beyond the limit. Returns whether there were too
    /// many entries already.
    pub(super) fn take(&self, bytes: usize) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.entries.fetch_add(1, Ordering::Relaxed) >= self.max_entries
    }

    /// Gives back the room of some entries.
    pub(super) fn give_back(&self, entries: usize, bytes: usize) {
        self.entries.fetch_sub(entries, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes bytes for an entry that grows, even beyond the limit.
    pub(super) fn grow(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns whether more bytes are taken than allowed.
    pub(super) fn is_over(&self) -> bool {
        self.bytes() > self.max_bytes
    }

    /// Returns whether the store is filling up, so that each user is limited to a share.
    pub(super) fn is_past_half(&self) -> bool {
        self.entries() > self.max_entries / 2 || self.bytes() > self.max_bytes / 2
    }

    /// Returns a user's share of sessions and bytes when the store fills up.
    pub(super) fn share(&self) -> (usize, usize) {
        ((self.max_entries / SHARES).max(FEW), self.max_bytes / SHARES)
    }
}
