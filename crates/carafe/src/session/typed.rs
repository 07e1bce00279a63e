//! A session whose keys are the fields of a struct.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use super::fields::{Changes, Editing, read};
use crate::Error;
use crate::content::{Operation, View, ViewChange};
use crate::value::{Text, Value};

/// A session whose keys are the fields of a struct, so that the compiler checks names and types.
///
/// Handlers get a typed session from an extractor, or from [`Session::typed`]. Fields are read
/// through `Deref`, as on the struct itself. They are changed by [`edit`](Self::edit) and
/// [`update`](Self::update), which record the changes: assigning to a field of the handle doesn't
/// compile.
///
/// ```
/// use carafe::{Error, Typed};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Default)]
/// struct Visitor {
///     username: Option<String>,
///     visits: u64,
/// }
///
/// async fn index(mut visitor: Typed<Visitor>) -> Result<String, Error> {
///     visitor.update(|visitor| visitor.visits += 1)?;
///     let name = visitor.username.as_deref().unwrap_or("stranger");
///     Ok(format!("Welcome, {name}! This is your visit no. {}", visitor.visits))
/// }
///
/// async fn login(mut visitor: Typed<Visitor>) -> Result<(), Error> {
///     visitor.edit(|visitor| visitor.username = Some("admin".to_owned()))
/// }
/// ```
///
/// ```compile_fail,E0594
/// # #[derive(serde::Serialize, serde::Deserialize, Default)]
/// # struct Visitor { visits: u64 }
/// fn lost(mut visitor: carafe::Typed<Visitor>) {
///     visitor.visits += 1; // error: cannot assign to data in dereference of `Typed<Visitor>`
/// }
/// ```
///
/// - Each field is a key of the session, so that a Flask service reads `session["visits"]`. serde's
///   `rename` gives a field another key. Keys that the struct doesn't name are left alone. - A
///   missing field has the value that `T::default()` gives it. A field set to `None` is removed, if
///   `None` is its default. - Changed fields are saved one by one: requests that change different
///   fields at the same time lose nothing. The first change also saves the defaults of all missing
///   fields, so that a default which differs each time, such as a time or a random number, is fixed
///   from then on. A default of `None` is not saved. - A change that could not be read back is an
///   error. That is the case if serde skips a field whose default would come back, or writes a
///   field that it doesn't read. - With serde's `flatten`, a value that serde can't represent (an
///   integer beyond 64 bits, text with a lone surrogate) is left alone, if the field that would
///   receive it can't hold it. - A value of another type than its field is an error that names the
///   key and both types.
///
/// The handle shows the session as it was when the handle was made, or last changed the fields;
/// [`reload`](Self::reload) reads it again. Enums and nested structs may be fields. serde's
/// `alias`, which gives one field two keys, and fields with interior mutability, such as a
/// `RefCell`, are not supported.
pub struct Typed<T> {
    session: Session,
    fields: T,
}

impl Session {
    /// Returns the session with the fields of `T` as its keys: see [`Typed`].
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// struct Visitor {
    ///     visits: u64,
    /// }
    ///
    /// session.insert("visits", 3)?;
    /// assert_eq!(session.typed::<Visitor>()?.visits, 3);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) if a stored value doesn't fit its field; the
    /// error names the key and both types.
    pub fn typed<T>(&self) -> Result<Typed<T>, Error>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        let fields = self.read_mut(read)?;
        Ok(Typed { session: self.clone(), fields })
    }
}

impl<T: Serialize + DeserializeOwned + Default> Typed<T> {
    /// Returns the typed session of a request, from its extensions, like
    /// [`Session::from_extensions`].
    ///
    /// ```
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visitor { visits: u64 }
    /// use carafe::{Error, Typed};
    /// use http::Request;
    ///
    /// async fn visits<B>(request: Request<B>) -> Result<u64, Error> {
    ///     let visitor = Typed::<Visitor>::from_extensions(request.extensions()).await?;
    ///     Ok(visitor.visits)
    /// }
    /// ```
    ///
    /// # Errors
    /// The errors of [`Session::from_extensions`] and [`Session::typed`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        Session::from_extensions(extensions).await?.typed()
    }

    /// Changes fields, and saves the fields whose values are new.
    ///
    /// If two requests change the same field at the same time, the last one wins. If a change
    /// depends on the old value, use [`update`](Self::update).
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visitor { visits: u64 }
    /// let mut visitor = session.typed::<Visitor>()?;
    /// visitor.edit(|visitor| visitor.visits = 7)?;
    /// assert_eq!(session.get("visits")?, Some(7));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun,
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) if a stored value doesn't fit its field,
    /// [`ErrorKind::Value`](crate::ErrorKind::Value) if a new value can't be represented in a
    /// session. After an error, no field is saved.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> Result<R, Error> {
        let mut editing: Editing<T> = self.session.write(Editing::begin)?;
        // `change` runs outside the lock, so that it may use the session itself.
        let result = change(&mut editing.fields);
        let changes = editing.changes()?;
        self.session.write(|view| {
            changes.check::<T>(view)?;
            let Changes { defaults, changed, .. } = changes;
            insert_missing(view, defaults)?;
            for (key, value) in changed {
                let seen = view.seen(key.as_wtf8());
                match value {
                    Some(value) => view.perform(Operation::Insert { key, value, seen })?,
                    None if view.contains(key.as_wtf8()) => {
                        view.perform(Operation::Remove { key, seen })?;
                    }
                    None => {}
                }
            }
            Ok(())
        })?;
        self.fields = editing.fields;
        Ok(result)
    }

    /// Changes fields with a function of their old values.
    ///
    /// With a server-side store, `change` may run again when the session is saved, on fields that
    /// another request has written in the meantime. No update is lost this way, and `change` must
    /// have no side effects.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visitor { visits: u64 }
    /// let mut visitor = session.typed::<Visitor>()?;
    /// visitor.update(|visitor| visitor.visits += 1)?;
    /// assert_eq!(visitor.visits, 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`edit`](Self::edit).
    pub fn update<F>(&mut self, change: F) -> Result<(), Error>
    where
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        let change = Arc::new(change);
        let again: ViewChange = {
            let change = Arc::clone(&change);
            Arc::new(move |view| apply(view, change.as_ref()).map(drop))
        };
        loop {
            // `change` runs outside the lock, and again if another handle changed the session
            // meanwhile.
            let (mut editing, version) =
                self.session.write(|view| Ok((Editing::<T>::begin(view)?, view.version())))?;
            change(&mut editing.fields);
            let changes = editing.changes()?;
            let unchanged_since = self.session.write(|view| {
                let unchanged = view.version() == version;
                if unchanged {
                    changes.check::<T>(view)?;
                    insert_missing(view, changes.defaults)?;
                    view.update_fields(changes.changed, Arc::clone(&again));
                }
                Ok(unchanged)
            })?;
            if unchanged_since {
                self.fields = editing.fields;
                return Ok(());
            }
        }
    }

    /// Changes fields as [`update`](Self::update) does, and saves them at once. Afterwards the
    /// fields show the saved values, which no other request is shown: use it for counters whose
    /// value is displayed.
    ///
    /// A session in a cookie is saved only with the response: for it, this method does the same as
    /// `update`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), carafe::Error> {
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions, store::MemoryStore};
    /// # let sessions = Sessions::new(SecretKey::random()?, Config::hardened())?;
    /// # let sessions = sessions.in_store(MemoryStore::new());
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open(&request).await?;
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visitor { visits: u64 }
    /// let mut visitor = session.typed::<Visitor>()?;
    /// visitor.update_now(|visitor| visitor.visits += 1).await?;
    /// assert_eq!(visitor.visits, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of [`update`](Self::update) and [`Session::save`].
    pub async fn update_now<F>(&mut self, change: F) -> Result<(), Error>
    where
        F: Fn(&mut T) + Send + Sync + 'static,
        T: Send + 'static,
    {
        if !self.session.read(View::is_in_store) {
            return self.update(change);
        }
        let written: Arc<Mutex<Option<T>>> = Arc::default();
        let operation = {
            let written = Arc::clone(&written);
            Operation::UpdateFields(Arc::new(move |view| {
                let fields = apply(view, &change)?;
                *written.lock().unwrap_or_else(PoisonError::into_inner) = Some(fields);
                Ok(())
            }))
        };
        self.session.save_with(Some(operation)).await?;
        let written = written.lock().unwrap_or_else(PoisonError::into_inner).take();
        match written {
            Some(fields) => self.fields = fields,
            None => self.reload()?,
        }
        Ok(())
    }

    /// Reads the fields again. Call this after the session was changed through another handle.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visitor { visits: u64 }
    /// let mut visitor = session.typed::<Visitor>()?;
    /// session.insert("visits", 7)?;
    /// visitor.reload()?;
    /// assert_eq!(visitor.visits, 7);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`Session::typed`].
    pub fn reload(&mut self) -> Result<(), Error> {
        self.fields = self.session.read_mut(read)?;
        Ok(())
    }
}

impl<T> Typed<T> {
    /// Returns the session, for flashed messages, login, logout and keys without a field.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// # #[derive(serde::Serialize, serde::Deserialize, Default)]
    /// # struct Visitor { visits: u64 }
    /// let visitor = session.typed::<Visitor>()?;
    /// visitor.session().flash("Welcome")?;
    /// # assert_eq!(session.get_flashed_messages()?.len(), 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl<T> Deref for Typed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.fields
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fields are private to the visitor.
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

/// Inserts fields that are missing, with their defaults.
fn insert_missing(view: &mut View, defaults: Vec<(Text, Value)>) -> Result<(), Error> {
    defaults
        .into_iter()
        .try_for_each(|(key, value)| view.perform(Operation::OrInsert { key, value }))
}

/// Changes the fields in a view. An error leaves the view unchanged.
fn apply<T>(view: &mut View, change: &dyn Fn(&mut T)) -> Result<T, Error>
where
    T: Serialize + DeserializeOwned + Default,
{
    let mut editing: Editing<T> = Editing::begin(view)?;
    change(&mut editing.fields);
    let changes = editing.changes()?;
    changes.check::<T>(view)?;
    view.write_fields(changes.into_written());
    Ok(editing.fields)
}
