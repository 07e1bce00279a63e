//! Tools that look into cookies: the program `carafe` is made of them.
//!
//! - [`inspect`] recognises a cookie and reads what it says, without a key, and so without knowing
//!   whether it is true.
//! - [`pasted`] finds the cookies in a line of a log, a browser's tools or a cookie jar.
//! - [`Alternatives`] finds out under which other settings a refused cookie would verify.
//! - [`WeakKeys`] finds out whether an attacker can make such cookies, since their key is weak.
//! - [`respell`] and [`check_session`] are for a session's JSON.
//!
//! ```
//! use carafe::inspect::{CookieFormat, inspect};
//!
//! let cookie = b"eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.hjhtQRGPO7UK57j5dSOtrXVGqbs";
//! let seen = inspect(cookie).unwrap();
//! assert_eq!(seen.format, CookieFormat::Flask);
//! assert_eq!(seen.signed, Some(1_700_000_000));
//! assert_eq!(seen.payload.unwrap()?, br#"{"user_id":42}"#);
//! # Ok::<(), carafe::Error>(())
//! ```

mod alternatives;
mod anywhere;
mod format;
mod pasted;
mod published;

pub use self::alternatives::{Alternative, Alternatives, KeyEdit};
pub use self::format::{CookieFormat, Inspection, SINCE_2011, inspect};
pub use self::pasted::{PastedCookie, SetCookieLine, pasted};
pub use self::published::{WeakKeys, is_signed_with_published_key};
use crate::Error;
pub use crate::cookie::BrokenRule;
use crate::value::json;

/// Returns the JSON of a session in Flask's own spelling: keys sorted, nothing but ASCII, numbers,
/// dates and bytes as Flask writes them.
///
/// What has that spelling already stays as it is, where a [`Value`](crate::Value) would lose it:
/// dates before the year 100, which Flask writes and then reads as others, and dictionaries whose
/// keys are integers in ascending order, which Flask sorts as numbers.
///
/// ```
/// use carafe::inspect::respell;
///
/// assert_eq!(respell(r#"{ "b": 1.50, "a": "Zoë" }"#.as_bytes())?, r#"{"a":"Zo\u00eb","b":1.5}"#);
/// # Ok::<(), carafe::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::BadPayload`](crate::ErrorKind::BadPayload) if it isn't JSON that Flask reads, or no
/// object, and [`ErrorKind::Value`](crate::ErrorKind::Value) if it is nested too deeply to be read
/// again.
pub fn respell(json: &[u8]) -> Result<String, Error> {
    // All of it is ASCII.
    Ok(json::respell_session(json)?.into_iter().map(char::from).collect())
}

/// Checks that Flask can make a session of this JSON.
///
/// # Errors
/// [`ErrorKind::BadPayload`](crate::ErrorKind::BadPayload) if it can't.
pub fn check_session(json: &[u8]) -> Result<(), Error> {
    json::check_session(json)
}
