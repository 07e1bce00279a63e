//! Handlers that are for users who are logged in.

use std::fmt;

use http::Extensions;

use super::{LazySession, Session};
use crate::{Error, ErrorKind};

/// The user who is logged in, for handlers that need one.
///
/// It is extracted only if somebody [logged in](Session::login). Otherwise the visitor is sent to
/// the [login page](crate::SessionLayer::with_login_page), if the layer has one and the request is a
/// `GET`, and is answered with 401 if not. `Option<CurrentUser>` takes everybody.
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
/// A store that can't tell who it is is no stranger: then the answer is 503, also where the user is
/// optional. In actix-web, whose every `Option<T>` is `None` whatever the error is, the layer gives that
/// answer in place of the handler's; a handler that has one of its own for it asks for a
/// `Result<CurrentUser, Error>`. An extractor of your own that is made of this one, or of
/// [`Session`], hands it on with `actix_web::Error` as its error.
///
/// In axum, `axum::middleware::from_extractor::<CurrentUser>()` keeps a whole router for users.
#[derive(Clone)]
pub struct CurrentUser {
    id: String,
    session: Session,
}

impl Session {
    /// The user who is logged in.
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
    /// [`ErrorKind::LoginRequired`] if nobody is. As a response it leads to the
    /// [login page](crate::SessionLayer::with_login_page), if the layer has one and the request is a
    /// `GET`, and is a 401 if not.
    pub fn current_user(&self) -> Result<CurrentUser, Error> {
        match self.user() {
            Some(id) => Ok(CurrentUser { id, session: self.clone() }),
            None => Err(self.login_required()),
        }
    }

    /// Returns the error that asks for a login, for applications that know by other means than
    /// [`login`](Self::login) who the visitor is. It is of the kind [`ErrorKind::LoginRequired`].
    ///
    /// As a response it leads to the [login page](crate::SessionLayer::with_login_page), if the layer
    /// has one and the request is a `GET`, and is a 401 if not.
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
        let error = Error::new(ErrorKind::LoginRequired, "nobody is logged in");
        match (&slot.engine.login_page, slot.wanted()) {
            (Some(page), Some(wanted)) => error.with_redirect(page.leading_to(wanted)),
            _ => error,
        }
    }
}

impl CurrentUser {
    /// The user of a request, by its extensions: what an extractor does, for services that are built
    /// on tower alone.
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
    /// As [`Session::from_extensions`] and [`Session::current_user`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        LazySession::from_extensions(extensions)?.open().await?.current_user()
    }

    /// Who it is, by the name that was given to [`Session::login`].
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

    /// As [`id`](Self::id), to keep it.
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

    /// The user's session.
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
