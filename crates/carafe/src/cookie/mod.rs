//! The session's cookie in a request's headers, and in a response's.

mod attributes;
mod find;

pub use self::attributes::SameSite;
pub(crate) use self::attributes::{Attributes, SetCookie};
pub(crate) use self::find::{Finder, unquote};
