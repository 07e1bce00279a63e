//! Values to Flask's bytes.

use std::borrow::Borrow;

use super::super::text::CodePoints;
use super::super::{Value, float};
use super::plain::plain_len;
use super::tag::Tag;
use super::{MAX_INT_DIGITS, MAX_WRITE_DEPTH};
use crate::{Error, ErrorKind};

/// A value of a session that is to be written.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// JSON in Flask's own spelling.
    Raw(&'a [u8]),
    /// A value that the caller keeps.
    Value(&'a Value),
    /// A value that was made for this entry.
    Owned(Value),
}

/// Writes a session, whose entries come in the order of their keys' code points, each key once.
///
/// # Errors
///
/// [`ErrorKind::Value`] if a value is nested too deeply to be read again.
pub fn write_session<'a>(
    out: &mut Vec<u8>,
    entries: impl IntoIterator<Item = (&'a [u8], Entry<'a>)>,
) -> Result<(), Error> {
    let start = out.len();
    let mut only_key = None;
    out.push(b'{');
    for (count, (key, entry)) in entries.into_iter().enumerate() {
        only_key = if count == 0 { Tag::of(key) } else { None };
        if count > 0 {
            out.push(b',');
        }
        write_text(out, key);
        out.push(b':');
        match entry {
            Entry::Raw(json) => out.extend_from_slice(json),
            Entry::Value(value) => write(out, value, 1)?,
            Entry::Owned(value) => write(out, &value, 1)?,
        }
    }
    out.push(b'}');
    if only_key.is_some() {
        let written = out.split_off(start);
        escape_tag(out, &written);
    }
    Ok(())
}

/// Puts a dictionary whose only key is a tag behind a dict tag.
fn escape_tag(out: &mut Vec<u8>, dict: &[u8]) {
    let key_end = memchr::memchr(b':', dict).unwrap_or_default() - 1;
    out.extend_from_slice(b"{\" di\":");
    out.extend_from_slice(&dict[..key_end]);
    out.extend_from_slice(b"__");
    out.extend_from_slice(&dict[key_end..]);
    out.push(b'}');
}

/// Writes a value.
///
/// # Errors
///
/// [`Value`](ErrorKind::Value) for what Flask could not read again: an integer of more than 4300
/// digits, or nesting beyond [`MAX_WRITE_DEPTH`].
pub(crate) fn write_value(out: &mut Vec<u8>, value: &Value) -> Result<(), Error> {
    write(out, value, 0)
}

pub(super) fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), Error> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(int) => match int.as_i64() {
            Some(small) => out.extend_from_slice(itoa::Buffer::new().format(small).as_bytes()),
            None if int.digits() > MAX_INT_DIGITS => {
                let message = "a session can't hold an integer of more than 4300 digits";
                return Err(Error::new(ErrorKind::Value, message));
            }
            None => out.extend_from_slice(int.to_string().as_bytes()),
        },
        Value::Float(float) => float::write_float(out, *float),
        Value::Text(text) => write_text(out, text.as_wtf8()),
        Value::List(items) => write_list(out, items, depth)?,
        Value::Tuple(items) => {
            out.extend_from_slice(b"{\" t\":");
            write_list(out, items, depth + 1)?;
            out.push(b'}');
        }
        Value::Dict(dict) => {
            let members = dict.iter().map(|(key, value)| (key.as_wtf8(), value));
            write_members(out, members, depth, write)?;
        }
        Value::Bytes(bytes) => {
            out.extend_from_slice(b"{\" b\":\"");
            base64_simd::STANDARD.encode_append(bytes, out);
            out.extend_from_slice(b"\"}");
        }
        Value::Markup(text) => {
            out.extend_from_slice(b"{\" m\":");
            write_text(out, text.as_wtf8());
            out.push(b'}');
        }
        Value::Uuid(uuid) => {
            out.extend_from_slice(b"{\" u\":\"");
            uuid.write_hex(out);
            out.extend_from_slice(b"\"}");
        }
        Value::DateTime(time) => {
            let mut date = [0; 29];
            time.write_http_date(&mut date);
            out.extend_from_slice(b"{\" d\":\"");
            out.extend_from_slice(&date);
            out.extend_from_slice(b"\"}");
        }
    }
    Ok(())
}

pub(super) fn deeper(depth: usize) -> Result<usize, Error> {
    if depth >= MAX_WRITE_DEPTH {
        let message = "a session can't hold values nested so deeply: Flask could not read them";
        return Err(Error::new(ErrorKind::Value, message));
    }
    Ok(depth + 1)
}

fn write_list(out: &mut Vec<u8>, items: &[Value], depth: usize) -> Result<(), Error> {
    let depth = deeper(depth)?;
    out.push(b'[');
    for (count, item) in items.iter().enumerate() {
        if count > 0 {
            out.push(b',');
        }
        write(out, item, depth)?;
    }
    out.push(b']');
    Ok(())
}

/// Writes the members of a dict, in the order in which they come. Where the only key looks like a tag,
/// it is escaped, as Flask does it.
pub(super) fn write_members<K: Borrow<[u8]>, V>(
    out: &mut Vec<u8>,
    mut members: impl ExactSizeIterator<Item = (K, V)>,
    depth: usize,
    write: impl Fn(&mut Vec<u8>, V, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut depth = deeper(depth)?;
    let only = members.len() == 1;
    let Some((key, value)) = members.next() else {
        out.extend_from_slice(b"{}");
        return Ok(());
    };
    let escaped = only && Tag::of(key.borrow()).is_some();
    if escaped {
        depth = deeper(depth)?;
        out.extend_from_slice(b"{\" di\":");
    }
    out.push(b'{');
    write_text(out, key.borrow());
    if escaped {
        out.pop();
        out.extend_from_slice(b"__\"");
    }
    out.push(b':');
    write(out, value, depth)?;
    for (key, value) in members {
        out.push(b',');
        write_text(out, key.borrow());
        out.push(b':');
        write(out, value, depth)?;
    }
    out.extend_from_slice(if escaped { b"}}" } else { b"}" });
    Ok(())
}

/// Writes WTF-8 as a string, all that is not printable ASCII escaped.
pub(super) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text;
    while !rest.is_empty() {
        let verbatim = plain_len(rest);
        out.extend_from_slice(&rest[..verbatim]);
        let mut characters = CodePoints(&rest[verbatim..]);
        if let Some(c) = characters.next() {
            write_escape(out, c);
        }
        rest = characters.0;
    }
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, c: u32) {
    let letter = match c {
        0x22 => b'"',
        0x5c => b'\\',
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x1_0000.. => {
            let offset = c - 0x1_0000;
            write_unit(out, 0xd800 + (offset >> 10));
            return write_unit(out, 0xdc00 + (offset & 0x3ff));
        }
        unit => return write_unit(out, unit),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn write_unit(out: &mut Vec<u8>, unit: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\u");
    out.extend([12, 8, 4, 0].map(|shift| DIGITS[(unit >> shift & 15) as usize]));
}
