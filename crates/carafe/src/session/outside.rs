//! A session outside of its request.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::{Session, SessionEnded};
use crate::engine::{Backend, Engine, Place, Slot, StoreBackend, Subject};
use crate::id::{PublicId, SessionId};
use crate::value::AsText;
use crate::{Error, ErrorKind};

/// A session in a store, to be read and changed outside of its request: by WebSockets, event streams and
/// background jobs. [`Session::handle`] returns one.
///
/// It borrows nothing, and clones are handles of the same session, which they follow when its id is renewed.
/// It ends with the session, as [`Session::ended`] says: from then on reading and writing are errors of the
/// kind [`ErrorKind::Ended`].
///
/// ```
/// use carafe::{Error, Session};
///
/// async fn start_export(session: Session) -> Result<(), Error> {
///     let handle = session.handle()?;
///     tokio::spawn(async move {
///         // … after the work, long after the response:
///         handle.update_now("exports", |n: Option<u64>| n.unwrap_or(0) + 1).await
///     });
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct SessionHandle(Arc<Inner>);

struct Inner {
    engine: Arc<Engine>,
    backend: StoreBackend,
    /// The id with which the session came.
    id: SessionId,
    place: Arc<Place>,
    public_id: PublicId,
    /// Has the place follow the session.
    watched: Mutex<Option<oneshot::Receiver<()>>>,
}

/// Closes a session that no response will close.
struct Closing(Arc<Slot>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Session {
    /// Returns a handle with which the session can be read and changed after its request.
    ///
    /// It must be called in a tokio runtime. As long as there is a handle the session is watched, as
    /// [`ended`](Self::ended) watches it.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn greet_later(session: Session) -> Result<(), Error> {
    ///     let handle = session.handle()?;
    ///     let name: Option<String> = handle.read().await?.get("username")?;
    ///     # let _ = name;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NoStore`] if sessions are in cookies, or if this one has not been saved yet: call
    /// [`save`](Self::save) first where a session begins in the same request.
    pub fn handle(&self) -> Result<SessionHandle, Error> {
        let slot = self.slot();
        let Backend::Stored(backend) = &slot.engine.backend else { return Err(in_a_cookie()) };
        let state = slot.state();
        let Some(seat) = state.seat.clone() else { return Err(unsaved()) };
        drop(state);
        let place = Arc::new(Place::new(seat.session));
        let inner = Inner {
            engine: Arc::clone(&slot.engine),
            backend: backend.clone(),
            id: seat.id,
            place,
            public_id: seat.public_id,
            watched: Mutex::default(),
        };
        inner.keep_watching();
        Ok(SessionHandle(Arc::new(inner)))
    }
}

impl Inner {
    /// Watches the session, if nothing does so: what watched it may have ended with its runtime.
    fn keep_watching(&self) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let has_ended = |watched: &mut oneshot::Receiver<()>| {
            matches!(watched.try_recv(), Err(TryRecvError::Closed))
        };
        if watched.as_mut().is_none_or(has_ended) {
            *watched = self.engine.watch(&self.subject());
        }
    }

    fn subject(&self) -> Subject {
        Subject::Stored(Arc::clone(&self.place))
    }

    async fn open(&self) -> Result<Session, Error> {
        self.keep_watching();
        let slot = self.backend.reopen(&self.engine, &self.id, &self.place).await?;
        slot.map(Session::new).ok_or_else(ended)
    }
}

impl SessionHandle {
    /// Returns the session as it is in the store now, to read from. A change of it is an error of the kind
    /// [`ErrorKind::Closed`], since no response would save it.
    ///
    /// ```
    /// # use carafe::{Error, SessionHandle};
    /// # async fn example(handle: SessionHandle) -> Result<(), Error> {
    /// let session = handle.read().await?;
    /// let user = session.user();
    /// let theme: Option<String> = session.get("theme")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Ended`] if the session has ended, [`ErrorKind::Store`] if the store fails.
    pub async fn read(&self) -> Result<Session, Error> {
        let session = self.0.open().await?;
        session.slot().close();
        Ok(session)
    }

    /// Changes a value by a function of the newest one, saved at once: see [`Session::update_now`].
    ///
    /// ```
    /// # use carafe::{Error, SessionHandle};
    /// # async fn example(handle: SessionHandle) -> Result<(), Error> {
    /// let unread = handle.update_now("unread", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::update_now`].
    pub async fn update_now<T, F>(&self, key: impl AsText, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let session = self.0.open().await?;
        let _closing = Closing(Arc::clone(session.slot()));
        session.update_now(key, change).await
    }

    /// Removes a key and returns its value, saved at once: see [`Session::take_now`].
    ///
    /// ```
    /// # use carafe::{Error, SessionHandle};
    /// # async fn example(handle: SessionHandle) -> Result<(), Error> {
    /// let message: Option<String> = handle.take_now("message").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::take_now`].
    pub async fn take_now<T: DeserializeOwned>(
        &self,
        key: impl AsText,
    ) -> Result<Option<T>, Error> {
        let session = self.0.open().await?;
        let _closing = Closing(Arc::clone(session.slot()));
        session.take_now(key).await
    }

    /// Returns a future that resolves when the session has ended: see [`Session::ended`].
    ///
    /// ```
    /// # use carafe::SessionHandle;
    /// # async fn example(handle: SessionHandle) {
    /// handle.ended().await;
    /// assert!(handle.read().await.is_err());
    /// # }
    /// ```
    pub fn ended(&self) -> SessionEnded {
        SessionEnded::of(&self.0.engine, self.0.subject())
    }

    /// Returns the name of the session that may be shown: see [`Session::public_id`].
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
    /// let handle = session.handle()?;
    /// assert_eq!(Some(handle.public_id()), session.public_id());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn public_id(&self) -> PublicId {
        self.0.public_id
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle")
            .field("public_id", &self.0.public_id)
            .finish_non_exhaustive()
    }
}

fn in_a_cookie() -> Error {
    Error::new(
        ErrorKind::NoStore,
        "a session in a cookie can't be read or changed outside of its request, since only the browser \
         has it: use a layer with a store (`SessionLayer::stored`)",
    )
}

fn unsaved() -> Error {
    Error::new(
        ErrorKind::NoStore,
        "the session isn't in the store yet, so that there is nothing to have a handle of: call \
         `Session::save` first",
    )
}

fn ended() -> Error {
    Error::new(
        ErrorKind::Ended,
        "the session has ended: its handle can't read or change it any more",
    )
}
