//! Flashed messages, in Flask's layout: the key `_flashes` holds a list of tuples.

use std::borrow::Cow;

use super::view::View;
use crate::value::{Text, Value};
use crate::{Error, ErrorKind};

/// The key of the messages.
pub(crate) const FLASHES: &str = "_flashes";

/// Appends a message, which is a tuple of category and text.
pub(super) fn append(view: &mut View, message: Value) -> Result<(), Error> {
    let key = Text::from(FLASHES);
    let mut message = Some(message);
    let there = view.edit(&key, |flashes| match flashes {
        Value::List(flashes) => {
            flashes.extend(message.take());
            Ok(())
        }
        other => Err(not_flashes(other)),
    })?;
    if !there {
        view.insert(key, Value::List(message.into_iter().collect()));
    }
    Ok(())
}

/// Removes the messages that were shown, and keeps messages that were added meanwhile.
pub(super) fn remove_shown(view: &mut View, shown: &[Value]) -> Result<(), Error> {
    let mut flashes = match view.get(FLASHES.as_bytes()).map(Cow::into_owned) {
        None => return Ok(()),
        Some(Value::List(flashes) | Value::Tuple(flashes)) => flashes,
        Some(other) => return Err(not_flashes(&other)),
    };
    // Usually all shown messages are there, in the same order.
    let mut left = shown.iter().peekable();
    flashes.retain(|waiting| left.next_if(|message| *message == waiting).is_none());
    for message in left {
        if let Some(at) = flashes.iter().position(|waiting| waiting == message) {
            flashes.remove(at);
        }
    }
    if flashes.is_empty() {
        view.remove(FLASHES.as_bytes());
    } else {
        view.insert(Text::from(FLASHES), Value::List(flashes));
    }
    Ok(())
}

/// Returns the error of a key `_flashes` that holds something other than messages.
pub(crate) fn not_flashes(found: &Value) -> Error {
    Error::new(
        ErrorKind::Type,
        format!(
            "the session's key \"_flashes\" has to hold a list of (category, message) tuples, and \
             something of the type {} is there",
            found.type_name()
        ),
    )
}
