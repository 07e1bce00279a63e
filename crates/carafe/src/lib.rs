//! Flask's sessions for Rust: signed cookies that Flask services and Rust services both read and
//! write, and one [`Session`] to program against.
//!
//! A handler extracts a [`Session`]; a [`SessionLayer`] provides it and saves its changes.
//!
//! ```no_run
//! # #[cfg(feature = "axum")]
//! # mod example {
//! use axum::{Router, routing::get};
//! use carafe::{Error, SecretKey, Session, SessionLayer};
//!
//! async fn visits(session: Session) -> Result<String, Error> {
//!     let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
//!     Ok(format!("This is your visit no. {visits}"))
//! }
//!
//! fn app() -> Result<Router, Error> {
//!     let key = SecretKey::from_env("SECRET_KEY")?;
//!     Ok(Router::new().route("/", get(visits)).layer(SessionLayer::flask(key)))
//! }
//! # }
//! ```
//!
//! Session values have the types of Flask's JSON, with conversions from and to Rust's types: see
//! [`Value`](value::Value). [`Config`] has the settings, under Flask's names. [`signing`] has the
//! signatures that sessions are built on.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "actix")]
mod bridge;
mod clock;
pub mod config;
mod content;
pub mod csrf;
pub mod engine;
mod error;
mod event;
pub mod flask_login;
pub mod format;
#[cfg(feature = "actix")]
mod handled;
pub mod id;
mod login_page;
#[cfg(feature = "metrics")]
pub mod metrics;
mod prompt;
mod record;
mod session;
pub mod signing;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
pub mod tower;
pub mod value;

pub use carafe_format::inspect;
#[cfg(feature = "sealed")]
pub use carafe_format::sealed;
pub use carafe_format::{KeyRing, SecretKey};
use carafe_format::{base64, codec, cookie, percent};
pub use clock::Clock;
pub use config::settings::Config;
pub use engine::keys::SharedKeys;
pub use engine::respond::ErrorPage;
pub use engine::stored::users::{SessionInfo, UserSessions};
pub use engine::theft::{Reaction, SignOfTheft, TheftKind};
pub use error::{Error, ErrorKind};
/// Its types are in this crate's API; actix-web has an older version of them.
pub use http;
pub use login_page::WantedPage;
pub use session::{
    CurrentUser, Entry, Flash, FreshUser, LazySession, LoginOptions, Named, Session, SessionEnded,
    SessionHandle, Typed,
};
pub use time::UnixSeconds;
pub use tower::layer::SessionLayer;

/// Runs the README's examples as tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
