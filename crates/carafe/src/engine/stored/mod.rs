//! Sessions in a store.

mod apply;
mod batch;
mod commit;
mod open;
mod queue;
mod sweep;
mod users;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::commit::SetId;
pub(crate) use self::open::Origin;
use self::queue::Queue;
use self::sweep::Sweeping;
pub use self::users::{SessionInfo, UserSessions};
use super::Clock;
use super::rests::Rests;
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State};
use crate::store::{SessionStore, Store, StoreError};
use crate::{Config, Error, ErrorKind, event};

/// For how many seconds a pointer is kept when nobody may follow it any more: a request that is
/// under way, or has lost an answer of the store, still learns from it what became of the session.
const KEPT: u64 = 60;

/// A store, and the changes that are on their way to it.
#[derive(Clone, Debug)]
pub(crate) struct StoreBackend {
    queue: Arc<Queue>,
    /// Begins with the first request, since layers are built where there may be no runtime yet.
    sweeping: Sweeping,
    sweep_interval: Duration,
    /// The commits that requests do themselves.
    pub(super) rests: Rests,
}

/// The settings that say how long sessions live, and what they may hold.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    idle: u64,
    absolute: u64,
    renew_after: u64,
    grace: Duration,
    strict: bool,
    limit: usize,
}

impl StoreBackend {
    pub(crate) fn new(store: impl SessionStore, config: &Config, clock: Clock) -> Self {
        Self::of(Store::new(store, config.store_timeout), config, clock)
    }

    fn of(store: Store, config: &Config, clock: Clock) -> Self {
        let rules = Rules {
            // Flask's lifetime counts from the last use, too, once a session is permanent.
            idle: config.idle_timeout.min(config.lifetime).as_secs().max(1),
            absolute: config.absolute_timeout.as_secs(),
            renew_after: config.renew_after.as_secs(),
            grace: config.renewal_grace,
            strict: config.strict,
            limit: config.session_limit,
        };
        Self {
            queue: Arc::new(Queue::new(store, rules, clock)),
            sweeping: Sweeping::default(),
            sweep_interval: config.sweep_interval,
            rests: Rests::new(config.store_timeout),
        }
    }

    /// The same store under other settings or another clock.
    pub(super) fn with(&self, config: &Config, clock: Clock) -> Self {
        let store = self.queue.store.clone().with_timeout(config.store_timeout);
        Self::of(store, config, clock)
    }

    /// Starts to remove expired records in the background, if no task does so.
    pub(super) fn start_sweeping(&self) {
        self.sweeping.start(&self.queue, self.sweep_interval);
    }

    pub(crate) fn store(&self) -> &Store {
        &self.queue.store
    }
}

impl Rules {
    /// A record of a session that begins now.
    fn new_record(&self, public_id: PublicId, now: u64) -> Record {
        Record::new(public_id, now, self.idle, self.absolute)
    }

    /// Puts a session's content into a record that is used now.
    fn fill(&self, record: &mut Record, data: Vec<u8>, now: u64) -> Result<(), Error> {
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
    fn touch(&self, record: &mut Record, now: u64) {
        record.last_seen = now.max(record.last_seen);
        record.idle_expires = record.last_seen.saturating_add(self.idle);
    }

    /// Whether enough time has passed since a use was last written: a tenth of the idle timeout. A
    /// session that has ended while it was used has ended, and is not to be brought back.
    fn touch_is_due(&self, record: &Record, now: u64) -> bool {
        now.saturating_sub(record.last_seen) > self.idle / 10 && !record.is_expired(now)
    }

    fn renewal_is_due(&self, record: &Record, now: u64) -> bool {
        self.renew_after != 0 && now.saturating_sub(record.renewed) >= self.renew_after
    }

    /// What is left under an old id: where the session went, and nothing of what it holds.
    fn pointer(&self, old: &Record, to: SessionIdHash, until: u64, now: u64) -> Record {
        Record {
            data: Vec::new(),
            user: None,
            address: None,
            agent: None,
            idle_expires: until.max(now).saturating_add(KEPT),
            state: State::Moved { to, until },
            ..*old
        }
    }
}

/// The session is over, and stays so.
fn ended() -> Error {
    Error::new(
        ErrorKind::Ended,
        "the session ended while the request was under way: its changes were not saved",
    )
}

/// The store failed.
pub(crate) fn failed(error: StoreError) -> Error {
    event::store_failed(&error);
    Error::new(ErrorKind::Store, format!("the session store failed ({:?}): {error}", error.kind()))
        .with_source(error)
}
