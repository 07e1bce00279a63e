//! Flask's formats, for crates that integrate Carafe into another framework.
//!
//! The errors are the types of [`signing`](crate::signing), [`value`](crate::value) and
//! [`inspect`](crate::inspect); `?` converts them to this crate's error. Programs that read and
//! write cookies without answering requests use the crate `carafe-format`.

pub use carafe_format::{Error, ErrorKind, base64, percent};
