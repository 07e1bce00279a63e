//! Carafe's sessions in Redis or Valkey: one server, TLS, or a Cluster.
//!
//! ```no_run
//! use carafe::{SecretKey, SessionLayer};
//! use carafe_redis::RedisStore;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = RedisStore::new("redis://127.0.0.1:6379")?;
//! let sessions = SessionLayer::stored(store, SecretKey::from_env("SECRET_KEY")?)?;
//! # let _ = sessions;
//! # Ok(())
//! # }
//! ```
//!
//! # Where it connects
//!
//! | URL | |
//! |---|---|
//! | `redis://user:password@host:6379/0` | one server, or a primary behind a name |
//! | `rediss://…` | the same with TLS (feature `tls`, on by default) |
//! | `redis-cluster://host:6379?node=host2:6379` | a Cluster: some of its nodes, which name the others |
//! | `rediss-cluster://…` | a Cluster with TLS |
//!
//! `valkey` may stand for `redis`. Tested are Redis 6.2 and 7.0, and Valkey 9.1.
//!
//! # What it does
//!
//! 1. All commands to a server share one connection of each runtime, which is made again when it
//!    breaks, when it was idle for long, or when another one has lost an answer. While there is none,
//!    commands fail at once.
//! 2. Reading a session is one round trip, and so is writing one. A login writes the user's index
//!    first, which is one more.
//! 3. A write whose answer was lost is never sent again: it fails with
//!    [`StoreErrorKind::Uncertain`](carafe::store::StoreErrorKind::Uncertain).
//! 4. Records expire on the server. The names of keys, `carafe:s:…`, hold hashes only.
//! 5. Every command and script is about one key, so that all of it works in a Cluster.
//!
//! # What it can't do
//!
//! What Redis promises of a write that it has acknowledged depends on its `appendfsync`, and on a
//! failover it may lose the last of them: then a session that was ended can be back, unless
//! [replicas have to know of it](RedisOptions::replicas_know_of_endings). A server that drops keys when
//! its memory is full (`maxmemory-policy`) is refused, unless
//! [that is allowed](RedisOptions::allow_eviction). The guide on stores says how to set it up.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cluster;
mod connect;
mod error;
mod eviction;
mod gathered;
mod link;
mod listen;
mod open;
mod options;
mod scan;
mod script;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod touch;
mod value;
mod verdict;

pub use self::options::RedisOptions;
pub use self::store::RedisStore;
