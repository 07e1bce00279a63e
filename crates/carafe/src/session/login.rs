//! Login, logout and rotation of ids.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Session, fields};
use crate::content::{ID, Login, LoginStep, Operation, RESERVED, View, id_of};
use crate::engine::Backend;
use crate::id::{PublicId, SessionId};
use crate::value::{AsText, Text};
use crate::{Error, ErrorKind, event, flask_login};

/// The options of a login: see [`Session::login_with`].
///
/// ```
/// use carafe::LoginOptions;
///
/// let options = LoginOptions::default().keep("cart").address("203.0.113.7").agent("Firefox");
/// ```
#[derive(Clone, Default)]
pub struct LoginOptions {
    keep: Vec<Text>,
    address: Option<String>,
    agent: Option<String>,
    pub(super) credential: Option<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for LoginOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginOptions").finish_non_exhaustive()
    }
}

impl LoginOptions {
    /// Keeps the value that the anonymous visitor stored under a key. All other keys are dropped,
    /// since an attacker may have planted them.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use carafe::LoginOptions;
    ///
    /// session.insert("cart", ["pear"])?;
    /// session.login_with("42", LoginOptions::default().keep("cart"))?;
    /// assert!(session.contains("cart"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn keep(mut self, key: impl AsText) -> Self {
        self.keep.push(key.into_text());
        self
    }

    /// Keeps the fields of a [`Typed`](crate::Typed) session, as [`keep`](Self::keep) does for a
    /// key: the fields that `T` names, and with serde's `flatten` also the fields of its default.
    ///
    /// ```
    /// use carafe::{Error, LoginOptions, Session, Typed};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, Default)]
    /// struct Cart {
    ///     items: Vec<u32>,
    /// }
    ///
    /// fn log_in(session: &Session, user: &str) -> Result<(), Error> {
    ///     session.login_with(user, LoginOptions::default().keep_fields::<Cart>()?)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Value`] if `T` is no struct with named fields.
    pub fn keep_fields<T>(mut self) -> Result<Self, Error>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        self.keep.extend(fields::names::<T>()?);
        Ok(self)
    }

    /// The greatest number of bytes of an [`address`](Self::address) that is kept.
    pub const ADDRESS_LIMIT: usize = 128;

    /// The greatest number of bytes of an [`agent`](Self::agent) that is kept.
    pub const AGENT_LIMIT: usize = 512;

    /// The greatest length, in bytes, of a user's name that [`Session::login`] accepts. Stores keep
    /// the name with each session, and in an index.
    pub const USER_LIMIT: usize = 1024;

    /// Sets the address that the user logs in from, for the list of the user's sessions. A text
    /// longer than [`ADDRESS_LIMIT`](Self::ADDRESS_LIMIT) is cut off.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// use carafe::LoginOptions;
    ///
    /// session.login_now("42", LoginOptions::default().address("203.0.113.7")).await?;
    /// assert_eq!(session.sessions().await?[0].address.as_deref(), Some("203.0.113.7"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(cut(address.into(), Self::ADDRESS_LIMIT));
        self
    }

    /// Sets the user agent that the user logs in with, for the list of the user's sessions. A text
    /// longer than [`AGENT_LIMIT`](Self::AGENT_LIMIT) is cut off, since the client chooses the
    /// length and the store keeps the text with each session.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// use carafe::LoginOptions;
    ///
    /// session.login_now("42", LoginOptions::default().agent("Firefox")).await?;
    /// assert_eq!(session.sessions().await?[0].agent.as_deref(), Some("Firefox"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(cut(agent.into(), Self::AGENT_LIMIT));
        self
    }
}

impl Session {
    /// Logs a user in: the session gets a new id, the anonymous visitor's values are dropped, and
    /// the old id is dead at once. Call this when a user has proved who they are, even if they are
    /// logged in already.
    ///
    /// Because the session begins anew, an attacker who planted a session in the visitor's browser
    /// does not share the user's session.
    ///
    /// Without a store, copies of the visitor's previous cookie stay valid, but they belong to an
    /// anonymous session.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn login(session: Session) -> Result<(), Error> {
    ///     // … after the password was checked:
    ///     session.login("42")?;
    ///     session.flash("Welcome back")?;
    ///     assert_eq!(session.user().as_deref(), Some("42"));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun, [`ErrorKind::Entropy`] if the operating
    /// system gives no random bytes, [`ErrorKind::Value`] if the name is longer than
    /// [`LoginOptions::USER_LIMIT`].
    pub fn login(&self, user: impl Into<String>) -> Result<(), Error> {
        self.login_with(user, LoginOptions::default())
    }

    /// Logs a user in as [`login`](Self::login) does, with options.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use carafe::LoginOptions;
    ///
    /// // … after the password was checked:
    /// let options = LoginOptions::default().keep("cart").address("203.0.113.7").agent("Firefox");
    /// session.login_with("42", options)?;
    /// assert_eq!(session.user().as_deref(), Some("42"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login).
    pub fn login_with(&self, user: impl Into<String>, options: LoginOptions) -> Result<(), Error> {
        self.log_in(self.login_of(user.into(), options, LoginStep::Whole)?)
    }

    /// Logs a user in as [`login_with`](Self::login_with) does, and saves the session at once. When
    /// this returns `Ok`, the user is logged in; an error leaves the session unchanged.
    ///
    /// With a [limit on the user's sessions](crate::Config::sessions_per_user), this tells a
    /// handler that there are too many. A session in a cookie is saved only with the response: for
    /// it, this method does the same as `login_with`.
    ///
    /// ```
    /// # use carafe::{Error, ErrorKind, LoginOptions, Session};
    /// async fn login(session: Session) -> Result<&'static str, Error> {
    ///     // … after the password was checked:
    ///     match session.login_now("42", LoginOptions::default()).await {
    ///         Ok(()) => Ok("Welcome back"),
    ///         Err(error) if error.kind() == ErrorKind::TooManySessions => {
    ///             Ok("You are logged in on three devices. Log out on one of them first.")
    ///         }
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login) and [`save`](Self::save), and
    /// [`ErrorKind::TooManySessions`].
    pub async fn login_now(
        &self,
        user: impl Into<String>,
        options: LoginOptions,
    ) -> Result<(), Error> {
        let login = self.login_of(user.into(), options, LoginStep::Whole)?;
        self.log_in_now(login).await
    }

    /// Builds a login at the current time.
    pub(super) fn login_of(
        &self,
        user: String,
        options: LoginOptions,
        step: LoginStep,
    ) -> Result<Login, Error> {
        check_user(&user)?;
        let engine = &self.slot().engine;
        if engine.config().sessions_per_user.is_some() && !self.read(View::is_in_store) {
            return Err(Error::new(
                ErrorKind::NoStore,
                "sessions in cookies can't be counted: use a layer with a store \
                 (`SessionLayer::stored`), or take `Config::sessions_per_user` away",
            ));
        }
        let logins = engine.flask_login.as_ref();
        if logins.is_none() && self.read(flask_login::has_login) {
            event::flask_login_dropped();
        }
        let LoginOptions { keep, address, agent, credential } = options;
        let credential = credential.map(|credential| engine.credential_mark(&user, &credential));
        Ok(Login {
            user,
            step,
            keep,
            time: engine.clock.now(),
            id: self.new_cookie_id()?,
            address,
            agent,
            credential,
            authenticated: None,
            flask_login: logins.map(|logins| logins.entry(self.slot())),
            // Without steps and a store of revocations, the session is Flask-Login's to the byte.
            stamped: logins.is_none()
                || step != LoginStep::Whole
                || matches!(engine.backend, Backend::Revocable(_)),
        })
    }

    /// Performs a login, or one step of a login in two steps.
    pub(super) fn log_in(&self, login: Login) -> Result<(), Error> {
        self.end_in_cookie();
        let user = login.is_complete().then(|| login.user.clone());
        self.perform(Operation::Login(Box::new(login)))?;
        self.slot().state().flask_login.note(user);
        self.slot().state().logged_in = true;
        Ok(())
    }

    /// Performs a login, or one step of a login in two steps, and saves it.
    pub(super) async fn log_in_now(&self, login: Login) -> Result<(), Error> {
        if !self.read(View::is_in_store) {
            return self.log_in(login);
        }
        let user = login.is_complete().then(|| login.user.clone());
        self.save_with(Some(Operation::Login(Box::new(login)))).await?;
        self.slot().state().flask_login.note(user);
        Ok(())
    }

    /// Ends the session and removes its cookie. Values written later in the same request, such as a
    /// message for the next page, begin a new session.
    ///
    /// With a store, every copy of the cookie is dead at once, even for requests under way. Without
    /// one, a copy of the cookie stays valid until it expires, unless the layer has
    /// [`revocations`](crate::SessionLayer::with_revocations).
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login("42")?;
    /// session.logout()?;
    /// session.flash("You are logged out")?;
    /// assert_eq!(session.user(), None);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun.
    pub fn logout(&self) -> Result<(), Error> {
        self.end_in_cookie();
        if let Some(logins) = &self.slot().engine.flask_login {
            return logins.log_out(self.slot());
        }
        self.perform(Operation::Logout)?;
        self.slot().state().logged_out = true;
        Ok(())
    }

    /// Gives the session a new id and ends the old one. Call this when a user's rights change.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login("42")?;
    /// let before = session.id();
    /// session.rotate()?;
    /// assert!(session.id() != before);
    /// assert_eq!(session.user().as_deref(), Some("42"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login).
    pub fn rotate(&self) -> Result<(), Error> {
        let id = self.new_cookie_id()?;
        self.end_in_cookie();
        self.perform(Operation::Rotate(id))
    }

    /// Returns the logged-in user, by the name that was given to [`login`](Self::login).
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// assert_eq!(session.user(), None);
    /// session.login("42")?;
    /// assert_eq!(session.user().as_deref(), Some("42"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<String> {
        match &self.slot().engine.flask_login {
            Some(logins) => logins.user(self.slot()),
            None => self.read(View::user),
        }
    }

    /// Returns the id of the session, which is the visitor's secret. Use
    /// [`public_id`](Self::public_id) to show or log a session.
    ///
    /// `None` while the session has no id. A session in a store gets one when it is first saved; a
    /// session in a cookie gets one at the login, or from [`make_id`](Self::make_id).
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// assert!(session.id().is_none());
    /// session.login("42")?;
    /// assert!(session.id().is_some());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        let state = self.slot().state();
        match &state.origin {
            Some(origin) => Some(origin.id.clone()),
            None => id_of(state.view.as_ref()?),
        }
    }

    /// Gives a session in a cookie an id if it has none. The id is kept under the key `_carafe_id`,
    /// which Flask services leave alone.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.make_id()?;
    /// assert!(session.id().is_some());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login).
    pub fn make_id(&self) -> Result<(), Error> {
        if self.id().is_some() || self.read(View::is_in_store) {
            return Ok(());
        }
        let id = SessionId::random()?.to_text();
        self.perform(Operation::OrInsert { key: Text::from(ID), value: id.into() })
    }

    /// Records that the present id of a session in a cookie ends with this request.
    pub(super) fn end_in_cookie(&self) {
        let mut state = self.slot().state();
        if let Some(id) = state.view.as_ref().filter(|view| !view.is_in_store()).and_then(id_of) {
            state.ended.push(id);
        }
    }

    /// Returns a new id for a session in a cookie; an empty text for a session in a store, whose id
    /// is made when it is saved.
    pub(super) fn new_cookie_id(&self) -> Result<String, Error> {
        if self.read(View::is_in_store) {
            return Ok(String::new());
        }
        Ok(SessionId::random()?.to_text())
    }

    /// Returns the public id of a session in a store, which opens nothing and stays the same when
    /// the id is renewed. `None` for sessions in cookies, and until the session is first saved.
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
    /// if let Some(public_id) = session.public_id() {
    ///     println!("session {public_id} began");
    /// }
    /// # assert!(session.public_id().is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn public_id(&self) -> Option<PublicId> {
        self.slot().state().origin.as_ref().map(|origin| origin.stored.record.public_id)
    }
}

/// Returns the beginning of a text, of at most `limit` bytes, cut between two characters.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.shrink_to_fit();
    }
    text
}

/// Refuses names of users that are too long for a database index.
fn check_user(user: &str) -> Result<(), Error> {
    if user.len() > LoginOptions::USER_LIMIT {
        return Err(Error::new(
            ErrorKind::Value,
            format!(
                "the name of the user who logs in has {} bytes, and {} are allowed: log in by an id, and \
                 keep longer names in the session or in your own database",
                user.len(),
                LoginOptions::USER_LIMIT
            ),
        ));
    }
    Ok(())
}

/// Refuses the keys that this library reserves.
pub(super) fn check_key(key: &[u8]) -> Result<(), Error> {
    if key.starts_with(RESERVED) {
        return Err(Error::new(
            ErrorKind::ReservedKey,
            "keys that begin with \"_carafe_\" are this library's own: choose another key",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_say_of_themselves_is_cut_off() {
        let short = LoginOptions::default().address("203.0.113.7").agent("Firefox");
        assert_eq!(short.address.as_deref(), Some("203.0.113.7"));
        assert_eq!(short.agent.as_deref(), Some("Firefox"));
        let exact = "a".repeat(LoginOptions::AGENT_LIMIT);
        assert_eq!(LoginOptions::default().agent(&*exact).agent, Some(exact));
        // Between two characters, wherever they begin.
        for start in ["", "a", "ab"] {
            let long = format!("{start}{}", "\u{20ac}".repeat(100_000));
            let options = LoginOptions::default().address(&*long).agent(&*long);
            for (kept, limit) in [
                (options.address.unwrap(), LoginOptions::ADDRESS_LIMIT),
                (options.agent.unwrap(), LoginOptions::AGENT_LIMIT),
            ] {
                assert!((limit - 2..=limit).contains(&kept.len()) && long.starts_with(&kept));
                assert!(kept.capacity() <= 2 * limit);
            }
        }
    }
}
