//! The other sessions of a user.

use super::Session;
use crate::content::View;
use crate::engine::{Backend, failed};
use crate::id::PublicId;
use crate::store::UserRevocation;
use crate::{Error, ErrorKind, SessionInfo, UserSessions};

impl Session {
    /// Lists the logged-in user's sessions, the most recently used first. The list is empty if no
    /// user is logged in. A login in this request is listed once it is saved: when the response
    /// begins, or after [`save`](Self::save).
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
    /// for info in session.sessions().await? {
    ///     println!("{} from {:?}, last used {:?}", info.public_id, info.address, info.last_seen);
    /// }
    /// # assert!(session.sessions().await?[0].current);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoStore`] if sessions are in cookies, [`ErrorKind::Store`] if the store fails.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, Error> {
        let sessions = self.user_sessions()?;
        match self.user() {
            Some(user) => sessions.list_with(&user, self.public_id()).await,
            None => Ok(Vec::new()),
        }
    }

    /// Ends one session of the logged-in user. Returns `false` if the user has no such session.
    ///
    /// ```
    /// use carafe::{Error, Session};
    ///
    /// /// `id` is one of those that a page with [`Session::sessions`] showed.
    /// async fn end_session(session: Session, id: String) -> Result<&'static str, Error> {
    ///     match session.revoke(id.parse()?).await? {
    ///         true => Ok("The session was ended"),
    ///         false => Ok("You have no such session"),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`sessions`](Self::sessions), and [`ErrorKind::Closed`] if it is this session
    /// and the response has begun.
    pub async fn revoke(&self, public_id: PublicId) -> Result<bool, Error> {
        let sessions = self.user_sessions()?;
        let Some(user) = self.user() else { return Ok(false) };
        if self.public_id() == Some(public_id) {
            return self.logout().map(|()| true);
        }
        sessions.revoke(&user, public_id).await
    }

    /// Ends all sessions of the logged-in user except this one. Returns the number of sessions
    /// ended.
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
    /// // … after the password was changed:
    /// let ended = session.logout_others().await?;
    /// assert_eq!(ended, 0);
    /// assert!(session.user().is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`sessions`](Self::sessions).
    pub async fn logout_others(&self) -> Result<u64, Error> {
        let sessions = self.user_sessions()?;
        let Some(user) = self.user() else { return Ok(0) };
        sessions.logout_but(&user, self.public_id()).await
    }

    /// Ends all sessions of the logged-in user, including this one. Returns the number of other
    /// sessions ended; sessions in cookies can't be counted.
    ///
    /// For sessions in cookies the layer needs
    /// [`revocations`](crate::SessionLayer::with_revocations): all logins of the user up to this
    /// second are then invalid.
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
    /// let others = session.logout_everywhere().await?;
    /// assert_eq!(others, 0);
    /// assert_eq!(session.user(), None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`sessions`](Self::sessions), and [`ErrorKind::Closed`] if the response has
    /// begun.
    pub async fn logout_everywhere(&self) -> Result<u64, Error> {
        let engine = &self.slot().engine;
        let user = self.user();
        // The store goes first: if it fails, none of the sessions end.
        self.check_open()?;
        match (&engine.backend, user) {
            (Backend::Cookie, _) => Err(no_store()),
            (_, None) => {
                self.logout()?;
                Ok(0)
            }
            (Backend::Revocable(backend), Some(user)) => {
                let now = engine.clock.now();
                let own = (self.id(), user.as_str(), self.read(View::logged_in_at));
                let logins_up_to = engine.revoked_logins(backend, own, now).await?;
                let revocation = UserRevocation { logins_up_to, until: engine.revoked_until(now) };
                backend.store().revoke_user(&user, revocation, now).await.map_err(failed)?;
                self.logout()?;
                Ok(0)
            }
            (Backend::Stored(_), Some(user)) => {
                let ended = self.user_sessions()?.logout(&user).await?;
                self.logout()?;
                Ok(ended.saturating_sub(1))
            }
        }
    }

    fn user_sessions(&self) -> Result<UserSessions, Error> {
        let engine = &self.slot().engine;
        engine.user_sessions().ok_or_else(no_store)
    }
}

fn no_store() -> Error {
    Error::new(
        ErrorKind::NoStore,
        "sessions in cookies can't be listed or ended from elsewhere, since the server keeps no list of \
         them: use a layer with a store (`SessionLayer::stored`)",
    )
}
