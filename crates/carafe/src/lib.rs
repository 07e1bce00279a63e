//! Flask's sessions for Rust.
#![forbid(unsafe_code)]

mod error;
mod value;

pub use error::{Error, ErrorKind};
pub use value::{
    AsText, DateTime, Dict, FromValue, Int, Markup, OutOfRange, ParseIntError, Text, Uuid, Value,
    WrongType,
};
