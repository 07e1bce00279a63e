//! The logged-in user, as an extractor.

use std::fmt;

use http::Extensions;

use super::{LazySession, Session};
use crate::{Error, ErrorKind};

/// The logged-in user, as an extractor for handlers that need one.
///
/// Extraction succeeds only if a user has [logged in](Session::login). Otherwise the visitor gets a
/// redirect to the [login page](crate::SessionLayer::with_login_page), if the layer has one and the
/// request is a `GET`, and a 401 if not. `Option<CurrentUser>` accepts visitors who aren't logged
/// in.
///
/// ```
/// use carafe::{CurrentUser, Error};
///
/// async fn account(user: CurrentUser) -> String {
///     format!("The account of {}", user.id())
/// }
///
/// async fn index(user: Option<CurrentUser>) -> String {
///     user.map_or("Hello, stranger".to_owned(), |user| format!("Hello, {}", user.id()))
/// }
/// ```
///
/// If the store fails, the user is unknown, and the answer is 503, even for `Option<CurrentUser>`.
/// In actix-web an `Option<T>` is `None` for any error, so the layer replaces the handler's
/// response by the 503. A handler that wants to answer itself extracts a `Result<CurrentUser,
/// Error>`. An extractor of your own that builds on this one, or on [`Session`], has to return
/// `actix_web::Error` as its error, to pass the failure on.
///
/// In axum, `axum::middleware::from_extractor::<CurrentUser>()` keeps a whole router for users.
#[derive(Clone)]
pub struct CurrentUser {
    id: String,
    session: Session,
}

impl Session {
    /// Returns the logged-in user.
    ///
    /// ```
    /// use carafe::{Error, Session};
    ///
    /// async fn account(session: Session) -> Result<String, Error> {
    ///     let user = session.current_user()?;
    ///     Ok(format!("The account of {}", user.id()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::LoginRequired`] if no user is logged in. As a response, that error redirects to
    /// the [login page](crate::SessionLayer::with_login_page), if the layer has one and the request
    /// is a `GET`, and is a 401 if not.
    pub fn current_user(&self) -> Result<CurrentUser, Error> {
        match self.user() {
            Some(id) => Ok(CurrentUser { id, session: self.clone() }),
            None => Err(self.login_required()),
        }
    }

    /// Returns the error that asks for a login, of the kind [`ErrorKind::LoginRequired`]. It is for
    /// applications that identify their users by other means than [`login`](Self::login).
    ///
    /// As a response, the error redirects to the [login
    /// page](crate::SessionLayer::with_login_page), if the layer has one and the request is a
    /// `GET`, and is a 401 if not.
    ///
    /// ```
    /// use carafe::{Error, Session};
    ///
    /// async fn account(session: Session) -> Result<String, Error> {
    ///     let name: Option<String> = session.get("username")?;
    ///     name.ok_or_else(|| session.login_required())
    /// }
    /// ```
    #[must_use]
    pub fn login_required(&self) -> Error {
        let slot = self.slot();
        let error = Error::new(ErrorKind::LoginRequired, "no user is logged in");
        match (&slot.engine.login_page, slot.wanted()) {
            (Some(page), Some(wanted)) => error.with_redirect(page.leading_to(wanted)),
            _ => error,
        }
    }
}

impl CurrentUser {
    /// Returns the user of a request, from the request's extensions. Use it in services that are
    /// built on tower alone; it does the work of an extractor.
    ///
    /// ```
    /// use carafe::{CurrentUser, Error};
    /// use http::Request;
    ///
    /// async fn account<B>(request: Request<B>) -> Result<String, Error> {
    ///     let user = CurrentUser::from_extensions(request.extensions()).await?;
    ///     Ok(format!("The account of {}", user.id()))
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Session::from_extensions`] and [`Session::current_user`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        LazySession::from_extensions(extensions)?.open().await?.current_user()
    }

    /// Returns the user's name, as it was given to [`Session::login`].
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login("42")?;
    /// assert_eq!(session.current_user()?.id(), "42");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the user's name as a `String`: see [`id`](Self::id).
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login("42")?;
    /// let user: String = session.current_user()?.into_id();
    /// assert_eq!(user, "42");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn into_id(self) -> String {
        self.id
    }

    /// Returns the user's session.
    ///
    /// ```
    /// use carafe::{CurrentUser, Error};
    ///
    /// async fn log_out(user: CurrentUser) -> Result<(), Error> {
    ///     user.session().logout()
    /// }
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl fmt::Debug for CurrentUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentUser").finish_non_exhaustive()
    }
}
