//! [Carafe](carafe)'s sessions in SQLite: durable, and shared by the processes of one machine.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use carafe::{SecretKey, SessionLayer};
//! use carafe_sqlite::SqliteStore;
//!
//! let store = SqliteStore::open("sessions.db")?;
//! let layer = SessionLayer::stored(store, SecretKey::from_env("SECRET_KEY")?)?;
//! # Ok(())
//! # }
//! ```
//!
//! The store's promises:
//!
//! - What was acknowledged is there after the process was killed, and, as long as the disk keeps its
//!   own word, after a loss of power: see [`Synchronous`].
//! - Several processes can have the same file open, on one machine. Network file systems don't have
//!   the locks and the shared memory that this takes.
//! - The waiting is done by threads of the store's own, never by the async runtime's. Writes that
//!   come at the same time share a transaction, and its way to the disk.
//!
//! - A file that is removed, moved or replaced while it is in use is noticed with the next call: that
//!   fails as long as there is no file, and then works with the one that is at the path.
//!
//! The file should be of its own: the store refuses one that is another application's. It is created
//! for its owner alone, and one that every user of the system may write to is refused. Services that
//! share a file need [different prefixes](SqliteOptions::prefix).
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connection;
mod error;
mod options;
mod paths;
mod pool;
mod reader;
mod scan;
mod schema;
mod sql;
mod statements;
mod store;
mod writer;

pub use self::options::{SqliteOptions, Synchronous};
pub use self::store::SqliteStore;
