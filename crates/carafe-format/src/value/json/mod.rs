//! Flask's tagged JSON: Python's dialect of JSON, with tags for the types that JSON lacks.
//!
//! - `lexer`: strings, numbers and literals, as Python's `json` takes them
//! - `raw_str`: a string, and what it means
//! - `validate`: the pass over a session's payload that validates it and finds its keys
//! - `plain`: what stands in a string as it is
//! - `index`: where its top-level keys and values stand; `place` is one of these places
//! - `payload`: what that pass leaves, to be read key by key
//! - `reader`: JSON to [`Value`](crate::Value), by way of `node`, tags resolved; `tag` and `top` have the
//!   rules
//! - `respell`: JSON of any spelling to Flask's
//! - `writer`: [`Value`](crate::Value) to Flask's bytes
//!
//! What Flask reads is read, and means the same, but for what Flask itself never writes:
//!
//! - markup whose body is bytes, a date or a container, of which Flask would take Python's `repr`,
//!   is refused; so are dates with an offset that leads out of the years 1 to 9999
//! - digits outside ASCII are refused in UUIDs and not read in dates
//! - a date is an instant; the offset that it was written with is not kept
//! - of a session that is a list of pairs, the keys become text as Flask would write them; keys
//!   that it could not write are refused, and numbers that are equal in Python, as `0` and `false`,
//!   are different keys

mod index;
mod lexer;
mod node;
mod payload;
mod place;
mod plain;
mod raw_str;
mod reader;
mod respell;
mod tag;
mod top;
mod validate;
mod writer;

use crate::{Error, ErrorKind};

pub(super) use lexer::{Lexer, Number};
pub use payload::Payload;
pub(crate) use payload::check_session;
pub(super) use raw_str::RawStr;
pub(crate) use reader::read_value;
pub(crate) use respell::respell_session;
pub(crate) use tag::Tags;
pub(super) use validate::pass_value;
pub(crate) use writer::write_value;
pub use writer::{Entry, write_session};

/// The largest number of digits of an integer that Python reads and writes.
pub(crate) const MAX_INT_DIGITS: usize = 4300;

/// Levels of nesting that are read: CPython's recursion limit, and so more than any Flask reads.
pub(crate) const MAX_READ_DEPTH: usize = 1000;

/// Levels of nesting that are written. Flask on CPython up to 3.11 reads at most 493, less some
/// for the server and the middleware that it runs under.
pub(crate) const MAX_WRITE_DEPTH: usize = 480;

/// The payload is not JSON as Python reads it, or a tag in it has a body that Flask refuses.
#[cold]
fn bad_payload(message: &'static str) -> Error {
    Error::new(ErrorKind::BadPayload, message)
}
