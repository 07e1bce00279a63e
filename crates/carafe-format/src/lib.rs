//! The formats of [Carafe](https://docs.rs/carafe)'s sessions, without a web framework.
//!
//! Applications use the crate `carafe`, which has these types under its own name. This crate is for
//! programs that read or write sessions without answering requests, and for the crates that
//! integrate Carafe into something else. Nothing in it waits, and it asks for the time as an
//! argument, in Unix seconds.
//!
//! - [`signing`]: secret keys, and the signatures of ItsDangerous
//! - [`value`]: the values that a session can hold, and Flask's tagged JSON
//! - [`codec`]: a session's cookie from and to its JSON, signed or sealed
//! - [`cookie`]: a cookie in a request's `Cookie` headers, and in a response's `Set-Cookie`
//! - [`flask_login`]: Flask-Login's remember cookie, and its fingerprint of a client
//! - [`inspect`]: what a cookie says without its key
//! - [`base64`] and [`percent`]: the encodings that ids, tokens and URLs have
//!
//! ```
//! use carafe_format::signing::{SigningOptions, UrlSafeTimedSerializer};
//! use carafe_format::{SecretKey, Value};
//!
//! let key = SecretKey::new("a key, long and random")?;
//! let serializer = UrlSafeTimedSerializer::new(&key.into(), &SigningOptions::default());
//! let now = 1_700_000_000;
//! let signed = serializer.dumps(&Value::from("ada"), now)?;
//! assert_eq!(serializer.loads(signed.as_bytes(), Some(60), now)?, Value::from("ada"));
//! # Ok::<(), carafe_format::Error>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod base64;
pub mod codec;
pub mod cookie;
mod error;
pub mod flask_login;
pub mod inspect;
pub mod percent;
pub mod signing;
pub mod value;

#[cfg(feature = "sealed")]
pub use codec::sealed;
pub use codec::{Compression, Format};
pub use cookie::SameSite;
pub use error::{Error, ErrorKind};
pub use signing::{KeyRing, SecretKey};
pub use value::{
    AsText, DateTime, Dict, Int, Markup, OutOfRange, ParseIntError, Text, Uuid, Value, as_datetime,
    as_uuid,
};

/// The README's examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
