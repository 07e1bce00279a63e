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

/// A session whose keys are the fields of a struct, so that the compiler knows them and their types.
///
/// Handlers get it from an extractor, or from [`Session::typed`]. Its fields are read as those of
/// the struct. They can only be changed by [`edit`](Self::edit) and [`update`](Self::update), which
/// notice what was changed: assigning to a field of the handle itself doesn't compile.
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
/// - Each field is a key of the session, so that the Flask side reads `session["visits"]`. serde's
///   `rename` gives it another key. Keys that the struct doesn't name are left alone.
/// - A field that isn't there has the value that `T::default()` gives it. A field set to `None` is
///   removed, if `None` is its default.
/// - Fields that were changed are saved, each for itself: requests that change other fields at the
///   same time lose nothing. With the first change, the defaults of all fields are saved that the
///   session doesn't hold yet, so that those which differ each time, such as a time or a random
///   number, are the same from then on. A default of `None` is not.
/// - What can't be read again is not saved: a change is an error if serde skips a field whose default
///   would come back, or writes what it doesn't read.
/// - With serde's `flatten`, a value that serde has no form for (an integer beyond 64 bits, text with
///   a lone surrogate) is left alone, if a field that can't hold it would get it.
/// - A value of another type than its field is an error that names the key and both types.
///
/// What the handle shows is how the session was when the handle was made, or last changed its
/// fields; [`reload`](Self::reload) looks again. Enums and nested structs may be fields; serde's
/// `alias`, which gives one field two keys, and fields that can be changed through a shared
/// reference, such as a `RefCell`, have no place in it.
pub struct Typed<T> {
    session: Session,
    fields: T,
}

impl Session {
    /// The session with the fields of `T` as its keys: see [`Typed`].
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
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) if a stored value doesn't fit its field; the error
    /// names the key and both
    /// types.
    pub fn typed<T>(&self) -> Result<Typed<T>, Error>
    where
        T: Serialize + DeserializeOwned + Default,
    {
        let fields = self.read_mut(read)?;
        Ok(Typed { session: self.clone(), fields })
    }
}

impl<T: Serialize + DeserializeOwned + Default> Typed<T> {
    /// The session of a request, by its extensions: as [`Session::from_extensions`].
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
    /// As [`Session::from_extensions`] and [`Session::typed`].
    pub async fn from_extensions(extensions: &Extensions) -> Result<Self, Error> {
        Session::from_extensions(extensions).await?.typed()
    }

    /// Changes fields, and saves the values of those that were changed.
    ///
    /// As with [`Session::insert`], of two requests that change the same field at the same time the
    /// last one counts. If a change depends on the old value, use [`update`](Self::update).
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
    /// [`ErrorKind::Value`](crate::ErrorKind::Value) if a new one can't be represented in a session. No field
    /// is saved then.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> Result<R, Error> {
        let mut editing: Editing<T> = self.session.write(Editing::begin)?;
        // Outside the lock, so that it may use the session itself.
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

    /// Changes fields by their old values.
    ///
    /// With a server-side store, `change` may run again when the session is saved, on the fields
    /// that another request has written meanwhile: so that no update is lost. It must therefore have
    /// no effect of its own.
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
    /// As [`edit`](Self::edit).
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
            // Outside the lock, as above; again if another holder of the session came between.
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

    /// As [`update`](Self::update), but saved at once: the fields are then what was really written,
    /// and no other request is shown the same. For counters whose value is shown.
    ///
    /// Sessions in cookies can only be saved with the response: for them this is `update`.
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
    /// As [`update`](Self::update) and [`Session::save`].
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

    /// Reads the fields again, after the session was changed in another way.
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
    /// As [`Session::typed`].
    pub fn reload(&mut self) -> Result<(), Error> {
        self.fields = self.session.read_mut(read)?;
        Ok(())
    }
}

impl<T> Typed<T> {
    /// The session, for what isn't a field: flashed messages, login and logout.
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
        // The fields are the visitor's affair.
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

/// Inserts fields that are missing, with their defaults.
fn insert_missing(view: &mut View, defaults: Vec<(Text, Value)>) -> Result<(), Error> {
    defaults
        .into_iter()
        .try_for_each(|(key, value)| view.perform(Operation::OrInsert { key, value }))
}

/// Changes what a view has of the fields. An error leaves the view unchanged.
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
