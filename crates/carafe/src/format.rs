//! What the crates that integrate Carafe into something else need of its formats.
//!
//! The errors are the ones of [`signing`](crate::signing), [`value`](crate::value) and
//! [`inspect`](crate::inspect); `?` turns them into this crate's. Programs that read and write cookies
//! without answering requests use the crate `carafe-format`.

pub use carafe_format::{Error, ErrorKind, base64, percent};
