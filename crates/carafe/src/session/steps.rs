//! Logins in two steps.

use super::{LoginOptions, Session};
use crate::Error;
use crate::content::{Login, LoginStep, View};

impl Session {
    /// Begins a login in two steps: records that a user has passed the first, such as the password,
    /// and still has to pass the second.
    ///
    /// Like [`login`](Self::login), this begins the session anew, with a new id. Until
    /// [`complete_login`](Self::complete_login) no user is logged in, for [`user`](Self::user) and
    /// for [`CurrentUser`](crate::CurrentUser). The time for the second step is
    /// [`Config::pending_login_timeout`](crate::Config::pending_login_timeout), by default 5
    /// minutes.
    ///
    /// ```
    /// use carafe::{Error, Session};
    ///
    /// # fn is_right(user: &str, code: &str) -> bool { true }
    /// async fn password(session: Session) -> Result<(), Error> {
    ///     // … after the password was checked:
    ///     session.login_pending("42")
    /// }
    ///
    /// async fn code(session: Session, code: String) -> Result<bool, Error> {
    ///     let Some(user) = session.pending_user() else { return Err(session.login_required()) };
    ///     if !is_right(&user, &code) {
    ///         return Ok(false);
    ///     }
    ///     session.complete_login()?;
    ///     Ok(true)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login).
    pub fn login_pending(&self, user: impl Into<String>) -> Result<(), Error> {
        self.login_pending_with(user, LoginOptions::default())
    }

    /// Begins a login in two steps as [`login_pending`](Self::login_pending) does, with options.
    /// The credential binds the login from this step on. Sessions in a store keep the address and
    /// the agent.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use carafe::LoginOptions;
    ///
    /// // … after the password was checked:
    /// session.login_pending_with("42", LoginOptions::default().keep("cart"))?;
    /// assert_eq!(session.pending_user().as_deref(), Some("42"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login).
    pub fn login_pending_with(
        &self,
        user: impl Into<String>,
        options: LoginOptions,
    ) -> Result<(), Error> {
        let engine = &self.slot().engine;
        let timeout = engine.config().pending_login_timeout.as_secs();
        let until = engine.clock.now() + timeout;
        self.log_in(self.login_of(user.into(), options, LoginStep::First { until })?)
    }

    /// Returns the user who has passed the first step of a login and still has time for the second.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login_pending("42")?;
    /// assert_eq!(session.pending_user().as_deref(), Some("42"));
    /// assert_eq!(session.user(), None);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn pending_user(&self) -> Option<String> {
        let pending = self.read(View::pending)?;
        (self.slot().engine.clock.now() < pending.until).then_some(pending.user)
    }

    /// Completes a login in two steps. The session gets a new id and keeps its values, since it
    /// began with the first step.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login_pending("42")?;
    /// // … after the code was checked:
    /// session.complete_login()?;
    /// assert_eq!(session.user().as_deref(), Some("42"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`login`](Self::login), and the error of
    /// [`login_required`](Self::login_required) if there was no first step, or its time is over.
    pub fn complete_login(&self) -> Result<(), Error> {
        self.log_in(self.second_step()?)
    }

    /// Completes a login as [`complete_login`](Self::complete_login) does, and saves the session at
    /// once: see [`login_now`](Self::login_now).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// session.login_pending("42")?;
    /// // … after the code was checked:
    /// session.complete_login_now().await?;
    /// assert_eq!(session.user().as_deref(), Some("42"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`complete_login`](Self::complete_login) and [`save`](Self::save), and
    /// [`ErrorKind::TooManySessions`](crate::ErrorKind::TooManySessions).
    pub async fn complete_login_now(&self) -> Result<(), Error> {
        self.log_in_now(self.second_step()?).await
    }

    fn second_step(&self) -> Result<Login, Error> {
        let Some(user) = self.pending_user() else { return Err(self.login_required()) };
        let credential = self.read(View::credential);
        let (address, agent) = self.read(View::logged_in_from);
        let login = self.login_of(user, LoginOptions::default(), LoginStep::Second)?;
        Ok(Login { credential, address, agent, ..login })
    }
}
