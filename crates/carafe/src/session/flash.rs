//! Flashed messages, in Flask's layout: the key `_flashes` holds a list of tuples.

use std::borrow::Cow;

use serde::Serialize;

use super::view::View;
use super::{Operation, Session};
use crate::{AsText, Error, ErrorKind, Text, Value};

pub(super) const KEY: &str = "_flashes";

/// A message for the next page that shows it.
#[derive(Clone, PartialEq)]
pub struct Flash {
    /// What kind of message it is; `message` unless the application said otherwise.
    pub category: Text,
    /// The message: text as a rule, or Markup.
    pub message: Value,
}

impl std::fmt::Debug for Flash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flash").finish_non_exhaustive()
    }
}

impl Session {
    /// Flashes a message to the next page that shows it, in the category `message`.
    ///
    /// # Errors
    /// As [`flash_with`](Self::flash_with).
    pub fn flash(&self, message: impl Serialize) -> Result<(), Error> {
        self.flash_with("message", message)
    }

    /// Flashes a message in a category, such as `error` or `info`.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun; [`ErrorKind::Type`] if the key `_flashes`
    /// holds something else than messages; [`ErrorKind::Value`] if the message can't be represented
    /// in a session.
    pub fn flash_with(&self, category: impl AsText, message: impl Serialize) -> Result<(), Error> {
        let category = Value::Text(category.into_text());
        let message = Value::Tuple(vec![category, Value::from_serialize(&message)?]);
        self.perform(Operation::Flash(message))
    }

    /// The messages that were flashed, oldest first: Flask's
    /// `get_flashed_messages(with_categories=True)`.
    ///
    /// The first call in a request takes all of them out of the session; later calls in the same
    /// request give the same again.
    ///
    /// # Errors
    /// [`ErrorKind::Closed`] if the response has begun before the first call;
    /// [`ErrorKind::Type`] if the key `_flashes` holds something else than messages.
    pub fn get_flashed_messages(&self) -> Result<Vec<Flash>, Error> {
        self.take_flashes()?.iter().map(flash_of).collect()
    }

    /// The flashed messages of some categories. The others are taken out of the session too, as in
    /// Flask, and are there for later calls in the same request.
    ///
    /// # Errors
    /// As [`get_flashed_messages`](Self::get_flashed_messages).
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
        if !self.contains(KEY) {
            // Nothing to take is nothing to write, so that this works while a body streams.
            self.read_mut(|view| view.flashes = Some(Vec::new()));
            return Ok(Vec::new());
        }
        self.write(|view| {
            let flashes = match view.get(KEY.as_bytes()).map(Cow::into_owned) {
                Some(Value::List(flashes) | Value::Tuple(flashes)) => flashes,
                None => Vec::new(),
                Some(other) => return Err(not_flashes(&other)),
            };
            view.perform(Operation::TakeFlashes(flashes.clone()))?;
            view.flashes = Some(flashes.clone());
            Ok(flashes)
        })
    }
}

/// Appends a message, which is a tuple of category and text.
pub(super) fn append(view: &mut View, message: Value) -> Result<(), Error> {
    let mut flashes = match view.get(KEY.as_bytes()).map(Cow::into_owned) {
        None => Vec::new(),
        Some(Value::List(flashes)) => flashes,
        Some(other) => return Err(not_flashes(&other)),
    };
    flashes.push(message);
    view.insert(Text::from(KEY), Value::List(flashes));
    Ok(())
}

/// Removes the messages that were shown; others, which came meanwhile, stay.
pub(super) fn remove_shown(view: &mut View, shown: &[Value]) -> Result<(), Error> {
    let mut flashes = match view.get(KEY.as_bytes()).map(Cow::into_owned) {
        None => return Ok(()),
        Some(Value::List(flashes) | Value::Tuple(flashes)) => flashes,
        Some(other) => return Err(not_flashes(&other)),
    };
    for message in shown {
        if let Some(at) = flashes.iter().position(|waiting| waiting == message) {
            flashes.remove(at);
        }
    }
    if flashes.is_empty() {
        view.remove(KEY.as_bytes());
    } else {
        view.insert(Text::from(KEY), Value::List(flashes));
    }
    Ok(())
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

fn not_flashes(found: &Value) -> Error {
    Error::new(
        ErrorKind::Type,
        format!(
            "the session's key \"_flashes\" has to hold a list of (category, message) tuples, and \
             something of the type {} is there",
            found.type_name()
        ),
    )
}
