use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::flash;
use super::login::Login;
use super::path::{self, Step};
use super::view::View;
use crate::id::PublicId;
use crate::value::json::Payload;
use crate::value::{Text, Value};
use crate::{Error, ErrorKind, UnixSeconds};

/// A function that computes a new value from an old one. It may run several times.
pub(crate) type Change = Arc<dyn Fn(Option<Value>) -> Result<Value, Error> + Send + Sync>;

/// A function that changes several keys; an error leaves all unchanged. It may run several times.
pub(crate) type ViewChange = Arc<dyn Fn(&mut View) -> Result<(), Error> + Send + Sync>;

/// A function that sees a value before it is removed, and can refuse the removal.
pub(crate) type Look = Arc<dyn Fn(Option<Value>) -> Result<(), Error> + Send + Sync>;

/// A request's knowledge of a key before its first write: not read, or the value or its absence.
pub(crate) type Seen = Option<Option<Value>>;

/// A recorded change of a session. It can be applied to a record that another request has changed
/// in the meantime, so that both changes last.
#[derive(Clone)]
pub(crate) enum Operation {
    Insert {
        key: Text,
        value: Value,
        seen: Seen,
    },
    Remove {
        key: Text,
        seen: Seen,
    },
    /// Removes all keys present when it is applied.
    Clear,
    /// Replaces the content present when it is applied.
    Replace(Box<Payload>),
    /// Sets a value within a value.
    InsertAt {
        key: Text,
        path: Vec<Step>,
        value: Value,
    },
    Update {
        key: Text,
        change: Change,
    },
    /// Changes the fields of a typed session.
    UpdateFields(ViewChange),
    /// Removes the value present when it is applied, after a function has seen it.
    Take {
        key: Text,
        look: Look,
    },
    /// Inserts a value if the key is missing when it is applied.
    OrInsert {
        key: Text,
        value: Value,
    },
    /// Appends a flashed message.
    Flash(Value),
    /// Removes the messages that were shown, and keeps all others.
    TakeFlashes(Vec<Value>),
    /// Logs a user in, or takes one step of a login: see [`Login`].
    Login(Box<Login>),
    /// Records that the user was authenticated again, at this time.
    Reauthenticated(UnixSeconds),
    /// Binds the login to another credential, with this mark.
    Credential(String),
    /// Assigns the login to this series of remember tokens.
    Series(PublicId),
    /// Ends the session.
    Logout,
    /// Gives the session a new id: this one, if it is in a cookie.
    Rotate(String),
    /// Changes nothing, but has the session saved.
    Touch,
}

impl Operation {
    /// Applies the change to a view.
    ///
    /// An error leaves the view unchanged.
    pub(crate) fn apply(self, view: &mut View) -> Result<(), Error> {
        match self {
            Self::Insert { key, value, .. } => view.insert(key, value),
            Self::Remove { key, .. } => view.remove(key.as_wtf8()),
            Self::Clear => view.clear(),
            Self::Replace(content) => view.replace(*content),
            Self::Logout => view.log_out(),
            Self::InsertAt { key, path, value } => {
                if !view.edit(&key, |target| path::set(target, &path, value))? {
                    return Err(path::missing());
                }
            }
            Self::Update { key, change } => {
                let old = view.get(key.as_wtf8()).map(Cow::into_owned);
                view.insert(key, change(old)?);
            }
            Self::UpdateFields(change) => change(view)?,
            Self::Take { key, look } => {
                look(view.get(key.as_wtf8()).map(Cow::into_owned))?;
                view.remove(key.as_wtf8());
            }
            Self::OrInsert { key, value } => {
                if !view.contains(key.as_wtf8()) {
                    view.insert(key, value);
                }
            }
            Self::Flash(message) => flash::append(view, message)?,
            Self::TakeFlashes(shown) => flash::remove_shown(view, &shown)?,
            Self::Login(login) => view.log_in(&login),
            Self::Reauthenticated(time) => view.reauthenticate(time),
            Self::Credential(mark) => view.set_credential(mark),
            Self::Series(series) => view.set_series(series),
            Self::Rotate(id) => view.rotate(id),
            Self::Touch => view.mark_modified(),
        }
        Ok(())
    }

    /// Returns whether another request has changed a key that this request had read before it wrote
    /// it.
    pub(crate) fn overwrites_unseen(&self, view: &View) -> bool {
        match self {
            Self::Insert { key, seen: Some(seen), .. } | Self::Remove { key, seen: Some(seen) } => {
                view.get(key.as_wtf8()).as_deref() != seen.as_ref()
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Operation {
    /// Shows the kind of change, without keys and values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert { .. } => "Insert",
            Self::Remove { .. } => "Remove",
            Self::Clear => "Clear",
            Self::Replace(_) => "Replace",
            Self::InsertAt { .. } => "InsertAt",
            Self::Update { .. } => "Update",
            Self::UpdateFields(_) => "UpdateFields",
            Self::Take { .. } => "Take",
            Self::OrInsert { .. } => "OrInsert",
            Self::Flash(_) => "Flash",
            Self::TakeFlashes(_) => "TakeFlashes",
            Self::Login(_) => "Login",
            Self::Reauthenticated(_) => "Reauthenticated",
            Self::Credential(_) => "Credential",
            Self::Series(_) => "Series",
            Self::Logout => "Logout",
            Self::Rotate(_) => "Rotate",
            Self::Touch => "Touch",
        })
    }
}

/// Returns the error of a conflict between two requests.
pub(crate) fn conflict() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "another request changed a key that this request had read and then written: nothing was \
         saved. Send the request again, or use `update`, which loses nothing",
    )
}
