//! Flashed messages.

use std::borrow::Cow;

use serde::Serialize;

use super::Session;
use crate::Error;
use crate::content::{FLASHES, Operation, View, not_flashes};
use crate::value::{AsText, Text, Value};

/// A message for the next page that shows it.
#[derive(Clone, PartialEq)]
pub struct Flash {
    /// The kind of message; `message` unless the application said otherwise.
    pub category: Text,
    /// The message: usually text, or Markup.
    pub message: Value,
}

impl std::fmt::Debug for Flash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flash").finish_non_exhaustive()
    }
}

impl Session {
    /// Flashes a message in the category `message`: the next page that reads messages shows it.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.flash("Your order was placed")?;
    /// assert_eq!(session.get_flashed_messages()?[0].message, "Your order was placed".into());
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`flash_with`](Self::flash_with).
    pub fn flash(&self, message: impl Serialize) -> Result<(), Error> {
        self.flash_with("message", message)
    }

    /// Flashes a message in a category, such as `error` or `info`.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.flash_with("error", "The password is wrong")?;
    /// assert_eq!(session.get_flashed_messages()?[0].category.as_str(), Some("error"));
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun,
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) if the key `_flashes` holds something other than
    /// messages, [`ErrorKind::Value`](crate::ErrorKind::Value) if the message can't be represented
    /// in a session.
    pub fn flash_with(&self, category: impl AsText, message: impl Serialize) -> Result<(), Error> {
        let category = Value::Text(category.into_text());
        let message = Value::Tuple(vec![category, Value::from_serialize(&message)?]);
        self.perform(Operation::Flash(message))
    }

    /// Returns the flashed messages, oldest first: Flask's
    /// `get_flashed_messages(with_categories=True)`.
    ///
    /// The first call in a request takes all messages out of the session; later calls in the same
    /// request return the same messages. A prefetch (`Sec-Purpose: prefetch`) leaves the messages
    /// in the session. So does a `HEAD` request, unless
    /// [`head_takes_flashes`](crate::Config::head_takes_flashes) is on.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.flash("Welcome back")?;
    /// for flash in session.get_flashed_messages()? {
    ///     println!("{}", flash.message.as_str().unwrap_or_default());
    /// }
    /// # assert_eq!(session.get_flashed_messages()?.len(), 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed) if the response has begun before the first call;
    /// [`ErrorKind::Type`](crate::ErrorKind::Type) if the key `_flashes` holds something other than
    /// messages.
    pub fn get_flashed_messages(&self) -> Result<Vec<Flash>, Error> {
        self.take_flashes()?.iter().map(flash_of).collect()
    }

    /// Returns the flashed messages of some categories. As in Flask, the other messages leave the
    /// session too, and later calls in the same request return them.
    ///
    /// ```
    /// # use carafe::{Config, SecretKey, Session, engine::Sessions};
    /// # let sessions = Sessions::new(SecretKey::new("a key, long and random")?, Config::flask())?;
    /// # let request = sessions.request([] as [&str; 0]);
    /// # let session = Session::open_now(&request)?;
    /// session.flash("Welcome back")?;
    /// session.flash_with("error", "The card was declined")?;
    /// assert_eq!(session.get_flashed_messages_of(&["error"])?.len(), 1);
    /// # Ok::<(), carafe::Error>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`get_flashed_messages`](Self::get_flashed_messages).
    pub fn get_flashed_messages_of(&self, categories: &[&str]) -> Result<Vec<Flash>, Error> {
        let mut flashes = self.get_flashed_messages()?;
        flashes
            .retain(|flash| flash.category.as_str().is_some_and(|name| categories.contains(&name)));
        Ok(flashes)
    }

    fn take_flashes(&self) -> Result<Vec<Value>, Error> {
        if let Some(flashes) = self.read(|view| view.flashes.clone()) {
            return Ok(flashes);
        }
        if !self.contains(FLASHES) {
            // With no messages there is nothing to write, so that this works while a body streams.
            self.read_mut(|view| view.flashes = Some(Vec::new()));
            return Ok(Vec::new());
        }
        if self.slot().keeps_flashes() {
            return self.read_mut(|view| waiting(view));
        }
        self.write(|view| {
            let flashes = waiting(view)?;
            view.perform(Operation::TakeFlashes(flashes.clone()))?;
            view.flashes = Some(flashes.clone());
            Ok(flashes)
        })
    }
}

/// Returns the messages that no page has shown yet.
fn waiting(view: &View) -> Result<Vec<Value>, Error> {
    match view.get(FLASHES.as_bytes()).map(Cow::into_owned) {
        Some(Value::List(flashes) | Value::Tuple(flashes)) => Ok(flashes),
        None => Ok(Vec::new()),
        Some(other) => Err(not_flashes(&other)),
    }
}

fn flash_of(value: &Value) -> Result<Flash, Error> {
    match value {
        Value::Tuple(parts) | Value::List(parts) => match parts.as_slice() {
            [Value::Text(category) | Value::Markup(category), message, ..] => {
                Ok(Flash { category: category.clone(), message: message.clone() })
            }
            _ => Err(not_flashes(value)),
        },
        other => Err(not_flashes(other)),
    }
}
