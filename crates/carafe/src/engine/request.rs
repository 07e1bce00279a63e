//! Sessions for code without a framework's layer around it: see the documentation of the module.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use super::{Backend, Commit, Engine, Outcome, SharedKeys, Slot, UserSessions};
use crate::flask_login::Logins;
use crate::store::{RevocationStore, SessionStore};
use crate::{Clock, Config, Error, ErrorKind};

/// The sessions of a service: their keys, their settings and their place.
///
/// Create one at start; each request begins with [`request`](Self::request). Clones share the keys,
/// the store and the session locks.
///
/// ```
/// use carafe::engine::Sessions;
/// use carafe::store::MemoryStore;
/// use carafe::{Config, SecretKey};
///
/// let in_cookies = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
/// let in_a_store = Sessions::new(SecretKey::random()?, Config::hardened())?
///     .in_store(MemoryStore::new());
/// # Ok::<(), carafe::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sessions {
    engine: Arc<Engine>,
}

impl Sessions {
    /// Creates sessions in signed or sealed cookies, with the given settings.
    ///
    /// ```
    /// use carafe::engine::Sessions;
    /// use carafe::{Config, SecretKey};
    ///
    /// let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// assert!(sessions.users().is_none());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`] if a setting isn't allowed, and [`ErrorKind::WeakKey`] if a key is
    /// too weak for the settings.
    pub fn new(keys: impl Into<SharedKeys>, config: Config) -> Result<Self, Error> {
        Ok(Self { engine: Arc::new(Engine::new(&keys.into(), config)?) })
    }

    /// Keeps the sessions in a store; the cookie then carries a signed id.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::store::MemoryStore;
    /// # use carafe::{Config, SecretKey};
    /// let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// let sessions = sessions.in_store(MemoryStore::new());
    /// assert!(sessions.users().is_some());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn in_store(self, store: impl SessionStore) -> Self {
        Self { engine: Arc::new(Arc::unwrap_or_clone(self.engine).in_store(store)) }
    }

    /// Keeps revocation marks of ended sessions in cookies, and asks the store about them.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::store::MemoryStore;
    /// # use carafe::{Config, SecretKey};
    /// let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// let sessions = sessions.with_revocations(MemoryStore::new());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn with_revocations(self, store: impl RevocationStore) -> Self {
        Self { engine: Arc::new(Arc::unwrap_or_clone(self.engine).with_revocations(store)) }
    }

    /// Replaces the system's clock.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::{Clock, Config, SecretKey};
    /// let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?
    ///     .with_clock(Clock::fixed(1_700_000_000));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { engine: Arc::new(Arc::unwrap_or_clone(self.engine).with_clock(clock)) }
    }

    /// Returns the keys, for signing other bytes and for replacing the keys while requests run.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::{Config, SecretKey};
    /// use carafe::signing::{Signer, SigningOptions};
    ///
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// let options = SigningOptions::itsdangerous("downloads");
    /// let signer = Signer::new(&sessions.keys().ring(), &options);
    /// let signed = signer.sign_bytes(b"report \xff");
    /// assert_eq!(signer.unsign(&signed)?, b"report \xff");
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn keys(&self) -> SharedKeys {
        self.engine.keys().clone()
    }

    /// Returns the sessions of all users, to list and end them; `None` if sessions are in cookies.
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
    /// let users = sessions.users().unwrap();
    /// assert_eq!(users.list("42").await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn users(&self) -> Option<UserSessions> {
        self.engine.user_sessions()
    }

    /// Begins a request with the values of its `Cookie` header lines, in their order.
    ///
    /// The lines are parsed when the session is opened, by [`Session::open`](crate::Session::open)
    /// or [`Session::open_now`](crate::Session::open_now). A line that is not a valid header value
    /// is ignored.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::{Config, SecretKey, Session};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// let request = sessions.request(["theme=dark; session=eyJuIjoxfQ.forged"]);
    /// assert!(Session::open_now(&request)?.is_empty());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn request(&self, cookies: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Request {
        let lines = cookies.into_iter();
        let lines = lines.filter_map(|line| HeaderValue::from_bytes(line.as_ref()).ok());
        let client = |_: &Logins| None;
        let cookies = lines.collect();
        Request { slot: Slot::with_cookies(&self.engine, cookies, false, || None, client) }
    }
}

/// One request's session, from its `Cookie` lines to the header lines of its response.
///
/// Dropping it without a commit saves nothing, and closes the session: a later write is an error.
#[derive(Debug)]
#[must_use = "nothing is saved without a commit"]
pub struct Request {
    slot: Arc<Slot>,
}

impl Request {
    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Opens the session without waiting.
    pub(crate) fn open_now(&self) -> Result<(), Error> {
        self.check_cookie("Session::open")?;
        self.slot.engine.open_unstored(&self.slot)
    }

    /// Sets whether the response depends on the session: Flask's `session.accessed`.
    ///
    /// Opening the session turns it on. It decides on `Vary: Cookie`; a response that sets a cookie
    /// has that header in any case.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::{Config, SecretKey, Session};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// let request = sessions.request(["session=none"]);
    /// Session::open_now(&request)?;
    /// request.set_accessed(false);
    /// assert_eq!(request.commit_now()?.lines().count(), 0);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn set_accessed(&self, accessed: bool) {
        self.slot.state().accessed = accessed;
    }

    /// Closes the session, saves the changes and returns the header lines to send.
    ///
    /// Dropping the future after its first poll does not cancel the commit: it moves to a
    /// background task. With a store that waits, this needs a tokio runtime.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::engine::Sessions;
    /// # use carafe::store::MemoryStore;
    /// # use carafe::{Config, SecretKey, Session};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?
    /// #     .in_store(MemoryStore::new());
    /// let request = sessions.request([] as [&str; 0]);
    /// Session::open(&request).await?.insert("n", 1)?;
    /// let committed = request.commit().await?;
    /// assert!(committed.lines().any(|(name, _)| name == "set-cookie"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Session::save`](crate::Session::save), [`ErrorKind::CookieTooLarge`] and
    /// [`ErrorKind::SessionTooLarge`]. The response to the error depends on the session too: send it with
    /// `Vary: Cookie`.
    pub async fn commit(self) -> Result<Committed, Error> {
        let outcome = self.slot.engine.commit(&self.slot).done().await?;
        Ok(Committed::new(&self.slot.engine, outcome))
    }

    /// Closes the session and saves the changes without waiting, for sessions in cookies.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("visits", 1)?;
    /// let committed = request.commit_now()?;
    /// assert!(committed.lines().any(|(name, _)| name == "set-cookie"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`commit`](Self::commit), and [`ErrorKind::Setting`] if the session is in a
    /// store, which takes waiting.
    pub fn commit_now(self) -> Result<Committed, Error> {
        self.check_cookie("Request::commit")?;
        match self.slot.engine.commit(&self.slot) {
            Commit::Done(outcome) => Ok(Committed::new(&self.slot.engine, outcome?)),
            Commit::Waiting(_) => Err(has_store("Request::commit")),
        }
    }

    fn check_cookie(&self, instead: &str) -> Result<(), Error> {
        match self.slot.engine.backend {
            Backend::Cookie => Ok(()),
            Backend::Revocable(_) | Backend::Stored(_) => Err(has_store(instead)),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.slot.close();
    }
}

#[cold]
fn has_store(instead: &str) -> Error {
    Error::new(
        ErrorKind::Setting,
        format!("these sessions have a store, which may have to be waited for: use `{instead}`"),
    )
}

/// The result of a commit, with the header lines that inform the client.
#[derive(Debug)]
#[must_use = "the response has to carry these header lines"]
pub struct Committed {
    headers: HeaderMap,
    error: Option<Error>,
}

impl Committed {
    fn new(engine: &Engine, mut outcome: Outcome) -> Self {
        let (error, mut headers) = (outcome.error.take(), HeaderMap::new());
        engine.write_headers(outcome, &mut headers);
        Self { headers, error }
    }

    /// Returns the header lines to add to the response, with lower-case names: `set-cookie`, `vary`
    /// and `cache-control`, or none.
    ///
    /// A `Vary` header of the response's own stays beside this one; a `Cache-Control` header of its
    /// own has to be replaced.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::{Config, SecretKey, Session};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// let request = sessions.request([] as [&str; 0]);
    /// Session::open_now(&request)?.insert("n", 1)?;
    /// let committed = request.commit_now()?;
    /// for (name, value) in committed.lines() {
    ///     println!("{name}: {}", String::from_utf8_lossy(value));
    /// }
    /// # assert_eq!(committed.lines().map(|(name, _)| name).collect::<Vec<_>>(), ["vary", "set-cookie"]);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    /// Returns the reason why a part of the changes was not saved, for the response to report. The
    /// header lines have to be sent even then, since an earlier
    /// [`Session::save`](crate::Session::save) may have changed the session's id.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("visits", 1)?;
    /// let committed = request.commit_now()?;
    /// assert!(committed.error().is_none());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}
