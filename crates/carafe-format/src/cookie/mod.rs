//! The session's cookie in a request's headers, and in a response's.

mod attributes;
mod find;
mod quote;
mod rules;

pub use self::attributes::{Attributes, SameSite, SetCookie};
pub(crate) use self::find::unquote;
pub use self::find::{Finder, Found};
pub use self::quote::quote;
pub use self::rules::BrokenRule;
pub(crate) use self::rules::Told;
