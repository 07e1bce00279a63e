//! Python's objects to tagged JSON.

use std::borrow::Cow;
use std::io::Write as _;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::{DEPTH, Left, types};

/// Flask's tags. A dict with one of them as its only key is itself tagged.
const TAGS: [&str; 6] = [" di", " t", " b", " m", " u", " d"];

type Written = Result<(), Left>;

/// Writes a value of one of Flask's types, and of none that is derived from them.
pub(super) fn value(out: &mut Vec<u8>, value: &Bound<'_, PyAny>, depth: usize) -> Written {
    if depth > DEPTH {
        return Err(Left::Unusual);
    }
    if let Ok(text) = value.cast_exact::<PyString>() {
        return string(out, text);
    }
    if let Ok(number) = value.cast_exact::<PyInt>() {
        let number: i64 = number.extract()?;
        let _ = write!(out, "{number}");
        return Ok(());
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    if let Ok(on) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if on.is_true() { b"true" } else { b"false" });
        return Ok(());
    }
    if let Ok(entries) = value.cast_exact::<PyDict>() {
        return dict(out, entries, depth);
    }
    if let Ok(items) = value.cast_exact::<PyList>() {
        return list(out, items.iter(), depth);
    }
    if let Ok(items) = value.cast_exact::<PyTuple>() {
        return tagged(out, "t", |out| list(out, items.iter(), depth + 1));
    }
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return float(out, number);
    }
    other(out, value)
}

/// Writes a value of a type that is rare in sessions.
fn other(out: &mut Vec<u8>, value: &Bound<'_, PyAny>) -> Written {
    let py = value.py();
    if value.cast_exact::<PyBytes>().is_ok() {
        let encoded = types::b64encode(py)?.call1((value,))?;
        let encoded = encoded.cast::<PyBytes>()?.as_bytes().to_vec();
        return tagged(out, "b", |out| {
            out.push(b'"');
            out.extend_from_slice(&encoded);
            out.push(b'"');
            Ok(())
        });
    }
    let class = value.get_type();
    if class.is(types::markup(py)?) {
        return tagged(out, "m", |out| string(out, value.cast::<PyString>()?));
    }
    if class.is(types::uuid(py)?) {
        let digits = value.getattr(intern!(py, "hex"))?;
        return tagged(out, "u", |out| string(out, digits.cast::<PyString>()?));
    }
    if class.is(types::datetime(py)?) {
        let date = types::http_date(py)?.call1((value,))?;
        return tagged(out, "d", |out| string(out, date.cast::<PyString>()?));
    }
    Err(Left::Unusual)
}

fn tagged(out: &mut Vec<u8>, tag: &str, body: impl FnOnce(&mut Vec<u8>) -> Written) -> Written {
    let _ = write!(out, "{{\" {tag}\":");
    body(out)?;
    out.push(b'}');
    Ok(())
}

fn list<'py>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
) -> Written {
    out.push(b'[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        value(out, &item, depth + 1)?;
    }
    out.push(b']');
    Ok(())
}

/// Writes a dict, the keys in the order of their code points.
pub(super) fn dict(out: &mut Vec<u8>, entries: &Bound<'_, PyDict>, depth: usize) -> Written {
    let mut items = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        items.push((key.cast_into_exact::<PyString>().map_err(|_| Left::Unusual)?, value));
    }
    let items = items.iter().map(|(key, value)| Ok((key.to_cow()?, value)));
    let mut items = items.collect::<Result<Vec<_>, Left>>()?;
    if let [(key, value)] = items.as_slice()
        && TAGS.contains(&key.as_ref())
    {
        let hidden = [(Cow::Owned(format!("{key}__")), *value)];
        return tagged(out, "di", |out| object(out, &hidden, depth + 1));
    }
    items.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    object(out, &items, depth)
}

fn object(
    out: &mut Vec<u8>,
    entries: &[(Cow<'_, str>, &Bound<'_, PyAny>)],
    depth: usize,
) -> Written {
    out.push(b'{');
    for (number, (key, item)) in entries.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        quoted(out, key);
        out.push(b':');
        value(out, item, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

fn string(out: &mut Vec<u8>, text: &Bound<'_, PyString>) -> Written {
    // Lone surrogates are left to Flask.
    quoted(out, &text.to_cow()?);
    Ok(())
}

/// Writes a string in ASCII, as Python's JSON does.
fn quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let plain = rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
    out.extend_from_slice(&rest[..plain]);
    rest = &rest[plain..];
    if !rest.is_empty() {
        text[plain..].chars().for_each(|character| escaped(out, character));
    }
    out.push(b'"');
}

fn escaped(out: &mut Vec<u8>, character: char) {
    let short = match character {
        '"' => b"\\\"",
        '\\' => b"\\\\",
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        '\u{8}' => b"\\b",
        '\u{c}' => b"\\f",
        ' '..='~' => {
            out.push(character as u8);
            return;
        }
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
            return;
        }
    };
    out.extend_from_slice(short);
}

fn float(out: &mut Vec<u8>, number: &Bound<'_, PyFloat>) -> Written {
    let value = number.value();
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        // Python and Rust write the fewest digits that mean the number, here without an exponent.
        let _ = write!(out, "{value:?}");
    } else {
        let text = types::float_repr(number.py())?.call1((number,))?;
        out.extend_from_slice(text.cast::<PyString>()?.to_cow()?.as_bytes());
    }
    Ok(())
}
