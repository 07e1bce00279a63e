//! Cookie text from and to a session's content.
//!
//! [`Codecs`] reads and writes what one cookie may hold, in all formats that a service accepts, under
//! the keys of one ring. [`sealed`] has the sealed format alone, and
//! [`UrlSafeTimedSerializer`](crate::signing::UrlSafeTimedSerializer) the signed one.
//!
//! ```
//! use carafe_format::codec::{CodecOptions, Codecs};
//! use carafe_format::{KeyRing, SecretKey};
//!
//! let keys = KeyRing::new(SecretKey::random()?);
//! let codecs = Codecs::new(&keys, &CodecOptions::new("session"))?;
//! let now = 1_700_000_000;
//! let mut cookie = String::from("session=");
//! codecs.encode(br#"{"user":"ada"}"#, 3600, now, &mut cookie)?;
//! let decoded = codecs.decode(cookie["session=".len()..].as_bytes(), 3600, now + 60)?;
//! assert_eq!(decoded.payload.get(b"user")?, Some("ada".into()));
//! # Ok::<(), carafe_format::Error>(())
//! ```

mod codecs;
mod flask;
mod format;
pub(crate) mod payload;
#[cfg(feature = "sealed")]
pub mod sealed;
mod zlib;

pub use self::codecs::{CodecOptions, Codecs, Decoded};
use self::flask::FlaskCodec;
pub use self::format::Format;
pub use self::payload::Compression;
