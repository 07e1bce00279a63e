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

/// How many parts the records are spread over, each with a lock of its own.
const SHARDS: usize = 64;

/// A store in the memory of one process: for development, for tests, and for services of one
/// process whose sessions may end with it.
///
/// It holds a bounded number of sessions and revocations, and a bounded number of bytes. When it is
/// full:
///
/// 1. It drops what has expired.
/// 2. It drops sessions of anonymous visitors, those that would end first among some.
/// 3. It never drops a session that a user is logged in to, or a revocation. It refuses what is new,
///    which the client sees as a 503.
///
/// No account can fill it for the others: when it is more than half full, a user who has a sixteenth of
/// it gets no more sessions.
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
    /// When a full store last looked for expired records.
    swept: AtomicU64,
    /// The time of the first write.
    began: OnceLock<UnixSeconds>,
    clock: Mutex<SweepClock>,
    /// Held by a login that counts its user's sessions.
    counting: Mutex<()>,
    /// The layers that wait for the end of sessions.
    board: NoticeBoard,
}

impl Default for MemoryStore {
    /// A store of at most a million sessions.
    fn default() -> Self {
        Self::with_capacity(1_000_000)
    }
}

impl MemoryStore {
    /// A store of at most a million sessions, and 512 MB.
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

    /// A store of at most so many sessions and revocations, and of 512 bytes for each, but at least
    /// 64 MiB: see [`byte_capacity`](Self::byte_capacity).
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

    /// The same store with room for so many bytes: of the sessions' content, and of about 200 that each
    /// takes besides. A session may have up to [`Config::session_limit`](crate::Config::session_limit)
    /// bytes, 64 KiB by default, so that their number alone bounds no memory.
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

    /// How many sessions and revocations there are, expired ones included.
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

    /// Whether there is no session and no revocation.
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

    /// How many bytes they take, as [`byte_capacity`](Self::byte_capacity) counts them.
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

    /// Removes a record.
    fn remove(&self, shard: &mut Shard, key: Key) -> Option<Entry> {
        let entry = shard.remove(key)?;
        if let Some(user) = entry.user() {
            self.users.unlink(user, key);
        }
        self.room.give_back(1, entry.cost());
        Some(entry)
    }

    /// Notes the time of a write: a sweep by a clock that is far ahead of it is none.
    fn has_begun(&self, now: UnixSeconds) {
        self.began.get_or_init(|| now);
    }

    /// The time by which something may be removed.
    fn trusted_time(&self, now: UnixSeconds) -> UnixSeconds {
        let mut clock = lock(&self.clock);
        if let (None, Some(began)) = (clock.trusted(), self.began.get()) {
            clock.read(*began);
        }
        clock.read(now)
    }

    /// Removes at most so many expired records, a shard at a time. Returns how many were removed.
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

    /// Removes expired revocations, a shard at a time. Returns how many were removed.
    fn sweep_revocations(&self, now: UnixSeconds) -> usize {
        let now = self.trusted_time(now);
        let of_shards = self.shards.iter().map(|shard| self.forget_revoked(&mut lock(shard), now));
        self.forget_revoked_users(now) + of_shards.sum::<usize>()
    }
}

/// A lock whose holder panicked is taken all the same: what it guards is changed last.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
