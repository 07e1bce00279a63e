//! Cookie text from and to a session's content.

mod flask;
pub(crate) mod payload;
mod zlib;

pub(crate) use self::flask::FlaskCodec;
pub use self::payload::Compression;
