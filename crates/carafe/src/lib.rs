//! Flask's sessions for Rust.
#![forbid(unsafe_code)]

mod error;
mod value;

pub use error::{Error, ErrorKind};
pub use value::{
    AsText, DateTime, DateTimeRangeError, Dict, Int, OutOfRange, ParseIntError, Text, Uuid, Value,
};
