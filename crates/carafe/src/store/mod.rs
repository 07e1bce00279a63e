//! Server-side stores of sessions and revocations.
//!
//! [`SessionStore`] keeps sessions, and [`RevocationStore`] keeps marks of ended sessions in
//! cookies. [`MemoryStore`] does both in memory; other stores are crates of their own, such as
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

/// The version of a record in its store: 1 at first, and higher with every update. A writer names
/// the version that it has seen, so that it overwrites no newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl Version {
    /// The version of a newly created record.
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

/// The result of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The record was written, and now has this version.
    Written(Version),
    /// Another update came first: nothing was written.
    Conflict,
    /// There is no such record, or no longer: nothing was written.
    Gone,
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The record was deleted.
    Deleted,
    /// The record has another version than expected, and stays.
    Conflict,
    /// There was no such record.
    Gone,
}

/// The revocation marks that concern one session in a cookie, which can't be deleted on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Whether this session was ended.
    pub session: bool,
    /// The time up to which logins of the session's user are invalid.
    pub not_before: Option<UnixSeconds>,
}

/// The revocation mark of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRevocation {
    /// The time up to which logins are invalid.
    pub logins_up_to: UnixSeconds,
    /// The time at which the store may forget the mark.
    pub until: UnixSeconds,
}

/// A server-side store that keeps records of sessions.
///
/// In every call `now` is the caller's clock. A store that lets records expire by itself computes
/// their remaining time from `now`, and must not use another clock.
///
/// A method that fails must not have had an effect, unless the error's kind is
/// [`StoreErrorKind::Uncertain`]: then the effect may be complete. No method repeats a write whose
/// answer was lost.
pub trait SessionStore: Send + Sync + 'static {
    /// Adds a record under a new id, with version 1. Returns `false` if the id has a record
    /// already.
    fn create(
        &self,
        id: &SessionIdHash,
        record: &Record,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Adds a record under a new id as [`create`](Self::create) does, if its user may have one more
    /// session. Counting the user's sessions, ending the oldest and adding the new one is one
    /// atomic decision, even with other processes. [`Within::decide`] implements the rule.
    ///
    /// The default implementation uses the other methods, and a record of its own as the lock of
    /// the user's logins. It takes about six calls, and a tokio runtime with time. A store with
    /// transactions may need only one call.
    fn create_within(
        &self,
        id: &SessionIdHash,
        record: &Record,
        within: &Within,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send {
        login_lock::create_within(self, id, record, within, now)
    }

    /// Returns the record of an id, if there is one. The record may have expired.
    fn load(
        &self,
        id: &SessionIdHash,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Option<Stored>, StoreError>> + Send;

    /// Returns the records of several ids, in their order, for the periodic check of watched
    /// sessions. The default implementation loads one after the other; a store that can load
    /// several in one call should override it.
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

    /// Begins to send notices of sessions that may have ended, in any process. A
    /// [`Notice::Session`] is sent for each record that a call deletes, or replaces by one whose
    /// state isn't [`State::Live`]. A [`Notice::Begun`] comes first, once every later end will be
    /// noticed. Records that [`delete_expired`](Self::delete_expired) removes need no notice. The
    /// method is called in a tokio runtime, and the notices end when the returned value is dropped.
    ///
    /// The default, `None`, is for a store that can't send notices: the periodic check then finds
    /// ended sessions.
    fn watch(&self) -> Option<Notices> {
        None
    }

    /// Replaces a record, if it still has the expected version. Never adds a record.
    fn update(
        &self,
        id: &SessionIdHash,
        expected: Version,
        record: &Record,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Updated, StoreError>> + Send;

    /// Deletes a record; if a version is given, only if the record still has it.
    fn delete(
        &self,
        id: &SessionIdHash,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<Deleted, StoreError>> + Send;

    /// Returns the records of a user that haven't expired, in any order.
    fn list_for_user(
        &self,
        user: &str,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Vec<(SessionIdHash, Stored)>, StoreError>> + Send;

    /// Deletes the records of a user, except the records of the session `keep`, and returns the
    /// number of deleted records. The session to keep is named by [`Record::public_id`], which
    /// stays the same when its id is renewed: during a renewal a session has two records.
    ///
    /// A user may have thousands of sessions: the work must grow no faster than their number.
    ///
    /// A session that gets a new id during the call must be deleted, too. Its new record is created
    /// before its old one loses its user. A store that can't delete in one step repeats the search
    /// until it finds no record.
    fn delete_for_user(
        &self,
        user: &str,
        keep: Option<PublicId>,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Deletes expired records, at most `limit`, in any order. Returns the number of deleted
    /// records: fewer than `limit` means that there are no more.
    ///
    /// The caller's clock may be wrong, and must not delete sessions that are alive for every other
    /// process. A record is deleted only if it has expired by `now` and also by the store's own
    /// clock, or by a [`SweepClock`] if the store has no clock.
    ///
    /// A store that removes expired records by itself may have nothing to do.
    fn delete_expired(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

/// A store that keeps revocation marks of ended sessions in cookies: see
/// [`SessionLayer::with_revocations`](crate::SessionLayer::with_revocations).
///
/// Times and errors have the same rules as in [`SessionStore`].
pub trait RevocationStore: Send + Sync + 'static {
    /// Remembers until `until` that a session in a cookie was ended.
    fn revoke(
        &self,
        id: &SessionIdHash,
        until: UnixSeconds,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Remembers that a user's logins up to some time are invalid. If a user is revoked twice, the
    /// later times stay, in any order of the calls.
    fn revoke_user(
        &self,
        user: &str,
        revocation: UserRevocation,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns the revocation marks that concern a session and its user.
    fn revocations(
        &self,
        id: &SessionIdHash,
        user: Option<&str>,
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Revocations, StoreError>> + Send;

    /// Begins to send notices of revocations, as [`SessionStore::watch`] does: a
    /// [`Notice::Session`] for each call of [`revoke`](Self::revoke), and a [`Notice::User`] for
    /// each call of [`revoke_user`](Self::revoke_user).
    fn watch_revocations(&self) -> Option<Notices> {
        None
    }

    /// Deletes expired revocation marks, at most `limit` of each kind, in any order. Returns the
    /// number of deleted marks: fewer than `limit` means that there are no more. The caller's clock
    /// may be wrong: see [`SessionStore::delete_expired`].
    ///
    /// A store that removes expired marks by itself may have nothing to do.
    fn delete_expired_revocations(
        &self,
        now: UnixSeconds,
        limit: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
