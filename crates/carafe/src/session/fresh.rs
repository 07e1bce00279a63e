//! Users whose last authentication is recent.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use http::Extensions;

use super::{CurrentUser, LazySession, Session};
use crate::content::{Operation, View};
use crate::{Error, ErrorKind, UnixSeconds};

/// A logged-in user who was authenticated at most `SECONDS` ago, 5 minutes by default. It is an
/// extractor for handlers that change a password, an address or a second factor.
///
/// A visitor who isn't logged in is answered as with [`CurrentUser`]. A user whose authentication
/// is older gets a redirect to the [confirmation page](crate::SessionLayer::with_confirm_page), if
/// the layer has one and the request is a `GET`, and a 401 otherwise. The confirmation page asks
/// for the password, calls [`Session::reauthenticated`] and leads back.
///
/// ```
/// use carafe::{Error, FreshUser};
///
/// async fn change_password(user: FreshUser) -> Result<String, Error> {
///     Ok(format!("The new password of {}", user.id()))
/// }
///
/// /// A minute is all that it takes to delete an account.
/// async fn delete_account(user: FreshUser<60>) -> Result<(), Error> {
///     user.session().logout()
/// }
/// ```
#[derive(Clone)]
pub struct FreshUser<const SECONDS: u64 = 300>(CurrentUser);

impl<const SECONDS: u64> FreshUser<SECONDS> {
    /// Returns the user of a request, from the request's extensions. Use it in services that are
    /// built on tower alone; it does the work of an extractor.
    ///
    /// ```
    /// use carafe::{Error, FreshUser};
    /// use http::Request;
    ///
    /// async fn delete_account<B>(request: Request<B>) -> Result<String, Error> {
    ///     let user = FreshUser::<60>::from_extensions(request.extensions()).await?;
    ///     Ok(format!("The account of {} is gone", user.id()))
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Session::from_extensions`] and [`Session::fresh_user`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        Self::of(&LazySession::from_extensions(extensions)?.open().await?)
    }

    pub(crate) fn of(session: &Session) -> Result<Self, Error> {
        session.fresh_user(Duration::from_secs(SECONDS)).map(Self)
    }

    /// Returns the user as a [`CurrentUser`].
    ///
    /// ```
    /// use carafe::{CurrentUser, FreshUser};
    ///
    /// async fn change_password(user: FreshUser) -> String {
    ///     greet(&user.into_user())
    /// }
    ///
    /// fn greet(user: &CurrentUser) -> String {
    ///     format!("Hello, {}", user.id())
    /// }
    /// ```
    #[must_use]
    pub fn into_user(self) -> CurrentUser {
        self.0
    }
}

impl<const SECONDS: u64> Deref for FreshUser<SECONDS> {
    type Target = CurrentUser;

    fn deref(&self) -> &CurrentUser {
        &self.0
    }
}

impl<const SECONDS: u64> fmt::Debug for FreshUser<SECONDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshUser").finish_non_exhaustive()
    }
}

impl Session {
    /// Returns when the logged-in user was last authenticated: at the login, or when the
    /// application last called [`reauthenticated`](Self::reauthenticated).
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// assert_eq!(session.authenticated_at(), None);
    /// session.login("42")?;
    /// assert!(session.authenticated_at().is_some());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn authenticated_at(&self) -> Option<UnixSeconds> {
        self.read(View::authenticated_at)
    }

    /// Returns whether a user is logged in and was authenticated at most `max_age` ago, in whole
    /// seconds.
    ///
    /// Logins that are [shared with Flask-Login](crate::flask_login) have no time. For them this
    /// returns [`login_is_fresh`](Self::login_is_fresh), for any `max_age`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use std::time::Duration;
    ///
    /// session.login("42")?;
    /// assert!(session.is_fresh(Duration::from_secs(300)));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn is_fresh(&self, max_age: Duration) -> bool {
        if self.slot().engine.flask_login.is_some() {
            return self.user().is_some() && self.login_is_fresh();
        }
        let now = self.slot().engine.clock.now();
        self.authenticated_at().is_some_and(|time| now.since(time) <= max_age.as_secs())
    }

    /// Returns the logged-in user, if the last authentication is at most `max_age` ago.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use std::time::Duration;
    ///
    /// session.login("42")?;
    /// assert_eq!(session.fresh_user(Duration::from_secs(300))?.id(), "42");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`current_user`](Self::current_user), and [`ErrorKind::NotFresh`] if the
    /// authentication is older. As a response, that error redirects to the [confirmation
    /// page](crate::SessionLayer::with_confirm_page), if the layer has one and the request is a
    /// `GET`, and is a 401 otherwise.
    pub fn fresh_user(&self, max_age: Duration) -> Result<CurrentUser, Error> {
        let user = self.current_user()?;
        match self.is_fresh(max_age) {
            true => Ok(user),
            false => Err(self.not_fresh()),
        }
    }

    /// Records that the logged-in user was authenticated again. Call this after checking the
    /// password or another factor. The session gets a new id, and the old one is dead at once.
    ///
    /// ```
    /// use carafe::{Error, Session, WantedPage};
    ///
    /// # fn is_right(user: &str, password: &str) -> bool { true }
    /// async fn confirm(
    ///     session: Session,
    ///     wanted: WantedPage,
    ///     password: String,
    /// ) -> Result<String, Error> {
    ///     let user = session.current_user()?;
    ///     if !is_right(user.id(), &password) {
    ///         return Ok("/confirm".to_owned());
    ///     }
    ///     session.reauthenticated()?;
    ///     Ok(wanted.or("/").to_owned()) // for `Redirect::to`
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`rotate`](Self::rotate), and the error of
    /// [`login_required`](Self::login_required) if no user
    /// is logged in.
    pub fn reauthenticated(&self) -> Result<(), Error> {
        if self.user().is_none() {
            return Err(self.login_required());
        }
        self.rotate()?;
        if self.slot().engine.flask_login.is_some() {
            return self.confirm_login();
        }
        self.perform(Operation::Reauthenticated(self.slot().engine.clock.now()))
    }

    fn not_fresh(&self) -> Error {
        let slot = self.slot();
        let error = Error::new(
            ErrorKind::NotFresh,
            "the user's last authentication is too long ago for this handler: ask for the password again, \
             and call `Session::reauthenticated`",
        );
        match (&slot.engine.confirm_page, slot.wanted()) {
            (Some(page), Some(wanted)) => error.with_redirect(page.leading_to(wanted)),
            _ => error,
        }
    }
}
