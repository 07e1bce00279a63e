//! Sessions for code that is built on [`carafe::engine`](crate::engine).

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::handle::change_of;
use super::login::check_key;
use super::{LazySession, Session};
use crate::Error;
use crate::content::{Operation, View};
use crate::engine::Request;
use crate::value::json::Payload;
use crate::value::{AsText, Value};

impl Session {
    /// Opens the session of a request that was begun with
    /// [`Sessions::request`](crate::engine::Sessions::request).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// use carafe::engine::Sessions;
    /// use carafe::store::MemoryStore;
    /// use carafe::{Config, SecretKey, Session};
    ///
    /// let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// let request = sessions.in_store(MemoryStore::new()).request([] as [&str; 0]);
    /// let session = Session::open(&request).await?;
    /// assert!(session.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) if the store can't answer. A cookie that can't be
    /// accepted gives an empty session.
    pub async fn open(request: &Request) -> Result<Self, Error> {
        LazySession::new(Arc::clone(request.slot())).open().await
    }

    /// Opens the session of a request without waiting, for sessions in cookies.
    ///
    /// ```
    /// use carafe::engine::Sessions;
    /// use carafe::{Config, SecretKey, Session};
    ///
    /// let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// let request = sessions.request([] as [&str; 0]);
    /// assert!(Session::open_now(&request)?.is_empty());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Setting`](crate::ErrorKind::Setting) if the session is in a store, which takes
    /// waiting.
    pub fn open_now(request: &Request) -> Result<Self, Error> {
        request.open_now()?;
        Ok(Self::new(Arc::clone(request.slot())))
    }

    /// Returns the whole session as Flask's tagged JSON, as a cookie would carry it.
    ///
    /// Values that the request left untouched are copied without being parsed into a [`Value`].
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// let session = Session::open_now(&request)?;
    /// session.insert("n", 1)?;
    /// assert_eq!(session.to_tagged_json()?, br#"{"n":1}"#);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Value`](crate::ErrorKind::Value) if a value can't be written.
    pub fn to_tagged_json(&self) -> Result<Vec<u8>, Error> {
        self.read_all(View::to_json)
    }

    /// Replaces the whole session by Flask's tagged JSON. Keys that begin with `_carafe_`, which
    /// hold the login, stay as they are.
    ///
    /// With a store, this overwrites changes that another request has made in the meantime. To keep
    /// them, change single keys.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// let session = Session::open_now(&request)?;
    /// session.replace_tagged_json(br#"{"user": {" t": [1, "ada"]}}"#)?;
    /// assert_eq!(session.to_tagged_json()?, br#"{"user":{" t":[1,"ada"]}}"#);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::BadPayload`](crate::ErrorKind::BadPayload) if the text is not an object of
    /// tagged JSON, and
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun.
    pub fn replace_tagged_json(&self, json: &[u8]) -> Result<(), Error> {
        let mut room = Vec::with_capacity(json.len() + Payload::ROOM);
        room.extend_from_slice(json);
        self.perform(Operation::Replace(Box::new(Payload::parse(room)?)))
    }

    /// Sets a key as [`insert`](Self::insert) does, and tells the session which value is replaced:
    /// `seen` is the value that the caller has read, or `None` if the key was missing.
    ///
    /// If the layer is [strict](crate::Config::strict) and another request has changed the key
    /// since, the commit is refused.
    ///
    /// ```
    /// # use carafe::engine::Sessions;
    /// # use carafe::value::Value;
    /// # use carafe::{Config, SecretKey, Session};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// let session = Session::open_now(&request)?;
    /// session.insert_over("n", None, 1)?;
    /// session.insert_over("n", Some(Value::from(1)), 2)?;
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`insert`](Self::insert).
    pub fn insert_over(
        &self,
        key: impl AsText,
        seen: Option<Value>,
        value: impl Serialize,
    ) -> Result<(), Error> {
        let (key, value) = (key.into_text(), Value::from_serialize(&value)?);
        check_key(key.as_wtf8())?;
        self.perform(Operation::Insert { key, value, seen: Some(seen) })
    }

    /// Changes a value as [`update`](Self::update) does, with a function that may fail. An error
    /// leaves the session unchanged.
    ///
    /// With a store the function may run again when the session is saved, on a value that another
    /// request has written in the meantime. If it fails then, the commit fails with its error.
    ///
    /// ```
    /// # use carafe::{Config, Error, ErrorKind, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// let session = Session::open_now(&request)?;
    /// session.insert("balance", 3)?;
    /// let pay = |balance: Option<i64>| match balance.unwrap_or(0) - 5 {
    ///     rest @ 0.. => Ok(rest),
    ///     _ => Err(Error::from_application(std::io::Error::other("not enough"))),
    /// };
    /// assert_eq!(session.try_update("balance", pay).unwrap_err().kind(), ErrorKind::Application);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The function's own error, and the errors of [`update`](Self::update).
    pub fn try_update<T, F>(&self, key: impl AsText, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> Result<T, Error> + Send + Sync + 'static,
    {
        let key = key.into_text();
        check_key(key.as_wtf8())?;
        let change = change_of(&key, self.mistyped(), change);
        self.change(&key, &change)
    }
}
