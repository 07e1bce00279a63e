//! Serialises the logins of one user by a lock record in the store, for stores that can't decide
//! about a limit and create a record in one transaction.
//!
//! 1. A login takes the user's lock: it writes a lock record by compare-and-swap.
//! 2. It looks at the user's sessions, decides, and creates its record.
//! 3. It releases the lock by another compare-and-swap, which fails if a waiting login has taken
//!    the lock from a login that seemed to have crashed. In that case the new record is deleted
//!    again, so that no more sessions remain than allowed.
//!
//! A login never deletes the lock record, so that its version only grows: a login that was
//! interrupted for long can't mistake another's lock for its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::{
    Admission, Created, Deleted, OverLimit, SessionStore, StoreError, StoreErrorKind, Updated,
    Version, Within,
};
use crate::UnixSeconds;
use crate::id::{PublicId, SessionIdHash};
use crate::record::{Record, State};

/// The time after which a login that holds an unchanged lock counts as crashed.
const CRASHED: Duration = Duration::from_millis(1_500);

/// The first and the longest pause of a waiting login, in milliseconds.
const PAUSES: (u64, u64) = (1, 16);

/// The queues of this process's logins, chosen by their users.
static TURNS: [Mutex<()>; 64] = [const { Mutex::const_new(()) }; 64];

/// The time, in seconds, for which the lock record is kept after a login: much longer than a login
/// takes.
const KEPT: u64 = 3_600;

/// The content of the lock record while a login holds it.
const HELD: &[u8] = br#"{"_carafe_login":true}"#;

/// A user's lock that this login waits for.
struct Wanted {
    id: SessionIdHash,
    /// The lock record while a login holds it.
    held: Record,
    /// The present version of the lock, and since when it has been seen.
    seen: Option<(Version, Instant)>,
}

/// A user's lock that this login holds.
struct Lock {
    id: SessionIdHash,
    version: Version,
}

/// Adds a record of a user, if the user may have one more session.
pub(super) async fn create_within<S: SessionStore + ?Sized>(
    store: &S,
    id: &SessionIdHash,
    record: &Record,
    within: &Within,
    now: UnixSeconds,
) -> Result<Created, StoreError> {
    let Some(user) = &record.user else {
        return Ok(match store.create(id, record, now).await? {
            true => Created::Created { ended: 0 },
            false => Created::Exists,
        });
    };
    let (mut wanted, mut pause) = (Wanted::of(user, now), PAUSES.0);
    // In this process, one login at a time asks the store for the lock.
    let [.., shard] = wanted.id.as_bytes();
    let _turn = TURNS[usize::from(*shard) % TURNS.len()].lock().await;
    let lock = loop {
        // A refusal needs no lock, and ends the wait of logins that come too late.
        if within.over == OverLimit::Refuse
            && admission(store, user, within, now).await? == Admission::Refused
        {
            return Ok(Created::TooMany);
        }
        match wanted.take(store, now).await? {
            Some(lock) => break lock,
            None => tokio::time::sleep(Duration::from_millis(pause)).await,
        }
        pause = (pause * 2).min(PAUSES.1);
    };
    let created = create(store, id, record, (user, within), now).await;
    let held = lock.give_back(store, now).await;
    match (created, held) {
        (Ok(created @ (Created::Exists | Created::TooMany)), _) => Ok(created),
        (Ok(created), Ok(true)) => Ok(created),
        (Ok(_), held) => {
            store.delete(id, None).await?;
            Err(held.err().unwrap_or_else(too_slow))
        }
        (Err(error), _) => Err(error),
    }
}

async fn admission<S: SessionStore + ?Sized>(
    store: &S,
    user: &str,
    within: &Within,
    now: UnixSeconds,
) -> Result<Admission, StoreError> {
    let list = store.list_for_user(user, now).await?;
    Ok(within.decide(list.iter().map(|(_, stored)| &stored.record), now))
}

/// Decides about the limit and creates the record, under the user's lock.
async fn create<S: SessionStore + ?Sized>(
    store: &S,
    id: &SessionIdHash,
    record: &Record,
    (user, within): (&str, &Within),
    now: UnixSeconds,
) -> Result<Created, StoreError> {
    let mut ended = BTreeSet::new();
    loop {
        let list = store.list_for_user(user, now).await?;
        let records = list.iter().map(|(_, stored)| &stored.record);
        let Admission::Admitted(end) = within.decide(records, now) else {
            return Ok(Created::TooMany);
        };
        // The version is given because the session may be moving to another id at this moment. The
        // next look finds it there.
        let mut all_ended = true;
        for (id, stored) in list.iter().filter(|(_, one)| end.contains(&one.record.public_id)) {
            match store.delete(id, Some(stored.version)).await? {
                Deleted::Deleted => drop(ended.insert(stored.record.public_id)),
                Deleted::Conflict | Deleted::Gone => all_ended = false,
            }
        }
        if all_ended {
            break;
        }
    }
    Ok(match store.create(id, record, now).await? {
        true => Created::Created { ended: u32::try_from(ended.len()).unwrap_or(u32::MAX) },
        false => Created::Exists,
    })
}

impl Wanted {
    fn of(user: &str, now: UnixSeconds) -> Self {
        Self { id: id_of(user), held: record(HELD, now), seen: None }
    }

    /// Takes the lock if it is free, or if its holder seems to have crashed.
    async fn take<S: SessionStore + ?Sized>(
        &mut self,
        store: &S,
        now: UnixSeconds,
    ) -> Result<Option<Lock>, StoreError> {
        let (id, held) = (self.id, &self.held);
        let version = match store.load(&id, now).await? {
            None => store.create(&id, held, now).await?.then_some(Version::FIRST),
            Some(lock) => {
                let since = match self.seen {
                    Some((version, since)) if version == lock.version => since,
                    _ => self.seen.insert((lock.version, Instant::now())).1,
                };
                if lock.record.data == HELD && since.elapsed() < CRASHED {
                    return Ok(None);
                }
                match store.update(&id, lock.version, held, now).await? {
                    Updated::Written(version) => Some(version),
                    Updated::Conflict | Updated::Gone => None,
                }
            }
        };
        Ok(version.map(|version| Lock { id, version }))
    }
}

impl Lock {
    /// Releases the lock. Returns whether it was held all the time.
    async fn give_back<S: SessionStore + ?Sized>(
        self,
        store: &S,
        now: UnixSeconds,
    ) -> Result<bool, StoreError> {
        let updated = store.update(&self.id, self.version, &record(b"{}", now), now).await?;
        Ok(matches!(updated, Updated::Written(_)))
    }
}

/// Returns the id of a user's lock record, which is not the hash of any session's id.
fn id_of(user: &str) -> SessionIdHash {
    let hash = Sha256::new().chain_update(b"the logins of ").chain_update(user);
    SessionIdHash::from_bytes(hash.finalize().into())
}

fn record(data: &[u8], now: UnixSeconds) -> Record {
    let record = Record::new(PublicId::from_bytes([0; 16]), now, KEPT, KEPT);
    Record { data: data.to_vec(), state: State::Live, ..record }
}

fn too_slow() -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        "a login took so long that another login of the same user took its lock; nothing of it was saved",
    )
}
