use std::fmt;
#[cfg(feature = "actix")]
use std::future::Future as _;
use std::marker::PhantomData;
#[cfg(feature = "actix")]
use std::pin::pin;
use std::sync::Arc;
#[cfg(feature = "actix")]
use std::task::{Context, Poll, Waker};

use http::Extensions;

use super::Session;
#[cfg(feature = "actix")]
use super::Unopened;
use crate::Error;
use crate::engine::Slot;

/// A session that is opened on demand, for handlers that need it only sometimes.
///
/// Extracting it costs nothing, and doesn't make the response vary with the cookie.
#[derive(Clone)]
pub struct LazySession {
    slot: Arc<Slot>,
}

impl LazySession {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    /// Returns the session of a request that passed a [`SessionLayer`](crate::SessionLayer), from
    /// the request's extensions. Use it in services without an extractor.
    ///
    /// ```
    /// use carafe::{Error, LazySession};
    /// use http::{Request, Response};
    ///
    /// async fn handle<B>(request: Request<B>) -> Result<Response<String>, Error> {
    ///     let session = LazySession::from_extensions(request.extensions())?.open().await?;
    ///     let name: Option<String> = session.get("username")?;
    ///     Ok(Response::new(name.unwrap_or_else(|| "You are not logged in".to_owned())))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoLayer`](crate::ErrorKind::NoLayer) if the request came through no such layer.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        Slot::current(extensions).map(Self::new)
    }

    /// Returns the session of the layer that `Marker` names, like
    /// [`from_extensions`](Self::from_extensions).
    ///
    /// ```
    /// use carafe::{Error, LazySession};
    /// use http::Request;
    ///
    /// struct Admin;
    ///
    /// async fn is_admin<B>(request: &Request<B>) -> Result<bool, Error> {
    ///     let session = LazySession::named_from_extensions::<Admin>(request.extensions())?;
    ///     Ok(session.open().await?.user().is_some())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoLayer`](crate::ErrorKind::NoLayer) if the request passed no layer of this
    /// name.
    pub fn named_from_extensions<Marker: 'static>(extensions: &Extensions) -> Result<Self, Error> {
        Slot::named::<Marker>(extensions).map(Self::new)
    }

    /// Opens the session.
    ///
    /// ```
    /// use carafe::{Error, LazySession};
    ///
    /// async fn page(session: LazySession, is_public: bool) -> Result<String, Error> {
    ///     if is_public {
    ///         return Ok("Hello".to_owned());
    ///     }
    ///     let user = session.open().await?.current_user()?;
    ///     Ok(format!("Hello, {}", user.id()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun before the session
    /// was opened: the response then lacks `Vary: Cookie`, and a cache would show it to other
    /// visitors. [`ErrorKind::Store`](crate::ErrorKind::Store) if the store can't answer. A cookie
    /// that can't be accepted is not an error: the session is then empty.
    pub async fn open(&self) -> Result<Session, Error> {
        open(Arc::clone(&self.slot)).await
    }

    /// Opens the session; `None` if that may take waiting for a store or for another handle.
    #[cfg(feature = "actix")]
    pub(crate) fn open_at_once(&self) -> Option<Result<Session, Error>> {
        if !self.slot.engine.opens_at_once() {
            return None;
        }
        match pin!(self.open()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(opened) => Some(opened),
            // Another handle is about to open it.
            Poll::Pending => None,
        }
    }

    /// Wraps the reason why opening failed, for an extractor.
    #[cfg(feature = "actix")]
    pub(super) fn unopened(&self, error: Error) -> Unopened {
        Unopened::new(error, Some(&self.slot))
    }
}

async fn open(slot: Arc<Slot>) -> Result<Session, Error> {
    slot.engine.open(&slot).await?;
    Ok(Session::new(slot))
}

impl Session {
    /// Returns the session of a request, from the request's extensions. Use it in services that are
    /// built on tower alone; it does the work of an extractor.
    ///
    /// ```
    /// use carafe::{Error, Session};
    /// use http::Request;
    ///
    /// async fn visits<B>(request: Request<B>) -> Result<u64, Error> {
    ///     let session = Session::from_extensions(request.extensions()).await?;
    ///     session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoLayer`](crate::ErrorKind::NoLayer) if no
    /// [`SessionLayer`](crate::SessionLayer) is around the service, and the errors of
    /// [`LazySession::open`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        open(Slot::current(extensions)?).await
    }
}

impl fmt::Debug for LazySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazySession").finish_non_exhaustive()
    }
}

/// The session of the layer that `Marker` names, as an extractor for handlers below several layers:
/// see [`SessionLayer::named`](crate::SessionLayer::named).
pub struct Named<Marker> {
    session: Session,
    marker: PhantomData<fn() -> Marker>,
}

impl<Marker: 'static> Named<Marker> {
    /// Returns the named session of a request, from the request's extensions, like
    /// [`Session::from_extensions`].
    ///
    /// ```
    /// use carafe::{Error, Named};
    /// use http::Request;
    ///
    /// struct Admin;
    ///
    /// async fn admin<B>(request: Request<B>) -> Result<String, Error> {
    ///     let admin = Named::<Admin>::from_extensions(request.extensions()).await?;
    ///     Ok(admin.session().current_user()?.into_id())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoLayer`](crate::ErrorKind::NoLayer) if no
    /// [`SessionLayer`](crate::SessionLayer) of that name is around the service, and the errors of
    /// [`LazySession::open`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        let session = open(Slot::named::<Marker>(extensions)?).await?;
        Ok(Self::new(session))
    }
}

impl<Marker> Named<Marker> {
    pub(crate) fn new(session: Session) -> Self {
        Self { session, marker: PhantomData }
    }

    /// Returns the session.
    ///
    /// ```
    /// use carafe::{Error, Named};
    ///
    /// struct Admin;
    ///
    /// async fn admin(admin: Named<Admin>) -> Result<(), Error> {
    ///     admin.session().insert("seen", true)
    /// }
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the session as a plain [`Session`].
    ///
    /// ```
    /// use carafe::{Error, Named};
    ///
    /// struct Admin;
    ///
    /// async fn log_out(admin: Named<Admin>) -> Result<(), Error> {
    ///     let session = admin.into_session();
    ///     session.logout()
    /// }
    /// ```
    #[must_use]
    pub fn into_session(self) -> Session {
        self.session
    }
}

impl<Marker> Clone for Named<Marker> {
    fn clone(&self) -> Self {
        Self::new(self.session.clone())
    }
}

impl<Marker> fmt::Debug for Named<Marker> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Named").finish_non_exhaustive()
    }
}
