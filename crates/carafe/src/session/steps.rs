//! Logins in two steps.

use super::{LoginOptions, Session};
use crate::Error;
use crate::content::{Login, LoginStep, View};

impl Session {
    /// Notes that a user has taken the first of two steps of a login, such as the password, and still
    /// has to take the second.
    ///
    /// As with [`login`](Self::login), the session begins anew and gets a new id. Until
    /// [`complete_login`](Self::complete_login) no user is logged in: neither
    /// [`user`](Self::user) nor [`CurrentUser`](crate::CurrentUser) see one. The second step is possible
    /// for [`Config::pending_login_timeout`](crate::Config::pending_login_timeout), which is 5 minutes by
    /// default.
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
    /// As [`login`](Self::login).
    pub fn login_pending(&self, user: impl Into<String>) -> Result<(), Error> {
        self.login_pending_with(user, LoginOptions::default())
    }

    /// As [`login_pending`](Self::login_pending), with options of what is kept and remembered. The credential
    /// binds the login from this step on. The address and the agent are kept by sessions in a store.
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
    /// As [`login`](Self::login).
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

    /// The user who has taken the first of two steps and still has time for the second.
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

    /// Logs the user in who has taken both steps. The session gets a new id, and keeps what it holds:
    /// it began with the first step.
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
    /// As [`login`](Self::login), and the error of [`login_required`](Self::login_required) if there was
    /// no first step, or it was too long ago.
    pub fn complete_login(&self) -> Result<(), Error> {
        self.log_in(self.second_step()?)
    }

    /// As [`complete_login`](Self::complete_login), but saved at once, as
    /// [`login_now`](Self::login_now) does it.
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
    /// As [`complete_login`](Self::complete_login) and [`save`](Self::save), and
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
