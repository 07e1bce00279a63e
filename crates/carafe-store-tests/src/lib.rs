//! The conformance suite for stores of [Carafe](carafe)'s sessions.
//!
//! An author of a [`SessionStore`](carafe::store::SessionStore) gives [`suite!`] a [`Fixture`], and gets
//! a test for every case, among them every race that a store could lose. A store that passes loses
//! no change, and brings no session back that was ended.
//!
//! ```
//! use std::sync::Arc;
//!
//! use carafe::store::MemoryStore;
//! use carafe_store_tests::Fixture;
//!
//! struct Memory(Arc<MemoryStore>);
//!
//! impl Fixture for Memory {
//!     type Store = Arc<MemoryStore>;
//!
//!     async fn open(&self) -> Self::Store {
//!         Arc::clone(&self.0)
//!     }
//! }
//!
//! async fn memory() -> Memory {
//!     Memory(Arc::default())
//! }
//!
//! carafe_store_tests::suite!(memory);
//! # fn main() {}
//! ```
//!
//! The cases of [`records`] call the store itself. The cases of [`sessions`] send requests through
//! layers on top of it, two of which share the store as two processes would. The cases of
//! [`interleavings`] try every order in which requests can reach the store, against a model. Each
//! case can also be called by itself, by [`run`] or, for `interleavings`, [`run_on_one_thread`]: it
//! panics if the store fails the case.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a case fails by panicking, as a test does"
)]

mod app;
mod fixture;
mod intercept;
pub mod interleavings;
mod proxy;
pub mod records;
pub mod sessions;
mod settings;
mod suite;
mod support;

pub use self::fixture::{Fixture, run, run_on_one_thread};
pub use self::intercept::{Call, Deciding, Fate, Intercepted};
pub use self::proxy::Proxy;
