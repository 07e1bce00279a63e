//! Cookie text from and to a session's content.

mod codecs;
mod flask;
mod format;
pub(crate) mod payload;
#[cfg(feature = "sealed")]
pub mod sealed;
mod zlib;

pub(crate) use self::codecs::{Codecs, Decoded};
pub(crate) use self::flask::FlaskCodec;
pub use self::format::Format;
pub use self::payload::Compression;
