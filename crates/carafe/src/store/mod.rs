//! Server-side stores.
//!
//! [`SessionStore`] keeps sessions, and [`RevocationStore`] remembers which sessions in cookies were
//! ended. [`MemoryStore`] does both in memory; other stores are crates of their own, such as
//! `carafe-sqlite`, `carafe-redis` and `carafe-postgres`.

mod erased;
mod error;
mod limit;
mod login_lock;
mod memory;
mod notice;
mod shared;
mod sweep_clock;
mod within;

use std::future::Future;

pub(crate) use self::erased::{Answer, RecordCalls, RevocationCalls};
pub use self::error::{StoreError, StoreErrorKind};
pub use self::limit::TimeLimit;
pub use self::memory::MemoryStore;
pub use self::notice::{Notice, NoticeBoard, NoticeSender, Notices, UserHash};
pub use self::sweep_clock::SweepClock;
pub use self::within::{Admission, Created, OverLimit, Within};
use crate::UnixSeconds;
use crate::id::{PublicId, SessionIdHash};
pub use crate::record::{LoginDetails, PendingLogin, Record, State};

/// A record's version in its store: 1 at first, and higher with every update, so that a writer can
/// say which one it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl Version {
    /// The version of a record that was just created.
    pub const FIRST: Self = Self(1);
}

/// A record and its version.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Its version.
    pub version: Version,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The record was written, and has this version now.
    Written(Version),
    /// Another update came first: nothing was written.
    Conflict,
    /// There is no such record (any more): nothing was written.
    Gone,
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The record was deleted.
    Deleted,
    /// The record has another version than expected: it stays.
    Conflict,
    /// There was no such record.
    Gone,
}

/// What has been revoked that concerns a session: for sessions in cookies, which nobody can delete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Whether this session was ended.
    pub session: bool,
    /// Logins of the session's user up to this time count no more.
    pub not_before: Option<UnixSeconds>,
}

/// Which of a user's logins count no more, and how long that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRevocation {
    /// Logins up to this time count no more.
    pub logins_up_to: UnixSeconds,
    /// When the revocation may be forgotten.
    pub until: UnixSeconds,
}

/// Keeps records of sessions: what a server-side store has to do.
///
/// In every call `now` is the caller's clock: a store that lets records expire
/// by itself works out from it how long they have, and may use no other clock.
///
/// A method that fails has had no effect, but where the error's kind is
/// [`StoreErrorKind::Uncertain`]: then it may have had all of it. No method repeats a write
/// whose answer was lost.
pub trait SessionStore: Send + Sync + 'static {
    /// Adds a record under a new id; its version is 1. `false` if there is one under this id.
    fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds a record under a new id as [`create`](Self::create) does, if its user may have one more
    /// session: to count them, to end the oldest and to add the new one is one decision, whatever other
    /// processes do at the same moment. [`Within::decide`] has the rule.
    ///
    /// Left out, it is made of the other methods, with a record of its own as the lock of the user's
    /// logins. That takes about six calls, and a tokio runtime with time. A store with transactions
    /// may do it in one.
    fn create_within(
        &self,
        id: &SessionIdHash,
        record: &Record,
        within: &Within,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send {
        login_lock::create_within(self, id, record, within, now)
    }

    /// The record of an id, if there is one. It may be one that has expired.
    fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// The records of several ids, in their order: for the periodic check of the sessions that something
    /// waits for the end of. A store that can ask for them in one call does better than this, which loads one
    /// after the other.
    fn load_many(
        &self,
        ids: &[SessionIdHash],
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Vec<Option<Stored>>, StoreError>> + Send {
        async move {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.push(self.load(id, now).await?);
            }
            Ok(found)
        }
    }

    /// Begins to tell of sessions that may have ended, in any process: a [`Notice::Session`] for each
    /// record that a call deletes, or updates to one that isn't [`State::Live`].
    /// A [`Notice::Begun`] comes first, once everything will be told that ends from then on. What
    /// [`delete_expired`](Self::delete_expired) removes need not be told of. The call is made in a tokio
    /// runtime, and telling ends when the notices are dropped.
    ///
    /// `None`, the default, is for a store that can't tell: then the periodic check finds what has ended.
    fn watch(&self) -> Option<Notices> {
        None
    }

    /// Replaces a record, if it still has the version that is expected. Never adds one.
    fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Updated, StoreError>> + Send;

    /// Deletes a record; with a version, only if it still has that one.
    fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<Deleted, StoreError>> + Send;

    /// The records of a user that haven't expired, in no particular order.
    fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Vec<(SessionIdHash, Stored)>, StoreError>> + Send;

    /// Deletes the records of a user, but for those of the session to keep, and returns how many were
    /// deleted. The session is named by [`Record::public_id`], which stays the same while its id is
    /// renewed: during a renewal it has two records.
    ///
    /// A user may have thousands of sessions: the work must grow no faster than their number.
    ///
    /// A session that gets a new id meanwhile is to be caught, too: its new record is created before
    /// its old one is nobody's any more. A store that can't do it in one step looks again until it
    /// finds none.
    fn delete_for_user(
        &self,
        user: &str,
        keep: Option<PublicId>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes records that have expired, at most `limit`, in any order. Returns how many were
    /// deleted: fewer than `limit` means that there are no more.
    ///
    /// The caller's clock may be wrong, and then must not delete what is alive for every other process.
    /// What has expired by `now` is deleted only if it has also expired by the store's own clock, or,
    /// where it has none, by a [`SweepClock`].
    ///
    /// A store that removes them by itself may have nothing to do.
    fn delete_expired(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// Remembers which sessions in cookies were ended: see
/// [`SessionLayer::with_revocations`](crate::SessionLayer::with_revocations).
///
/// Times and errors are those of [`SessionStore`].
pub trait RevocationStore: Send + Sync + 'static {
    /// Remembers until `until` that a session in a cookie was ended.
    fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Remembers that a user's logins up to some time count no more. Of two revocations of one user
    /// the later times stay, whichever came first.
    fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns what has been revoked that concerns a session and its user.
    fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Revocations, StoreError>> + Send;

    /// Begins to tell of revocations, as [`SessionStore::watch`] does: a [`Notice::Session`] for each call of
    /// [`revoke`](Self::revoke), and a [`Notice::User`] for each of [`revoke_user`](Self::revoke_user).
    fn watch_revocations(&self) -> Option<Notices> {
        None
    }

    /// Deletes revocations that have expired, at most `limit` of each kind, in any order. Returns how
    /// many were deleted: fewer than `limit` means that there are no more. Of the caller's clock the same
    /// holds as for [`SessionStore::delete_expired`].
    ///
    /// A store that removes them by itself may have nothing to do.
    fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
