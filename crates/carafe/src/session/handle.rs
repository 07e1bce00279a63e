use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Entry;
use super::login::check_key;
use crate::config::Mistyped;
use crate::content::{Change, LIFETIME, Operation, PERMANENT, Step, View, is_permanent, missing};
use crate::engine::{Slot, closed};
use crate::value::{AsText, Dict, Stored, Text, Value};
use crate::{Error, ErrorKind};

/// A visitor's session: named values that are kept from one request to the next.
///
/// Handlers get a session from an extractor. Reading and writing never wait; the layer saves the
/// changes when the handler is done. Clones are handles of the same session.
///
/// ```
/// use carafe::{Error, Session};
///
/// async fn visit(session: Session) -> Result<String, Error> {
///     let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
///     session.insert("last_page", "/")?;
///     let name: Option<String> = session.get("username")?;
///     Ok(format!("{}, this is your visit no. {visits}", name.as_deref().unwrap_or("Stranger")))
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    slot: Arc<Slot>,
}

impl Session {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot }
    }

    /// Returns the value of a key as anything that serde deserialises; `None` if the key is missing.
    ///
    /// Types are converted where Python converts them silently: an `int` is read as a float, a
    /// tuple as a list. A `bool` is not read as an integer, and bytes are not read as text.
    /// [`Value::deserialize_into`] lists all conversions.
    ///
    /// ```
    /// # use carafe::value::Uuid;
    /// # use carafe::{Error, Session};
    /// #[derive(serde::Deserialize)]
    /// struct Item {
    ///     name: String,
    ///     count: u32,
    /// }
    ///
    /// # fn example(session: Session) -> Result<(), Error> {
    /// let name: Option<String> = session.get("username")?;
    /// let cart = session.get::<Vec<Item>>("cart")?.unwrap_or_default();
    /// let id: Option<Uuid> = session.get("id")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] if the value is of another type: the error names the key and both types.
    pub fn get<T: DeserializeOwned>(&self, key: impl AsText) -> Result<Option<T>, Error> {
        // The conversion runs the type's own code, so it happens outside the session's lock.
        let stored = self.read_mut(|view| {
            view.note_read(key.as_wtf8());
            view.stored(key.as_wtf8()).map(Stored::into_owned)
        });
        self.mistyped().allow(stored.map(|stored| convert(&key, stored)).transpose())
    }

    /// Returns the value of a key, of any type and with all nested values; `None` if the key is
    /// missing.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use carafe::value::Value;
    ///
    /// session.insert("visits", 3)?;
    /// assert_eq!(session.value("visits"), Some(Value::from(3)));
    /// assert_eq!(session.value("cart"), None);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn value(&self, key: impl AsText) -> Option<Value> {
        self.read_mut(|view| {
            view.note_read(key.as_wtf8());
            view.get(key.as_wtf8()).map(Cow::into_owned)
        })
    }

    /// Sets the value of a key to anything that serde serialises: Python's `session[key] = value`.
    ///
    /// Vectors and sets become lists, tuples and arrays become tuples, structs and maps become
    /// dictionaries. Types that serde lacks keep their own form: [`Uuid`](crate::value::Uuid),
    /// [`DateTime`](crate::value::DateTime), [`Markup`](crate::value::Markup), [`Value`].
    /// [`Value::from_serialize`] lists all conversions.
    ///
    /// ```
    /// # use carafe::value::DateTime;
    /// # use carafe::{Error, Session};
    /// #[derive(serde::Serialize)]
    /// struct Item {
    ///     name: String,
    ///     count: u32,
    /// }
    ///
    /// # fn example(session: Session) -> Result<(), Error> {
    /// session.insert("username", "admin")?;
    /// session.insert("cart", vec![Item { name: "pear".to_owned(), count: 2 }])?;
    /// session.insert("seen", DateTime::now())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Value`] if the value can't be represented in a session, and
    /// [`ErrorKind::Closed`] if the response has begun, since the change could not be saved.
    pub fn insert(&self, key: impl AsText, value: impl Serialize) -> Result<(), Error> {
        let (key, value) = (key.into_text(), Value::from_serialize(&value)?);
        check_key(key.as_wtf8())?;
        self.write(|view| {
            let seen = view.seen(key.as_wtf8());
            view.perform(Operation::Insert { key, value, seen })
        })
    }

    /// Sets a value within a value: Python's `session["cart"]["book"] = 3`.
    ///
    /// Unlike Flask, the session notices a change within a value. Only the last step of the path
    /// may name a missing key.
    ///
    /// ```
    /// # use carafe::value::Step;
    /// # use carafe::{Error, Session};
    /// # fn example(session: Session) -> Result<(), Error> {
    /// session.insert_at(["cart", "book"], 3)?;
    /// session.insert_at([Step::from("scores"), Step::from(0)], 10)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::KeyMissing`] if a step on the way is missing, [`ErrorKind::Type`] if one leads
    /// into something that is neither a dict nor a list, [`ErrorKind::Value`] and
    /// [`ErrorKind::Closed`] as for [`insert`](Self::insert).
    pub fn insert_at<S: Into<Step>>(
        &self,
        path: impl IntoIterator<Item = S>,
        value: impl Serialize,
    ) -> Result<(), Error> {
        let mut steps = path.into_iter().map(Into::into);
        let Some(Step::Key(key)) = steps.next() else {
            return Err(missing());
        };
        let path: Vec<Step> = steps.collect();
        let value = Value::from_serialize(&value)?;
        if path.is_empty() {
            return self.insert(key, value);
        }
        check_key(key.as_wtf8())?;
        self.perform(Operation::InsertAt { key, path, value })
    }

    /// Returns whether the session has a key: Python's `key in session`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("username", "ada")?;
    /// assert!(session.contains("username"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn contains(&self, key: impl AsText) -> bool {
        self.read_mut(|view| {
            view.note_read(key.as_wtf8());
            view.contains(key.as_wtf8())
        })
    }

    /// Removes a key and returns its value: Python's `session.pop(key, None)`. Removing a missing
    /// key leaves the session unchanged.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("username", "ada")?;
    /// assert_eq!(session.remove("username")?, Some("ada".into()));
    /// assert_eq!(session.remove("username")?, None);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun.
    pub fn remove(&self, key: impl AsText) -> Result<Option<Value>, Error> {
        self.write(|view| {
            check_key(key.as_wtf8())?;
            let Some(old) = view.get(key.as_wtf8()).map(Cow::into_owned) else { return Ok(None) };
            view.remove_seen(key.as_wtf8())?;
            Ok(Some(old))
        })
    }

    /// Removes a key and returns its value as a `T`. If the value is of another type, it stays.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("step", 2)?;
    /// let step: Option<u32> = session.take("step")?;
    /// assert_eq!(step, Some(2));
    /// assert!(!session.contains("step"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] as for [`get`](Self::get), [`ErrorKind::Closed`] if the response has
    /// begun.
    pub fn take<T: DeserializeOwned>(&self, key: impl AsText) -> Result<Option<T>, Error> {
        let taken = self.write(|view| {
            check_key(key.as_wtf8())?;
            let Some(value) = view.get(key.as_wtf8()) else {
                return Ok(None);
            };
            let value = convert(&key, value.into_owned())?;
            view.remove_seen(key.as_wtf8())?;
            Ok(Some(value))
        });
        self.mistyped().allow(taken)
    }

    /// Sets several keys: Python's `session.update(…)`. As in Flask, the session counts as changed
    /// even if there are none.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.extend([("first_name", "Ada"), ("last_name", "Lovelace")])?;
    /// assert_eq!(session.len(), 2);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`insert`](Self::insert). After an error, no key is set.
    pub fn extend<K: AsText, V: Serialize>(
        &self,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), Error> {
        let entry = |(key, value): (K, V)| {
            check_key(key.as_wtf8())?;
            Ok((key.into_text(), Value::from_serialize(&value)?))
        };
        let entries = entries.into_iter().map(entry).collect::<Result<Vec<_>, Error>>()?;
        self.write(|view| {
            view.perform(Operation::Touch)?;
            for (key, value) in entries {
                let seen = view.seen(key.as_wtf8());
                view.perform(Operation::Insert { key, value, seen })?;
            }
            Ok(())
        })
    }

    /// Returns the entry of a key, which may be missing: see [`Entry::or_insert`].
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.entry("language").or_insert("en")?;
    /// session.entry("language").or_insert("de")?;
    /// assert_eq!(session.get::<String>("language")?.as_deref(), Some("en"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn entry(&self, key: impl AsText) -> Entry<'_> {
        Entry { session: self, key: key.into_text() }
    }

    /// Changes a value with a function of the old value, and returns the new value.
    ///
    /// With a server-side store, `change` may run again when the session is saved, on a value that
    /// another request has written in the meantime. No update is lost this way, and `change` must
    /// have no side effects.
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// # fn example(session: Session) -> Result<(), Error> {
    /// let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`] if the value isn't a `T`, [`ErrorKind::Value`] if the new one can't be
    /// represented in a session, [`ErrorKind::Closed`] if the response has begun.
    pub fn update<T, F>(&self, key: impl AsText, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let key = key.into_text();
        check_key(key.as_wtf8())?;
        let change = change_of(&key, self.mistyped(), move |old| Ok(change(old)));
        self.change(&key, &change)
    }

    /// Changes a value with a function that may run again, and returns the new value. A value that
    /// could not be read back is an error, and the session stays unchanged.
    pub(super) fn change<T>(&self, key: &Text, change: &Change) -> Result<T, Error>
    where
        T: DeserializeOwned,
    {
        loop {
            // `change` runs outside the lock, so that it may use the session itself.
            let (old, version) = self
                .write(|view| Ok((view.get(key.as_wtf8()).map(Cow::into_owned), view.version())))?;
            let new = change(old)?;
            let result = convert(key, new.clone())?;
            let unchanged_since = self.write(|view| {
                let unchanged = view.version() == version;
                if unchanged {
                    view.update(key.clone(), new, change);
                }
                Ok(unchanged)
            })?;
            if unchanged_since {
                return Ok(result);
            }
        }
    }

    /// Removes every key.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("username", "ada")?;
    /// session.clear()?;
    /// assert!(session.is_empty());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun.
    pub fn clear(&self) -> Result<(), Error> {
        self.perform(Operation::Clear)
    }

    /// Returns the keys in code point order.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// use carafe::value::Text;
    ///
    /// session.extend([("b", 2), ("a", 1)])?;
    /// assert_eq!(session.keys(), [Text::from("a"), Text::from("b")]);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<Text> {
        self.read_all(View::keys)
    }

    /// Returns the keys and values, in code point order of the keys.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.extend([("b", 2), ("a", 1)])?;
    /// for (key, value) in session.iter() {
    ///     println!("{key:?}: {value:?}");
    /// }
    /// # assert_eq!(session.iter().count(), 2);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (Text, Value)> + use<> {
        self.to_dict().into_iter()
    }

    /// Returns all keys and values of the session as a dictionary.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.insert("visits", 3)?;
    /// let dict = session.to_dict();
    /// assert_eq!(dict.get("visits"), Some(&3.into()));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn to_dict(&self) -> Dict {
        self.read_all(View::to_dict)
    }

    /// Returns the number of keys.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.extend([("b", 2), ("a", 1)])?;
    /// assert_eq!(session.len(), 2);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.read_all(View::len)
    }

    /// Returns whether the session has no keys.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// assert!(session.is_empty());
    /// session.insert("visits", 1)?;
    /// assert!(!session.is_empty());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read_all(View::is_empty)
    }

    /// Returns whether the session outlives the browser: Flask's `session.permanent`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// assert!(!session.is_permanent());
    /// session.set_permanent(true)?;
    /// assert!(session.is_permanent());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        let default = self.slot().engine.config().permanent;
        self.read(|view| is_permanent(view, default))
    }

    /// Sets whether the session outlives the browser, for the configured lifetime: Flask's
    /// `session.permanent = True`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.login("42")?;
    /// session.set_permanent(true)?;
    /// assert!(session.is_permanent());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun.
    pub fn set_permanent(&self, permanent: bool) -> Result<(), Error> {
        self.insert(PERMANENT, permanent)
    }

    /// Makes the session permanent with its own lifetime: it ends that long after its last use, in
    /// whole seconds. Call this after [`login`](Self::login), which begins the session anew.
    ///
    /// A typical use is a "keep me logged in" box. The lifetime is at most
    /// [`Config::lifetime`](crate::Config::lifetime) and
    /// [`absolute_timeout`](crate::Config::absolute_timeout). For a session in a store it replaces
    /// [`idle_timeout`](crate::Config::idle_timeout).
    ///
    /// ```
    /// # use carafe::{Error, Session};
    /// use std::time::Duration;
    ///
    /// async fn login(session: Session, remember_me: bool) -> Result<(), Error> {
    ///     // … after the password was checked:
    ///     session.login("42")?;
    ///     if remember_me {
    ///         session.set_lifetime(Duration::from_secs(30 * 86_400))?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun.
    pub fn set_lifetime(&self, lifetime: Duration) -> Result<(), Error> {
        let seconds = i64::try_from(lifetime.as_secs().max(1)).unwrap_or(i64::MAX);
        let (key, value) = (Text::from(LIFETIME), Value::from(seconds));
        self.set_permanent(true)?;
        self.write(|view| view.perform(Operation::Insert { key, value, seen: None }))
    }

    /// Returns whether this request changed the session: Flask's `session.modified`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// assert!(!session.is_modified());
    /// session.insert("visits", 1)?;
    /// assert!(session.is_modified());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.read(View::modified)
    }

    /// Marks the session as changed, so that it is saved and signed anew: Flask's `session.modified
    /// = True`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.mark_modified()?;
    /// assert!(session.is_modified());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun.
    pub fn mark_modified(&self) -> Result<(), Error> {
        self.perform(Operation::Touch)
    }

    /// Returns the slot that all handles of this session share.
    pub(crate) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// Runs `f` on this request's view.
    pub(crate) fn read<R>(&self, f: impl FnOnce(&View) -> R) -> R {
        self.read_mut(|view| f(view))
    }

    /// Runs `f` on this request's view, and counts as a read of every key.
    pub(super) fn read_all<R>(&self, f: impl FnOnce(&View) -> R) -> R {
        self.read_mut(|view| {
            view.note_read_all();
            f(view)
        })
    }

    /// Returns the layer's policy for values of an unexpected type.
    pub(super) fn mistyped(&self) -> Mistyped {
        self.slot.engine.config().mistyped
    }

    /// Performs one operation; an error if the session is closed.
    pub(crate) fn perform(&self, operation: Operation) -> Result<(), Error> {
        self.write(|view| view.perform(operation))
    }

    /// Returns an error if the session is closed, since a change could not be saved.
    pub(super) fn check_open(&self) -> Result<(), Error> {
        self.write(|_| Ok(()))
    }

    /// Runs `f` on this request's view to cache something, which does not count as a change.
    pub(super) fn read_mut<R>(&self, f: impl FnOnce(&mut View) -> R) -> R {
        // A handle exists only once the session is open.
        f(self.slot.state().view.get_or_insert_default())
    }

    /// Runs `f`, which changes this request's view; an error if the session is closed.
    pub(super) fn write<R>(
        &self,
        f: impl FnOnce(&mut View) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut state = self.slot.state();
        if state.closed {
            return Err(closed());
        }
        f(state.view.get_or_insert_default())
    }
}

/// Converts a value to a `T`, or returns an error that names the key.
pub(crate) fn convert<T: DeserializeOwned>(
    key: &impl AsText,
    value: impl Into<Stored<'static>>,
) -> Result<T, Error> {
    value.into().deserialize().map_err(|error| {
        let key = key.into_text().to_string();
        Error::new(ErrorKind::from(error.kind()), format!("the session's key {key:?}: {error}"))
    })
}

/// Turns a function on typed values into a change of a key's stored value.
pub(super) fn change_of<T, F>(key: &Text, mistyped: Mistyped, change: F) -> Change
where
    T: Serialize + DeserializeOwned,
    F: Fn(Option<T>) -> Result<T, Error> + Send + Sync + 'static,
{
    let key = key.clone();
    Arc::new(move |old: Option<Value>| {
        let old = mistyped.allow(old.map(|value| convert(&key, value)).transpose())?;
        Ok(Value::from_serialize(&change(old)?)?)
    })
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and values are private to the visitor.
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
