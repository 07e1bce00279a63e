use std::time::SystemTime;

use carafe::UnixSeconds;
use carafe::store::{Record, RevocationStore as _, Revocations, SessionStore as _, UserRevocation};

use crate::Fixture;
use crate::support::{IDLE, new_id, record_at};

const DAY: u64 = 86_400;

/// The number of seconds by which a wrong clock is ahead.
const AHEAD: u64 = 400 * DAY;

/// The time by the machine's own clock: a store may compare it with that of its server.
fn now() -> UnixSeconds {
    SystemTime::now().into()
}

fn record_of_ada(now: UnixSeconds) -> Record {
    let mut record = record_at(now);
    record.user = Some("ada".to_owned());
    record
}

/// A process whose clock is 400 days ahead deletes no record that has not expired by the other
/// processes' clocks, however often it sweeps, and keeps no process from deleting expired ones.
pub async fn a_clock_that_is_ahead_deletes_nothing(fixture: impl Fixture) {
    let (store, ahead) = (fixture.open().await, fixture.open().await);
    let now = now();
    let (expired, alive, revoked) = (new_id(), new_id(), new_id());
    let began = now - 2 * IDLE;
    assert!(store.create(&expired, &record_at(began), began).await.unwrap());
    assert!(store.create(&alive, &record_of_ada(now), now).await.unwrap());
    store.revoke(&revoked, now + 30 * DAY, now).await.unwrap();
    store
        .revoke_user("ada", UserRevocation { logins_up_to: now, until: now + 30 * DAY }, now)
        .await
        .unwrap();
    for second in 0..3 {
        ahead.delete_expired(now + AHEAD + second, 100).await.unwrap();
        ahead.delete_expired_revocations(now + AHEAD + second, 100).await.unwrap();
        assert!(store.load(&alive, now).await.unwrap().is_some(), "a session is gone");
        let known = store.revocations(&revoked, Some("ada"), now).await.unwrap();
        let both = Revocations { session: true, not_before: Some(now) };
        assert_eq!(known, both, "what was ended is back");
        store.delete_expired(now + second, 100).await.unwrap();
    }
    assert_eq!(store.list_for_user("ada", now).await.unwrap().len(), 1);
    if !fixture.expires_by_itself() {
        assert!(store.load(&expired, now).await.unwrap().is_none(), "it was never deleted");
    }
}

/// A clock that is ahead deletes nothing in a store with nothing but revocations.
pub async fn a_clock_that_is_ahead_forgets_no_revocation(fixture: impl Fixture) {
    let (store, ahead) = (fixture.open().await, fixture.open().await);
    let (now, revoked) = (now(), new_id());
    store.revoke(&revoked, now + 30 * DAY, now).await.unwrap();
    ahead.delete_expired_revocations(now + AHEAD, 100).await.unwrap();
    assert!(store.revocations(&revoked, None, now).await.unwrap().session);
}

/// A write of a process whose clock is ahead hides none of a user's other sessions: every process
/// can list and end them.
pub async fn a_clock_that_is_ahead_hides_no_session(fixture: impl Fixture) {
    let (store, ahead) = (fixture.open().await, fixture.open().await);
    let now = now();
    let (first, second) = (new_id(), new_id());
    assert!(store.create(&first, &record_of_ada(now), now).await.unwrap());
    let later = now + AHEAD;
    assert!(ahead.create(&second, &record_of_ada(later), later).await.unwrap());
    assert_eq!(store.list_for_user("ada", now).await.unwrap().len(), 2);
    assert_eq!(ahead.delete_for_user("ada", None).await.unwrap(), 2);
    assert!(store.load(&first, now).await.unwrap().is_none());
}
