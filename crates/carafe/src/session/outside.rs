//! A handle of a session that outlives its request.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::{Session, SessionEnded};
use crate::engine::{Backend, CurrentId, Engine, Slot, StoreBackend, Subject};
use crate::id::{PublicId, SessionId};
use crate::value::AsText;
use crate::{Error, ErrorKind};

/// A handle of a session in a store, for reading and changing it outside of its request: in
/// WebSockets, event streams and background jobs. [`Session::handle`] returns one.
///
/// The handle borrows nothing. Clones are handles of the same session, and follow it when its id is
/// renewed. When the session ends, as [`Session::ended`] defines it, reading and writing become
/// errors of the kind [`ErrorKind::Ended`].
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
    /// The id with which the request came.
    id: SessionId,
    current: Arc<CurrentId>,
    public_id: PublicId,
    /// The watch that keeps `current` up to date through renewals.
    watched: Mutex<Option<oneshot::Receiver<()>>>,
}

/// Closes its slot when it is dropped, since no response will close it.
struct Closing(Arc<Slot>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Session {
    /// Returns a handle with which the session can be read and changed after its request.
    ///
    /// Call this in a tokio runtime. While a handle exists, the session is watched as for
    /// [`ended`](Self::ended).
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
    /// [`ErrorKind::NoStore`] if sessions are in cookies, or if this session has not been saved
    /// yet: where a session begins in the same request, call [`save`](Self::save) first.
    pub fn handle(&self) -> Result<SessionHandle, Error> {
        let slot = self.slot();
        let Backend::Stored(backend) = &slot.engine.backend else { return Err(in_a_cookie()) };
        let state = slot.state();
        let Some(seat) = state.seat.clone() else { return Err(unsaved()) };
        drop(state);
        let current = Arc::new(CurrentId::new(seat.session));
        let inner = Inner {
            engine: Arc::clone(&slot.engine),
            backend: backend.clone(),
            id: seat.id,
            current,
            public_id: seat.public_id,
            watched: Mutex::default(),
        };
        inner.keep_watching();
        Ok(SessionHandle(Arc::new(inner)))
    }
}

impl Inner {
    /// Watches the session again if its watch has ended, for instance together with its runtime.
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
        Subject::Stored(Arc::clone(&self.current))
    }

    async fn open(&self) -> Result<Session, Error> {
        self.keep_watching();
        let slot = self.backend.reopen(&self.engine, &self.id, &self.current).await?;
        slot.map(Session::new).ok_or_else(ended)
    }
}

impl SessionHandle {
    /// Loads the session from the store and returns it for reading. A change of the returned
    /// session is an error of the kind [`ErrorKind::Closed`], since no response would save it.
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

    /// Changes a value with a function of the newest value, and saves it at once: see
    /// [`Session::update_now`].
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
    /// The errors of [`Session::update_now`].
    pub async fn update_now<T, F>(&self, key: impl AsText, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let session = self.0.open().await?;
        let _closing = Closing(Arc::clone(session.slot()));
        session.update_now(key, change).await
    }

    /// Removes a key, saves that at once, and returns the key's value: see [`Session::take_now`].
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
    /// The errors of [`Session::take_now`].
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

    /// Returns the session's public id, which may be shown: see [`Session::public_id`].
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
        "the session isn't in the store yet, so that it can't have a handle: call `Session::save` first",
    )
}

fn ended() -> Error {
    Error::new(
        ErrorKind::Ended,
        "the session has ended: its handle can't read or change it any more",
    )
}
