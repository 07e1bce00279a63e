use serde::Serialize;

use super::Session;
use crate::Error;
use crate::content::Operation;
use crate::value::{Text, Value};

/// The entry of a key that may be missing: see [`Session::entry`].
#[derive(Debug)]
pub struct Entry<'a> {
    pub(super) session: &'a Session,
    pub(super) key: Text,
}

impl Entry<'_> {
    /// Returns the value of the key, after inserting `default` if the key is missing: Python's
    /// `setdefault`. Only an insertion changes the session.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// # fn example(session: Session) -> Result<(), Error> {
    /// let language: String = session.entry("language").or_insert("en")?.deserialize_into()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Value`](crate::ErrorKind::Value) if the key is missing and the default can't be
    /// represented in a session, and [`ErrorKind::Closed`](crate::ErrorKind::Closed) if it is missing
    /// and the response has begun.
    pub fn or_insert(self, default: impl Serialize) -> Result<Value, Error> {
        self.or_insert_with(|| default)
    }

    /// Returns the value of the key, after inserting the result of `default` if the key is missing.
    /// `default` is called only if it is needed.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use carafe::value::DateTime;
    ///
    /// session.entry("first_visit").or_insert_with(DateTime::now)?;
    /// assert!(session.contains("first_visit"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`or_insert`](Self::or_insert).
    pub fn or_insert_with<T: Serialize>(self, default: impl FnOnce() -> T) -> Result<Value, Error> {
        if let Some(value) = self.session.value(&self.key) {
            return Ok(value);
        }
        super::login::check_key(self.key.as_wtf8())?;
        let default = Value::from_serialize(&default())?;
        self.session.write(|view| {
            // Another handle of this session may have inserted the key in the meantime.
            if let Some(value) = view.get(self.key.as_wtf8()) {
                return Ok(value.into_owned());
            }
            let value = default.clone();
            view.perform(Operation::OrInsert { key: self.key, value })?;
            Ok(default)
        })
    }
}
