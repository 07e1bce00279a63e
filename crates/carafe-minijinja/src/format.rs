//! The output of `{{ … }}`.

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, Output, State, Value};

use super::python;

/// Writes a value as Jinja under Flask does: with Python's `str`, and escaped as by MarkupSafe.
///
/// [`add_to_environment`](super::add_to_environment) makes it the environment's formatter. For an
/// application with a formatter of its own, to call for what that one doesn't handle.
///
/// ```
/// use minijinja::Environment;
///
/// let mut env = Environment::new();
/// env.set_formatter(|out, state, value| carafe_minijinja::formatter(out, state, value));
/// assert_eq!(env.render_str("{{ [true, none] }}", ())?, "[True, None]");
/// # Ok::<(), minijinja::Error>(())
/// ```
///
/// # Errors
/// If the output can't be written, or the environment escapes for something else than HTML and
/// MiniJinja can't do it.
pub fn formatter(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let html = match state.auto_escape() {
        AutoEscape::Html => true,
        AutoEscape::None => false,
        _ => return minijinja::escape_formatter(out, state, value),
    };
    match value.kind() {
        ValueKind::Invalid => return minijinja::escape_formatter(out, state, value),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            write(out, text, html && !value.is_safe())?;
        }
        _ => write(out, &python::to_str(value), html)?,
    }
    Ok(())
}

fn write(out: &mut Output<'_>, text: &str, html: bool) -> Result<(), Error> {
    if html { out.write_str(&escaped(text)) } else { out.write_str(text) }.map_err(Error::from)
}

/// Jinja's filter `escape`.
pub(super) fn escape(value: &Value) -> Value {
    if value.is_safe() {
        return value.clone();
    }
    Value::from_safe_string(escaped(&python::to_str(value)).into_owned())
}

/// Jinja's filter `string`.
pub(super) fn string(value: &Value) -> Value {
    match value.kind() {
        ValueKind::String => value.clone(),
        _ => Value::from(python::to_str(value)),
    }
}

/// MarkupSafe's `escape`.
fn escaped(text: &str) -> std::borrow::Cow<'_, str> {
    const SPECIAL: [char; 5] = ['&', '<', '>', '\'', '"'];
    if !text.contains(SPECIAL) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out.into()
}
