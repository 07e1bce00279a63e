mod entry;
mod evictable;
mod eviction;
mod logins;
mod records;
mod revoked;
mod room;
mod shard;
mod store;
mod users;

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use self::entry::{Entry, Key};
use self::revoked::RevokedUsers;
use self::room::Room;
use self::shard::Shard;
use self::users::Users;
use super::{NoticeBoard, SweepClock};
use crate::UnixSeconds;

/// The number of shards that the records are spread over, each with its own lock.
const SHARDS: usize = 64;

/// A store in the memory of one process, for development, tests, and services of one process whose
/// sessions may be lost with it.
///
/// It holds a bounded number of sessions and revocation marks, and a bounded number of bytes. When
/// it is full:
///
/// 1. It drops expired records.
/// 2. It drops sessions of anonymous visitors that would end early.
/// 3. It never drops a session with a logged-in user, or a revocation mark. Instead it refuses new
///    sessions, and the client gets a 503.
///
/// A single account can't fill the store: if it is more than half full, a user who has a sixteenth
/// of it gets no more sessions.
///
/// ```
/// use carafe::store::MemoryStore;
///
/// let store = MemoryStore::with_capacity(100_000).byte_capacity(256 << 20);
/// assert_eq!((store.len(), store.bytes()), (0, 0));
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    users: Users,
    revoked_users: Mutex<RevokedUsers>,
    room: Room,
    /// The time at which a full store last looked for expired records.
    swept: AtomicU64,
    /// The time of the first write.
    began: OnceLock<UnixSeconds>,
    clock: Mutex<SweepClock>,
    /// The lock of a login that counts its user's sessions.
    counting: Mutex<()>,
    /// The layers that wait for the end of sessions.
    board: NoticeBoard,
}

impl Default for MemoryStore {
    /// Returns a store of at most a million sessions.
    fn default() -> Self {
        Self::with_capacity(1_000_000)
    }
}

impl MemoryStore {
    /// Returns a store of at most a million sessions, and 512 MB.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    ///
    /// assert!(MemoryStore::new().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a store of at most this many sessions and revocation marks. It has 512 bytes for
    /// each, but at least 64 MiB: see [`byte_capacity`](Self::byte_capacity).
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    ///
    /// let store = MemoryStore::with_capacity(100_000);
    /// assert!(store.is_empty());
    /// ```
    #[must_use]
    pub fn with_capacity(sessions: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            users: Users::new(),
            revoked_users: Mutex::default(),
            room: Room::new(sessions),
            swept: AtomicU64::new(0),
            began: OnceLock::new(),
            clock: Mutex::default(),
            counting: Mutex::default(),
            board: NoticeBoard::default(),
        }
    }

    /// Sets the room of the store in bytes, which counts the sessions' content and about 200 bytes
    /// of overhead per session. A session may have up to
    /// [`Config::session_limit`](crate::Config::session_limit) bytes, 64 KiB by default, so that
    /// the number of sessions alone does not bound the memory.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    ///
    /// // A million sessions, if they are small.
    /// let store = MemoryStore::new().byte_capacity(256 << 20);
    /// # assert!(store.is_empty());
    /// ```
    #[must_use]
    pub fn byte_capacity(mut self, bytes: usize) -> Self {
        self.room.max_bytes = bytes;
        self
    }

    /// Returns the number of sessions and revocation marks, including expired ones.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    ///
    /// let store = MemoryStore::new();
    /// assert_eq!(store.len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.room.entries()
    }

    /// Returns whether the store holds no session and no revocation mark.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    ///
    /// let store = MemoryStore::new();
    /// assert!(store.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of bytes taken, as [`byte_capacity`](Self::byte_capacity) counts them.
    ///
    /// ```
    /// use carafe::store::MemoryStore;
    ///
    /// let store = MemoryStore::new();
    /// assert_eq!(store.bytes(), 0);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.room.bytes()
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        lock(&self.shards[key.spread() % SHARDS])
    }

    /// Removes a record from its shard.
    fn remove(&self, shard: &mut Shard, key: Key) -> Option<Entry> {
        let entry = shard.remove(key)?;
        if let Some(user) = entry.user() {
            self.users.unlink(user, key);
        }
        self.room.give_back(1, entry.cost());
        Some(entry)
    }

    /// Remembers the time of the first write, so that a sweep by a clock far ahead removes nothing.
    fn has_begun(&self, now: UnixSeconds) {
        self.began.get_or_init(|| now);
    }

    /// Returns the time by which records may be removed.
    fn trusted_time(&self, now: UnixSeconds) -> UnixSeconds {
        let mut clock = lock(&self.clock);
        if let (None, Some(began)) = (clock.trusted(), self.began.get()) {
            clock.read(*began);
        }
        clock.read(now)
    }

    /// Removes at most `limit` expired records, one shard at a time. Returns the number removed.
    fn sweep(&self, now: UnixSeconds, limit: usize) -> usize {
        let now = self.trusted_time(now);
        let mut removed = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            for key in shard.expired(now, limit - removed) {
                self.remove(&mut shard, key);
                removed += 1;
            }
            if removed == limit {
                break;
            }
        }
        removed
    }

    /// Removes expired revocation marks, one shard at a time. Returns the number removed.
    fn sweep_revocations(&self, now: UnixSeconds) -> usize {
        let now = self.trusted_time(now);
        let of_shards = self.shards.iter().map(|shard| self.forget_revoked(&mut lock(shard), now));
        self.forget_revoked_users(now) + of_shards.sum::<usize>()
    }
}

/// Takes a lock even if its holder panicked, since the guarded data is changed last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
