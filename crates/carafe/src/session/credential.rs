//! Logins that end when their credential changes.

use zeroize::Zeroizing;

use super::{LoginOptions, Session};
use crate::content::{Operation, View};
use crate::{Error, event};

impl LoginOptions {
    /// Binds the login to the credential that it was made with, in the form that the application
    /// stores, such as the password's hash. The session keeps a credential mark: a hash under the
    /// layer's key.
    ///
    /// A later request passes the user's present credential to [`Session::check_credential`], which
    /// ends the session if the credential has changed.
    ///
    /// ```
    /// use carafe::{Error, LoginOptions, Session};
    ///
    /// fn log_in(session: &Session, user: &str, password_hash: &str) -> Result<(), Error> {
    ///     session.login_with(user, LoginOptions::default().credential(password_hash))
    /// }
    /// ```
    #[must_use]
    pub fn credential(mut self, credential: impl AsRef<[u8]>) -> Self {
        self.credential = Some(Zeroizing::new(credential.as_ref().to_vec()));
        self
    }
}

impl Session {
    /// Ends the session if its user logged in with another credential than the present one, as
    /// after a change of the password. It works for sessions on all machines and in all places. A
    /// login [without a credential](LoginOptions::credential) counts as a login with another one.
    ///
    /// Call this where the application loads its user:
    ///
    /// ```
    /// use carafe::{CurrentUser, Error};
    ///
    /// struct Account {
    ///     password_hash: String,
    /// }
    /// # async fn load(id: &str) -> Result<Account, Error> {
    /// #     Ok(Account { password_hash: String::new() })
    /// # }
    ///
    /// async fn account(user: &CurrentUser) -> Result<Account, Error> {
    ///     let account = load(user.id()).await?;
    ///     user.session().check_credential(&account.password_hash)?;
    ///     Ok(account)
    /// }
    /// ```
    ///
    /// # Errors
    /// The error of [`login_required`](Self::login_required) if the session was ended, or no user
    /// is logged in; [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the session has to be ended
    /// and the response has begun.
    pub fn check_credential(&self, credential: impl AsRef<[u8]>) -> Result<(), Error> {
        let Some(user) = self.user() else { return Err(self.login_required()) };
        let engine = &self.slot().engine;
        let (mark, credential) = (self.read(View::credential), credential.as_ref());
        match mark.and_then(|mark| engine.check_credential(&user, credential, &mark)) {
            Some(is_outdated) => {
                // The mark was made under a fallback key, which may soon be removed.
                if is_outdated && self.check_open().is_ok() {
                    let mark = engine.credential_mark(&user, credential);
                    self.perform(Operation::Credential(mark))?;
                }
                Ok(())
            }
            None => {
                self.logout()?;
                event::credential_changed();
                Err(self.login_required())
            }
        }
    }

    /// Binds this session's login to a new credential. The handler that changes the password calls
    /// this, so that the present session outlives the change, unlike the user's other sessions.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn change_password(session: Session, new_hash: &str) -> Result<(), Error> {
    ///     // … after the hash was stored:
    ///     session.set_credential(new_hash)?;
    ///     session.reauthenticated()
    /// }
    /// ```
    ///
    /// # Errors
    /// The error of [`login_required`](Self::login_required) if no user is logged in, and
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun.
    pub fn set_credential(&self, credential: impl AsRef<[u8]>) -> Result<(), Error> {
        let Some(user) = self.user() else { return Err(self.login_required()) };
        let mark = self.slot().engine.credential_mark(&user, credential.as_ref());
        self.perform(Operation::Credential(mark))
    }
}
