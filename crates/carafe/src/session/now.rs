//! Operations that are saved at once, before the response begins.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use super::handle::{change_of, convert};
use super::login::check_key;
use crate::Error;
use crate::content::{Change, Operation, View};
use crate::value::{AsText, Value};

/// The value that an operation found or made when it was last applied.
type Found = Arc<Mutex<Option<Value>>>;

impl Session {
    /// Saves the changes made so far. With a store, other requests see them when this returns, even
    /// if this request is cancelled later.
    ///
    /// Call this before the response of a stream or a WebSocket begins. A session in a cookie is
    /// saved only with the response: for it, this method does nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// session.insert("job", "started")?;
    /// session.save().await?;
    /// // Another request finds it from here on.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Ended`](crate::ErrorKind::Ended) if the session was ended meanwhile,
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the layer is strict,
    /// [`ErrorKind::Store`](crate::ErrorKind::Store) if the store failed, and
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun. The changes are
    /// then dropped.
    pub async fn save(&self) -> Result<(), Error> {
        self.save_with(None).await
    }

    /// Changes a value as [`update`](Self::update) does, and saves it at once. The returned value
    /// is the saved one, and no other request is given the same: use it for counters whose value is
    /// displayed.
    ///
    /// A session in a cookie is saved only with the response: for it, this method does the same as
    /// `update`.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn ticket(session: Session) -> Result<String, Error> {
    ///     let number = session.update_now("tickets", |n: Option<u64>| n.unwrap_or(0) + 1).await?;
    ///     Ok(format!("Your ticket is no. {number}"))
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`update`](Self::update) and [`save`](Self::save).
    pub async fn update_now<T, F>(&self, key: impl AsText, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        self.try_update_now(key, move |old| Ok(change(old))).await
    }

    /// Changes a value as [`update_now`](Self::update_now) does, with a function that may fail. An
    /// error leaves the session unchanged.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// async fn pay(session: Session, price: u64) -> Result<u64, Error> {
    ///     let pay = move |balance: Option<u64>| match balance.unwrap_or(0).checked_sub(price) {
    ///         Some(rest) => Ok(rest),
    ///         None => Err(Error::from_application(std::io::Error::other("not enough"))),
    ///     };
    ///     session.try_update_now("balance", pay).await
    /// }
    /// ```
    ///
    /// # Errors
    /// The function's own error, and the errors of [`update_now`](Self::update_now).
    pub async fn try_update_now<T, F>(&self, key: impl AsText, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> Result<T, Error> + Send + Sync + 'static,
    {
        if !self.read(View::is_in_store) {
            return self.try_update(key, change);
        }
        let key = key.into_text();
        check_key(key.as_wtf8())?;
        let written = Found::default();
        let operation = {
            let written = Arc::clone(&written);
            let change = change_of(&key, self.mistyped(), change);
            let change: Change = Arc::new(move |old: Option<Value>| {
                let new = change(old)?;
                put(&written, Some(new.clone()));
                Ok(new)
            });
            Operation::Update { key: key.clone(), change }
        };
        self.save_with(Some(operation)).await?;
        convert(&key, take(&written).unwrap_or(Value::Null))
    }

    /// Removes a key, saves that at once, and returns the key's value. If several requests call
    /// this, only one gets the value: use it for tokens that are good for one use.
    ///
    /// A session in a cookie is saved only with the response: for it, this method does the same as
    /// [`take`](Self::take).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// session.insert("token", "s3cret")?;
    /// session.save().await?;
    /// let token: Option<String> = session.take_now("token").await?;
    /// assert_eq!(token.as_deref(), Some("s3cret"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`take`](Self::take) and [`save`](Self::save). A value of another type stays
    /// in the session.
    pub async fn take_now<T: DeserializeOwned>(
        &self,
        key: impl AsText,
    ) -> Result<Option<T>, Error> {
        if !self.read(View::is_in_store) {
            return self.take(key);
        }
        let key = key.into_text();
        check_key(key.as_wtf8())?;
        let found = Found::default();
        let take_out = {
            let (key, found) = (key.clone(), Arc::clone(&found));
            Arc::new(move |old: Option<Value>| {
                // A value of another type is an error before it is removed.
                if let Some(value) = &old {
                    convert::<T>(&key, value.clone())?;
                }
                put(&found, old);
                Ok(())
            })
        };
        self.save_with(Some(Operation::Take { key: key.clone(), look: take_out })).await?;
        take(&found).map(|value| convert(&key, value)).transpose()
    }

    pub(super) async fn save_with(&self, operation: Option<Operation>) -> Result<(), Error> {
        // An empty write, so that a closed session is an error even if nothing was changed.
        self.write(|_| Ok(()))?;
        self.slot().engine.save(Arc::clone(self.slot()), operation).await
    }
}

fn put(found: &Found, value: Option<Value>) {
    *found.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

fn take(found: &Found) -> Option<Value> {
    found.lock().unwrap_or_else(PoisonError::into_inner).take()
}
