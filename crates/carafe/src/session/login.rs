//! Login, logout, and new ids.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Session, fields};
use crate::content::{ID, Login, LoginStep, Operation, RESERVED, View, id_of};
use crate::engine::Backend;
use crate::id::{PublicId, SessionId};
use crate::value::{AsText, Text};
use crate::{Error, ErrorKind, event, flask_login};

/// How a user logs in: see [`Session::login_with`].
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
    /// Keeps what the anonymous visitor had stored under a key. Everything else is dropped, since
    /// somebody else may have put it there.
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

    /// Keeps the fields of a [`Typed`](crate::Typed) session, as [`keep`](Self::keep) does: those that
    /// `T` names, and with serde's `flatten` those that its default has.
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

    /// How many bytes of an [`address`](Self::address) are kept.
    pub const ADDRESS_LIMIT: usize = 128;

    /// How many bytes of an [`agent`](Self::agent) are kept.
    pub const AGENT_LIMIT: usize = 512;

    /// How many bytes the name of a user may have that is given to [`Session::login`]. Stores keep it with
    /// each session, and in an index.
    pub const USER_LIMIT: usize = 1024;

    /// The address that the user logs in from, to be shown in the list of the user's sessions. What is
    /// beyond [`ADDRESS_LIMIT`](Self::ADDRESS_LIMIT) is cut off.
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

    /// The user agent that the user logs in with, to be shown in the list of the user's sessions. What
    /// is beyond [`AGENT_LIMIT`](Self::AGENT_LIMIT) is cut off: clients choose how long it is, and the
    /// store keeps it with each of their sessions.
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
    /// Makes this the session of a user: it gets a new id, what the anonymous visitor had stored is
    /// dropped, and the old id is dead at once. Call it when a user has proved who they are, also
    /// when they were logged in already.
    ///
    /// The session of somebody else, which an attacker might have planted in the visitor's browser,
    /// thus never becomes a session of the user.
    ///
    /// Without a store, the cookie that the visitor had before stays valid for whoever has a copy of
    /// it: it is the session of nobody.
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

    /// As [`login`](Self::login), with what is to be kept and remembered.
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
    /// As [`login`](Self::login).
    pub fn login_with(&self, user: impl Into<String>, options: LoginOptions) -> Result<(), Error> {
        self.log_in(self.login_of(user.into(), options, LoginStep::Whole)?)
    }

    /// As [`login_with`](Self::login_with), but saved at once: after this returns, the user is logged in,
    /// or the error says why not and the session is as it was.
    ///
    /// With a [limit of the user's sessions](crate::Config::sessions_per_user), it is how a handler learns
    /// that there are too many. Sessions in cookies can only be saved with the response: for them this is
    /// `login_with`.
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
    /// As [`login`](Self::login) and [`save`](Self::save), and [`ErrorKind::TooManySessions`].
    pub async fn login_now(
        &self,
        user: impl Into<String>,
        options: LoginOptions,
    ) -> Result<(), Error> {
        let login = self.login_of(user.into(), options, LoginStep::Whole)?;
        self.log_in_now(login).await
    }

    /// A login of this moment.
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

    /// Does a login, or a step of one.
    pub(super) fn log_in(&self, login: Login) -> Result<(), Error> {
        self.end_in_cookie();
        let user = login.is_complete().then(|| login.user.clone());
        self.perform(Operation::Login(Box::new(login)))?;
        self.slot().state().flask_login.note(user);
        self.slot().state().logged_in = true;
        Ok(())
    }

    /// Does a login, or a step of one, and saves it.
    pub(super) async fn log_in_now(&self, login: Login) -> Result<(), Error> {
        if !self.read(View::is_in_store) {
            return self.log_in(login);
        }
        let user = login.is_complete().then(|| login.user.clone());
        self.save_with(Some(Operation::Login(Box::new(login)))).await?;
        self.slot().state().flask_login.note(user);
        Ok(())
    }

    /// Ends the session, and removes its cookie. What is written after it in the same request, such
    /// as a message for the next page, begins a new session.
    ///
    /// With a store, every copy of the cookie is dead, also for requests that are under way. A
    /// cookie alone can't do that: a copy of it stays valid until it expires, unless the layer has
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

    /// Gives the session a new id, and ends the old one: for when a user's rights change.
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
    /// As [`login`](Self::login).
    pub fn rotate(&self) -> Result<(), Error> {
        let id = self.new_cookie_id()?;
        self.end_in_cookie();
        self.perform(Operation::Rotate(id))
    }

    /// Who is logged in, by the name that was given to [`login`](Self::login).
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

    /// The id of the session, which is a secret of the visitor's: for showing it, or logging, there
    /// is [`public_id`](Self::public_id).
    ///
    /// `None` as long as the session has none: one in a store until it is first saved, one in a
    /// cookie until its user logs in, or until [`make_id`](Self::make_id).
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

    /// Makes sure that a session in a cookie has an id. It is kept under the key `_carafe_id`, where
    /// a Flask service leaves it alone.
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
    /// As [`login`](Self::login).
    pub fn make_id(&self) -> Result<(), Error> {
        if self.id().is_some() || self.read(View::is_in_store) {
            return Ok(());
        }
        let id = SessionId::random()?.to_text();
        self.perform(Operation::OrInsert { key: Text::from(ID), value: id.into() })
    }

    /// Notes that the id that a session in a cookie has now is to end with this request.
    pub(super) fn end_in_cookie(&self) {
        let mut state = self.slot().state();
        if let Some(id) = state.view.as_ref().filter(|view| !view.is_in_store()).and_then(id_of) {
            state.ended.push(id);
        }
    }

    /// A new id for a session in a cookie; none for one in a store, which gets its own when it is
    /// saved.
    pub(super) fn new_cookie_id(&self) -> Result<String, Error> {
        if self.read(View::is_in_store) {
            return Ok(String::new());
        }
        Ok(SessionId::random()?.to_text())
    }

    /// The name of a session in a store that may be shown. It stays the same while the id is
    /// renewed. `None` for sessions in cookies, and until the session is first saved.
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

/// The beginning of a text, of at most so many bytes. It ends between two characters.
fn cut(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.shrink_to_fit();
    }
    text
}

/// Refuses names of users that are longer than any that a database could index.
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

/// Refuses the keys that this library has for itself.
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
