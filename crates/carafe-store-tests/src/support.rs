//! The helpers that the cases share.

use carafe::UnixSeconds;
use carafe::id::{PublicId, SessionId, SessionIdHash};
use carafe::store::{Record, SessionStore, State, Stored, Updated, Version};

/// The time of the cases, in Unix seconds. It lies in the past, so that a store that compares a
/// record's times with a clock of its own finds everything expired.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

/// The time for which unused records live.
pub(crate) const IDLE: u64 = 3_600;

/// The longest time for which records live.
pub(crate) const ABSOLUTE: u64 = 86_400;

/// An id that nothing is kept under.
pub(crate) fn new_id() -> SessionIdHash {
    SessionId::random().unwrap().hash()
}

/// A record that begins at a time.
pub(crate) fn record_at(now: UnixSeconds) -> Record {
    let mut record = Record::new(PublicId::random().unwrap(), now, IDLE, ABSOLUTE);
    record.data = br#"{"a":1}"#.to_vec();
    record
}

/// A record that begins now.
pub(crate) fn record() -> Record {
    record_at(NOW)
}

/// A record of a user that begins now.
pub(crate) fn record_of(user: &str) -> Record {
    let mut record = record();
    record.user = Some(user.to_owned());
    record.logged_in = Some(NOW);
    record
}

/// A record with a content of its own.
pub(crate) fn record_with(data: impl Into<Vec<u8>>) -> Record {
    let mut record = record();
    record.data = data.into();
    record
}

/// The pointer that a renewal leaves under the old id, to be deleted when it leads nowhere any
/// more.
pub(crate) fn pointer(to: SessionIdHash, until: UnixSeconds) -> Record {
    let mut record = record_with("");
    record.idle_expires = until;
    record.state = State::Moved { to, until };
    record
}

/// Creates a record under a new id.
pub(crate) async fn create(store: &impl SessionStore, record: &Record) -> SessionIdHash {
    let id = new_id();
    assert!(store.create(&id, record, NOW).await.unwrap(), "an id was taken before its first use");
    id
}

/// The record of an id that has to be there.
pub(crate) async fn load(store: &impl SessionStore, id: &SessionIdHash) -> Stored {
    store.load(id, NOW).await.unwrap().expect("the record is missing")
}

/// Whether there is a record.
pub(crate) async fn is_there(store: &impl SessionStore, id: &SessionIdHash) -> bool {
    store.load(id, NOW).await.unwrap().is_some()
}

/// The version that an update has written.
pub(crate) fn written(updated: Updated) -> Version {
    match updated {
        Updated::Written(version) => version,
        other => panic!("the update was not written but {other:?}"),
    }
}

/// The ids of a user's records, in order.
pub(crate) async fn ids_of(store: &impl SessionStore, user: &str) -> Vec<SessionIdHash> {
    let list = store.list_for_user(user, NOW).await.unwrap();
    let mut ids: Vec<SessionIdHash> = list.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids
}

/// Some ids, in order.
pub(crate) fn sorted<const N: usize>(mut ids: [SessionIdHash; N]) -> Vec<SessionIdHash> {
    ids.sort_unstable();
    ids.to_vec()
}
