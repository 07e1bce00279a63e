//! Sessions in a store: opening, committing, renewing and ending.

mod admit;
mod apply;
mod commit;
mod end;
mod lock;
mod open;
mod remember;
mod rotate;
pub(super) mod sweep;
pub(crate) mod users;
mod watch;
mod write;

use std::ops::Deref;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use memchr::memmem;

pub(crate) use self::commit::SetId;
use self::lock::Locks;
pub(crate) use self::open::{Origin, Seat};
pub(crate) use self::remember::Remember;
use self::sweep::Sweeping;
use self::write::{Answer, Changes};
use super::commit::interrupted;
use super::sync;
use super::watch::Watch;
use crate::config::Renewal;
use crate::content::{LIFETIME, View, own_lifetime};
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State};
use crate::store::{OverLimit, RecordCalls, SessionStore, StoreError, Stored};
use crate::{Clock, Config, Error, ErrorKind, UnixSeconds, event};

/// The time, in seconds, for which a pointer record is kept after it has stopped to lead to the
/// session. A request that is under way, or whose write is uncertain, still reads from it that the
/// session has moved or ended.
const KEPT: u64 = 60;

/// Searches for the key of a session's own lifetime.
static FIND_LIFETIME: LazyLock<memmem::Finder<'static>> =
    LazyLock::new(|| memmem::Finder::new(LIFETIME));

/// The smallest number of pointer records that are followed: during an update another process may
/// still have settings that allow more of them than this one's.
const CHAIN: u64 = 4;

/// The sessions in a store, shared by all requests of a layer.
#[derive(Clone, Debug)]
pub(crate) struct StoreBackend(Arc<Sessions>);

/// A store, the rules for its sessions, and the session locks.
#[derive(Debug)]
pub(crate) struct Sessions {
    store: RecordCalls,
    rules: Rules,
    clock: Clock,
    locks: Locks,
    /// The sweep begins with the first request, since layers may be built outside of a runtime.
    sweeping: Sweeping,
    sweep_interval: Duration,
    watch: Watch<Self>,
}

/// The settings of lifetimes, sizes and limits, in whole seconds.
#[derive(Clone, Debug)]
struct Rules {
    idle: u64,
    /// The longest idle time that a session may set for itself.
    lifetime: u64,
    /// Whether sessions are permanent by default.
    permanent: bool,
    absolute: u64,
    renewal: Option<Renewal>,
    /// The greatest number of pointer records that lead to a session.
    longest_chain: u64,
    strict: bool,
    limit: usize,
    /// The additional time, in seconds, for which a pointer record is kept, to notice the use of
    /// its id.
    watched: u64,
    /// The greatest number of a user's sessions.
    sessions_per_user: Option<(u32, OverLimit)>,
}

/// The beginning of a commit's attempts, which are limited in time when other processes interfere.
#[derive(Clone, Copy, Debug)]
struct Patience(Instant);

impl StoreBackend {
    pub(crate) fn new(store: impl SessionStore, config: &Config, clock: Clock) -> Self {
        Self::of(RecordCalls::new(store, config.store_timeout), config, clock)
    }

    fn of(store: RecordCalls, config: &Config, clock: Clock) -> Self {
        let rules = Rules {
            // Flask's lifetime of a permanent session also counts from the last use.
            idle: config.idle_timeout.min(config.lifetime).as_secs().max(1),
            lifetime: config.lifetime.as_secs().max(1),
            permanent: config.permanent,
            absolute: config.absolute_timeout.as_secs(),
            renewal: config.renewal(),
            longest_chain: config.renewal().map_or(0, Renewal::longest_chain).max(CHAIN),
            strict: config.strict,
            limit: config.session_limit,
            watched: config.watch_old_ids.as_secs(),
            sessions_per_user: config.sessions_per_user,
        };
        Self(Arc::new(Sessions {
            store,
            rules,
            clock,
            locks: Locks::default(),
            sweeping: Sweeping::default(),
            sweep_interval: config.sweep_interval,
            watch: Watch::new(config.watch_interval),
        }))
    }

    /// Returns the same store with other settings or another clock.
    pub(super) fn with(&self, config: &Config, clock: Clock) -> Self {
        Self::of(self.store.with_timeout(config.store_timeout), config, clock)
    }

    /// Starts the sweep in the background, unless it runs already.
    pub(super) fn start_sweeping(&self) {
        self.sweeping.start(&self.0, self.sweep_interval, |of| {
            // Sessions with a short idle timeout are not kept for long.
            let now = of.clock.now() - of.rules.idle.min(sweep::KEPT);
            of.store.delete_expired(now, sweep::BATCH)
        });
    }

    pub(crate) fn store(&self) -> &RecordCalls {
        &self.store
    }
}

impl Deref for StoreBackend {
    type Target = Sessions;

    fn deref(&self) -> &Sessions {
        &self.0
    }
}

impl Patience {
    const LIMIT: Duration = Duration::from_secs(2);

    fn new() -> Self {
        Self(Instant::now())
    }

    /// Returns an error if there is no time for another attempt.
    fn check(self) -> Result<(), Error> {
        if self.0.elapsed() < Self::LIMIT { Ok(()) } else { Err(too_slow()) }
    }
}

impl Rules {
    /// Returns the record of a session that begins now.
    fn new_record(&self, public_id: PublicId, now: UnixSeconds) -> Record {
        Record::new(public_id, now, self.idle, self.absolute)
    }

    /// Puts a session's content into a record, and marks it as used now.
    fn fill(&self, record: &mut Record, data: Vec<u8>, now: UnixSeconds) -> Result<(), Error> {
        if data.len() > self.limit {
            return Err(Error::new(
                ErrorKind::SessionTooLarge,
                format!(
                    "the session is {} bytes large, and {} are allowed: store less in it, or raise \
                     the limit (`Config::session_limit`); nothing was written",
                    data.len(),
                    self.limit
                ),
            ));
        }
        event::stored(data.len());
        record.data = data;
        self.touch(record, now);
        Ok(())
    }

    /// Marks a record as used now.
    fn touch(&self, record: &mut Record, now: UnixSeconds) {
        record.last_seen = now.max(record.last_seen);
        record.idle_expires = record.last_seen + self.idle_of(record);
    }

    /// Returns a session's idle timeout: the layer's, or its own lifetime.
    fn idle_of(&self, record: &Record) -> u64 {
        // Records hold this library's own output, which escapes no letter.
        if FIND_LIFETIME.find(&record.data).is_none() {
            return self.idle;
        }
        let own = open::payload(record).ok().and_then(|payload| own_lifetime(&View::new(payload)));
        own.map_or(self.idle, |own| own.clamp(1, self.lifetime))
    }

    /// Returns whether the cookie of a permanent session is due, since the session now ends at
    /// another time. That is so once per tenth of the idle time, counted from the session's present
    /// id and cookie.
    fn cookie_is_due(&self, before: &Record, after: &Record) -> bool {
        let part = (self.idle_of(after) / 10).max(1);
        let tenth = |record: &Record| record.last_seen.since(after.renewed) / part;
        let idle = |record: &Record| record.idle_expires.since(record.last_seen);
        tenth(before) != tenth(after) || idle(before) != idle(after)
    }

    /// Returns whether a use of the session has to be written: once per tenth of the idle timeout.
    /// A session that has ended while it was used is not revived.
    fn touch_is_due(&self, record: &Record, now: UnixSeconds) -> bool {
        now.since(record.last_seen) > self.idle_of(record) / 10 && !record.is_expired(now)
    }

    /// Returns the pointer record for an old id, which holds nothing of the session's content.
    fn pointer(&self, old: &Record, state: State, now: UnixSeconds) -> Record {
        let until = match state {
            State::Moved { until, .. } => until.max(now),
            State::Live | State::Rotated { .. } | State::Ended { .. } | State::Series { .. } => now,
        };
        Record {
            data: Vec::new(),
            user: None,
            address: None,
            agent: None,
            details: None,
            // The id leads to the session until then: a use some time later is a sign of theft.
            last_seen: until,
            idle_expires: until + KEPT + self.watched,
            state,
            ..*old
        }
    }
}

/// Returns the error of a session that has ended.
pub(super) fn ended() -> Error {
    Error::new(
        ErrorKind::Ended,
        "the session ended while the request was under way: its changes were not saved",
    )
}

/// Returns the error of a session behind too many pointer records.
fn too_long() -> Error {
    // The session exists, so that an empty one in its place would be wrong.
    Error::new(
        ErrorKind::Store,
        "the session's id was renewed more often within one grace period than the settings allow: \
         give `Config::renew_after` and `Config::renewal_grace` the same values in all processes",
    )
}

/// Returns the error of a change that waited for too long.
fn too_slow() -> Error {
    Error::new(
        ErrorKind::Store,
        "the session is changed by so many requests at once, or the store is so slow, that this change \
         did not get through; nothing of it was written",
    )
}

/// Logs a store's error, and converts it.
pub(crate) fn failed(error: StoreError) -> Error {
    event::store_failed(&error);
    Error::new(ErrorKind::Store, format!("the session store failed ({:?}): {error}", error.kind()))
        .with_source(error)
}
