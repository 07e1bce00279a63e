//! Logins that end with the credential that they were made with.

use zeroize::Zeroizing;

use super::{LoginOptions, Session};
use crate::content::{Operation, View};
use crate::{Error, event};

impl LoginOptions {
    /// Binds the login to the credential that it was made with: what the application keeps of it, such
    /// as the password's hash. The session keeps a mark of it, which is a hash under the layer's key.
    ///
    /// A request's handler gives the present credential to
    /// [`Session::check_credential`], which ends the session if it is another one.
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
    /// Ends the session if its user logged in with another credential than the present one, as after a
    /// change of the password, on whatever machine and in whatever kind of session. A login
    /// [without a credential](LoginOptions::credential) counts as one with another.
    ///
    /// One line in the place where the application loads its user:
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
    /// The error of [`login_required`](Self::login_required) if the session was ended, or no user is
    /// logged in; [`ErrorKind::Closed`](crate::ErrorKind::Closed) if it should be ended and the response
    /// has begun.
    pub fn check_credential(&self, credential: impl AsRef<[u8]>) -> Result<(), Error> {
        let Some(user) = self.user() else { return Err(self.login_required()) };
        let engine = &self.slot().engine;
        let (mark, credential) = (self.read(View::credential), credential.as_ref());
        match mark.and_then(|mark| engine.check_credential(&user, credential, &mark)) {
            Some(is_outdated) => {
                // Made under a key that may soon be gone.
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

    /// Binds this session's login to another credential, so that it outlives the change which ends the
    /// user's other sessions: for the handler that changes the password.
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
