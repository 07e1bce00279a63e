//! All sessions of a user.

use super::{StoreBackend, failed};
use crate::id::PublicId;
use crate::record::{Record, State};
use crate::store::{Deleted, RecordCalls};
use crate::{Clock, Error, ErrorKind, UnixSeconds, event};

/// The number of attempts to end a session that is renewed at the same time.
const TRIES: usize = 10;

/// A session of a user, with the data that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The public id of the session, for [`Session::revoke`](crate::Session::revoke).
    pub public_id: PublicId,
    /// The time at which the session began.
    pub created: UnixSeconds,
    /// The time at which the user logged in.
    pub logged_in: Option<UnixSeconds>,
    /// The time of the session's last use, to within a tenth of the idle timeout.
    pub last_seen: UnixSeconds,
    /// The address that the user logged in from, if the application gave it.
    pub address: Option<String>,
    /// The user agent that the user logged in with, if the application gave it.
    pub agent: Option<String>,
    /// Whether it is the session that lists the others.
    pub current: bool,
}

/// The sessions of all users, for administrators: see
/// [`SessionLayer::sessions`](crate::SessionLayer::sessions).
/// [`SessionLayer::sessions`](crate::SessionLayer::sessions).
#[derive(Clone, Debug)]
pub struct UserSessions {
    backend: StoreBackend,
    clock: Clock,
}

impl UserSessions {
    pub(crate) fn new(backend: StoreBackend, clock: Clock) -> Self {
        Self { backend, clock }
    }

    /// Lists the sessions of a user, the most recently used first.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// session.login("42")?;
    /// session.save().await?;
    /// let users = sessions.users().unwrap();
    /// for info in users.list("42").await? {
    ///     println!("{}: began {:?}", info.public_id, info.created);
    /// }
    /// # assert_eq!(users.list("42").await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn list(&self, user: &str) -> Result<Vec<SessionInfo>, Error> {
        self.list_with(user, None).await
    }

    pub(crate) async fn list_with(
        &self,
        user: &str,
        current: Option<PublicId>,
    ) -> Result<Vec<SessionInfo>, Error> {
        let now = self.clock.now();
        let stored = self.backend.store().list_for_user(user, now).await.map_err(failed)?;
        let mut list: Vec<SessionInfo> =
            stored.into_iter().filter_map(|(_, stored)| info(stored.record, current)).collect();
        list.sort_by_key(|info| (std::cmp::Reverse(info.last_seen), info.public_id));
        Ok(list)
    }

    /// Ends one session of a user. Returns `false` if the user has no such session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// session.login("42")?;
    /// session.save().await?;
    /// let users = sessions.users().unwrap();
    /// let first = &users.list("42").await?[0];
    /// assert!(users.revoke("42", first.public_id).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn revoke(&self, user: &str, public_id: PublicId) -> Result<bool, Error> {
        let found = end(self.backend.store(), &self.clock, user, public_id).await?;
        if found {
            event::logged_out(1);
        }
        Ok(found)
    }

    /// Ends all sessions of a user. Returns the number of sessions ended.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// session.login("42")?;
    /// session.save().await?;
    /// let users = sessions.users().unwrap();
    /// assert_eq!(users.logout("42").await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Store`] if the store fails.
    pub async fn logout(&self, user: &str) -> Result<u64, Error> {
        self.logout_but(user, None).await
    }

    /// Ends all sessions of a user but one, in one call of the store. Returns the number ended.
    pub(crate) async fn logout_but(
        &self,
        user: &str,
        keep: Option<PublicId>,
    ) -> Result<u64, Error> {
        let ended = self.backend.store().delete_for_user(user, keep).await.map_err(failed)?;
        event::logged_out(ended);
        Ok(ended)
    }
}

/// Ends a session of a user under its present id; `false` if there is no such session.
pub(super) async fn end(
    store: &RecordCalls,
    clock: &Clock,
    user: &str,
    public_id: PublicId,
) -> Result<bool, Error> {
    let mut found = false;
    for _ in 0..TRIES {
        let list = store.list_for_user(user, clock.now()).await.map_err(failed)?;
        let mut sessions =
            list.into_iter().filter(|(_, stored)| stored.record.public_id == public_id).peekable();
        if sessions.peek().is_none() {
            return Ok(found);
        }
        for (id, stored) in sessions {
            // The version is given because the session may be moving to another id at this moment.
            // The next look finds it there.
            let deleted = store.delete(&id, Some(stored.version)).await.map_err(failed)?;
            found |= deleted == Deleted::Deleted;
        }
    }
    Err(Error::new(
        ErrorKind::Store,
        "the session is changed so often that it could not be ended: try again",
    ))
}

/// Returns the public data of a session; `None` if the record is no session.
fn info(record: Record, current: Option<PublicId>) -> Option<SessionInfo> {
    (record.state == State::Live).then(|| SessionInfo {
        current: current == Some(record.public_id),
        public_id: record.public_id,
        created: record.created,
        logged_in: record.logged_in,
        last_seen: record.last_seen,
        address: record.address,
        agent: record.agent,
    })
}
